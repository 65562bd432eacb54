"""A stage that makes a drive of several row pulses: bench, table, and what it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest

from memspice.analysis.surface_limits import refuse_sag
from memspice.circuits.blocks.sense_design import SenseNeeds
from memspice.circuits.clocks import Clock
from memspice.circuits.sense_bench import SenseBench, sense_bench_cycles
from memspice.circuits.timing import schedule
from memspice.errors import ConfigError
from memspice.parameters import load_parameter_set
from tests.sense_helpers import CYCLE, UA, V0, WRITE, e3_table, read

PULSES = 3
STAGE = replace(
    read(e3_table()),
    clocks={"enable": Clock(((1e-9, 20e-9),))},
    once={"first": Clock(((2e-9, 9e-9),))},
    held={"zero": Clock(((30e-9, 90e-9),))},
    supplies={},
    pulses=PULSES,
)
BENCH = SenseBench(STAGE, CYCLE, WRITE, np.array([(1, 2), (3, 4)]) * UA, (1e-4, 1e-4))


def high(name: str, time: float) -> bool:
    """Whether a clock is high at a time in cycles after the begin."""
    points = np.array(BENCH.trains[name].points).T
    return bool(np.interp(time * CYCLE, *points) > 0.5)


def test_pulses_come_first_and_writes_behind_them() -> None:
    # behind one cycle of warm-up
    rows = np.repeat([(1, 2), (1, 2), (0, 0), (3, 4), (0, 0)], [1, *(4 * [PULSES])], axis=0) * UA
    np.testing.assert_array_equal(BENCH.all_currents, rows)
    assert BENCH.duration == pytest.approx(13 * CYCLE)
    assert pytest.approx([CYCLE, 7 * CYCLE]) == BENCH.starts
    begins = BENCH.writes[..., 0] - WRITE.start - WRITE.edge
    assert begins / CYCLE == pytest.approx(np.array([[4, 5, 6], [10, 11, 12]]))


def test_clocks_are_high_in_their_own_cycles() -> None:
    inside = {"enable": 10e-9 / CYCLE, "first": 5e-9 / CYCLE, "zero": 60e-9 / CYCLE}
    found = {
        name: [cycle for cycle in range(13) if high(name, cycle + at)]
        for name, at in inside.items()
    }
    assert found == {
        "enable": [0, 1, 2, 3, 7, 8, 9],
        "first": [1, 7],
        "zero": [4, 5, 6, 10, 11, 12],
    }


def test_pulses_that_differ_are_each_in_their_cycle() -> None:
    unlike = np.arange(1, 13).reshape(2, PULSES, 2) * UA
    bench = replace(BENCH, currents=unlike)
    np.testing.assert_array_equal(bench.all_currents[7:10], unlike[1])
    np.testing.assert_array_equal(bench.all_currents[:2], unlike[0, [0, 0]])


@dataclass(frozen=True)
class Steps:
    """A drive that has a value of its own in each cycle; all else is 0."""

    time: np.ndarray
    drive: np.ndarray
    line: float = STAGE.line_level

    def voltage(self, name: str) -> np.ndarray:
        return self.drive if name == "drive" else np.full_like(self.time, self.line)

    def current(self, name: str) -> np.ndarray:
        del name
        return np.zeros_like(self.time)


@pytest.mark.parametrize("polarity", [1, -1])
def test_the_drive_of_a_burst_is_what_gives_the_mean_hazard(polarity: int) -> None:
    time = np.linspace(0, 13 * CYCLE, 13 * 300 + 1)
    levels = np.zeros(14)
    levels[4:7], levels[10:13] = (0.5, 0.52, 0.6), (0.3, 0.3, 0.3)
    found = sense_bench_cycles(
        BENCH, polarity * V0, Steps(time, levels[(time // CYCLE).astype(int)])
    )
    expected = polarity * V0 * np.log(np.exp(polarity * levels[4:7] / V0).mean())
    assert found.drive == pytest.approx([expected, 0.3], abs=1e-6)
    assert found.sag == pytest.approx([0.1, 0.0], abs=1e-9)
    assert found.droop == pytest.approx([0.1, 0.0], abs=1e-9)


def test_lines_off_their_level_are_counted_by_their_square() -> None:
    time = np.linspace(0, 13 * CYCLE, 13 * 300 + 1)
    raised = Steps(time, np.zeros_like(time), line=STAGE.line_level + 0.1)
    found = sense_bench_cycles(BENCH, V0, raised)
    assert found.excursion == pytest.approx([2 * 0.01 * 2 * PULSES * CYCLE] * 2)
    resting = sense_bench_cycles(BENCH, V0, Steps(time, np.zeros_like(time)))
    assert resting.excursion == pytest.approx([0, 0])


def test_a_drive_that_sags_is_refused_with_the_number() -> None:
    refuse_sag("own", 3e-3, -V0)
    with pytest.raises(ConfigError, match=r"own holds differs by 4 mV .* 3\.12 mV are allowed"):
        refuse_sag("own", 4e-3, -V0)


def test_bursts_of_other_lengths_are_refused() -> None:
    chosen = load_parameter_set("fast-memristor", periphery="freepdk45")
    needs = SenseNeeds(4e5, 8e-6, (1e-4, 1e-4), chosen.timing.settle, "own", "a test")
    stage, times = chosen.sense.sized(needs), schedule(chosen.timing)
    assert stage.in_bursts(1, times) is stage
    with pytest.raises(ConfigError, match="burst = 8: .* makes a drive of 1 row pulse; use"):
        stage.in_bursts(8, times)


BAD: Mapping[str, tuple[dict[str, object], str]] = {
    "of no pulses": ({"pulses": 0}, "sense.pulses must be 1 or more"),
    "clock of nothing": ({"pulses": 2, "once": {"start": [[0, 1e-9]]}}, "no such terminal"),
    "no burst": (
        {"clocks": {}, "once": {"enable": [[0, 1e-9]]}},
        "say of how many `pulses`",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_tables_that_make_no_burst_are_refused(case: str) -> None:
    changes, message = BAD[case]
    table = e3_table()
    if "clocks" in changes:
        changes = {**changes, "clocks": {k: v for k, v in table["clocks"].items() if k != "enable"}}
    with pytest.raises(ConfigError, match=message):
        read(table | changes)
