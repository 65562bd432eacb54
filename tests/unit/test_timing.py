"""One cycle: phases in order, pulses of the stated lengths and areas."""

from __future__ import annotations

import numpy as np
import pytest

from memspice.circuits.timing import Pulse, Schedule, Timing, schedule
from memspice.errors import ConfigError
from memspice.parameters import PARAMETER_SETS, load_parameter_set
from memspice.quantities import validate


@pytest.fixture(params=PARAMETER_SETS)
def timing(request: pytest.FixtureRequest) -> Timing:
    """Phases of each parameter set."""
    return load_parameter_set(request.param).timing


def test_pulse_is_a_trapezoid() -> None:
    pulse = Pulse(2.0, 10.0, 1.0)
    times = np.array([[0.0, 2.0, 2.5], [3.0, 9.0, 9.75], [10.0, 11.0, 6.0]])
    expected = [[0.0, 0.0, 0.5], [1.0, 1.0, 0.25], [0.0, 0.0, 1.0]]
    np.testing.assert_allclose(pulse.at(times), expected)


@pytest.mark.parametrize(
    "pulse", [Pulse(2.0, 10.0, 1.0), Pulse(0.0, 1.0, 0.5), Pulse(1.0, 4.0, 0.2)]
)
def test_areas_are_the_integrals(pulse: Pulse) -> None:
    time = np.linspace(pulse.start, pulse.stop, 200_001)
    height = pulse.at(time)
    assert pulse.area == pytest.approx(np.trapezoid(height, time), rel=1e-6)
    assert pulse.square_area == pytest.approx(np.trapezoid(height**2, time), rel=1e-6)


def test_flat_parts_have_the_lengths_of_the_phases(timing: Timing) -> None:
    plan = schedule(timing)
    for name in ("write", "read", "reset"):
        _, rise, fall, _ = getattr(plan, name).corners()
        assert fall - rise == pytest.approx(getattr(timing, name)), name
        assert rise - getattr(plan, name).start == pytest.approx(timing.edge)


def test_phases_follow_each_other(timing: Timing) -> None:
    plan = schedule(timing)
    write_end, read_end, cycle = plan.phase_ends
    assert 0 == plan.rows.start < plan.rows.stop < write_end
    assert write_end < plan.read.start < plan.read.stop < read_end
    assert read_end < plan.reset.start < plan.reset.stop < plan.clear.stop < cycle == plan.cycle
    # Rests of one gap, so that nothing overlaps by rounding.
    assert plan.read.start - plan.rows.stop == pytest.approx(timing.gap)
    assert plan.reset.start - plan.read.stop == pytest.approx(timing.gap)


def test_sense_stage_settles_before_the_write_pulse_and_holds_through_it(timing: Timing) -> None:
    plan = schedule(timing)
    held = plan.rows.corners()[1:3]
    assert plan.write.start - held[0] == pytest.approx(timing.settle)
    assert held[0] < plan.write.start < plan.write.stop <= held[1] * (1 + 1e-12)


def test_strobe_is_inside_the_flat_read(timing: Timing) -> None:
    plan = schedule(timing)
    _, flat_start, flat_stop, _ = plan.read.corners()
    assert flat_start < plan.strobe.start < plan.strobe.stop < flat_stop


def test_integral_is_cleared_while_setting_is_inhibited_and_the_device_is_back(
    timing: Timing,
) -> None:
    plan = schedule(timing)
    _, flat_start, flat_stop, _ = plan.reset.corners()
    assert flat_start + 0.5 * timing.reset < plan.clear.start < flat_stop
    assert plan.clear.stop > plan.reset.stop


def test_no_control_reaches_into_the_next_cycle(timing: Timing) -> None:
    plan: Schedule = schedule(timing)
    for name in ("rows", "write", "read", "strobe", "reset", "clear"):
        pulse = getattr(plan, name)
        corners = pulse.corners()
        assert list(corners) == sorted(corners), name
        assert 0 <= pulse.start < pulse.stop < plan.cycle, name


@pytest.mark.parametrize("name", ["settle", "write", "read", "reset"])
def test_longer_phase_makes_the_cycle_longer_by_as_much(timing: Timing, name: str) -> None:
    extra = 3 * getattr(timing, name)
    longer = timing.model_copy(update={name: getattr(timing, name) + extra})
    assert schedule(longer).cycle - schedule(timing).cycle == pytest.approx(extra)


@pytest.mark.parametrize("name", list(Timing.model_fields))
def test_lengths_must_be_positive(name: str) -> None:
    values = load_parameter_set("ag-asi").timing.model_dump()
    with pytest.raises(ConfigError, match=f"{name} = 0.0 s must be at least 1e-15 s"):
        validate(Timing, {**values, name: 0.0}, "test")
