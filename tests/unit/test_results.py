"""A plot becomes waveforms only where its names, kinds and times are those of one run."""

from __future__ import annotations

import numpy as np
import pytest

from memspice.engines.base import Analysis, OperatingPoint, Transient
from memspice.engines.rawfile import Plot
from memspice.engines.results import check_signals, to_waveforms
from memspice.engines.waveforms import Waveforms, canonical_name
from memspice.errors import EngineError, NetlistError

STOP = Transient(2e-9, 1e-9)


def waveforms_of(
    times: list[float],
    variables: tuple[str, ...] = ("time", "v(a)", "v1#branch"),
    kinds: tuple[str, ...] = ("time", "voltage", "current"),
    analysis: Analysis = STOP,
) -> Waveforms:
    columns = [times] + [[1.0] * len(times)] * (len(variables) - 1)
    plot = Plot("title", "Transient Analysis", variables, kinds, np.array(columns).T)
    return to_waveforms(plot, analysis, canonical_name, "", 0.0)


def test_a_sound_plot_is_taken() -> None:
    found = waveforms_of([0.0, 1e-9, 2e-9])
    assert set(found.signals) == {"v(a)", "i(v1)"}
    waveforms_of([0.0, 2e-9], kinds=("notype",) * 3)
    # from rest the engine's first point is that of its first step
    waveforms_of([2e-12, 2e-9], analysis=Transient(2e-9, 1e-9, from_rest=True))


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([2e-9], "1 point"),
        ([1e-15, 1e-9, 2e-9], "begins at 1e-15 s"),
        ([-1e-15, 1e-9, 2e-9], "begins at -1e-15 s"),
        ([0.0, 1e-9, 1e-9, 2e-9], "does not rise from point 1"),
        ([0.0, 1.5e-9, 1e-9, 2e-9], "does not rise from point 1"),
        ([0.0, 2e-9, 1e-9], "does not rise"),
        ([0.0, 1e-9, 1.99e-9], "ends at 1.99e-09 s"),
        ([0.0, 1e-9, 2.01e-9], "ends at 2.01e-09 s"),
        ([0.0, float("nan"), 2e-9], "time is nan"),
    ],
)
def test_times_of_another_run_are_refused(times: list[float], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        waveforms_of(times)


def test_a_late_begin_is_refused_also_from_rest() -> None:
    with pytest.raises(EngineError, match="begins at"):
        waveforms_of([1e-10, 2e-9], analysis=Transient(2e-9, 1e-9, from_rest=True))


def test_a_signal_twice_and_one_of_another_kind_are_refused() -> None:
    times = [0.0, 2e-9]
    with pytest.raises(EngineError, match=r"i\(v1\) twice"):
        waveforms_of(times, ("time", "I(V1)", "v1#branch"), ("time", "current", "current"))
    for kinds in (("voltage", "voltage", "current"), ("time", "current", "current"),
                  ("time", "voltage", "voltage"), ("time", "voltage", "nothing")):  # fmt: skip
        with pytest.raises(EngineError, match="in the raw file"):
            waveforms_of(times, kinds=kinds)


def test_an_operating_point_is_one_point_without_a_time() -> None:
    names, kinds = ("v(a)", "v(b)"), ("voltage", "voltage")
    waveforms_of([1.0], names, kinds, OperatingPoint())
    with pytest.raises(EngineError, match="2 points"):
        waveforms_of([1.0, 1.0], names, kinds, OperatingPoint())
    with pytest.raises(EngineError, match="or a time"):
        waveforms_of([0.0], analysis=OperatingPoint())


def test_signals_are_those_that_were_asked_for() -> None:
    found = waveforms_of([0.0, 2e-9])
    check_signals(found, [], "spice")
    check_signals(found, ["all", "A"], "spice")
    check_signals(found, ["A", "I(V1)", "time", "0"], "spice")
    with pytest.raises(NetlistError, match=r"nothing for v\(b\)"):
        check_signals(found, ["a", "b"], "spice")
    with pytest.raises(EngineError, match=r"wrote i\(v1\) .*not asked for"):
        check_signals(found, ["a"], "spice")
