"""Ways in which waveforms may lie, as functions from the true ones to others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from memspice.engines.waveforms import Waveforms

Lie = Callable[[Waveforms], Waveforms]


def scaled(name: str, factor: float, offset: float = 0.0) -> Lie:
    """The signals whose names begin so, times a factor, plus an offset."""

    def lie(waves: Waveforms) -> Waveforms:
        signals = waves.signals.items()
        return replace(
            waves,
            signals={n: v * factor + offset if n.startswith(name) else v for n, v in signals},
        )

    return lie


def exchanged(*pairs: tuple[str, str]) -> Lie:
    """The signals of two prefixes under each other's names."""

    def lie(waves: Waveforms) -> Waveforms:
        names = dict((*pairs, *((b, a) for a, b in pairs)))

        def name(old: str) -> str:
            start = next((start for start in names if old.startswith(start)), "")
            return names[start] + old.removeprefix(start) if start else old

        return replace(waves, signals={name(n): v for n, v in waves.signals.items()})

    return lie


def moved(points: int) -> Lie:
    """Every signal some points too late."""
    return lambda waves: replace(
        waves, signals={name: np.roll(v, points) for name, v in waves.signals.items()}
    )


def timed(change: Callable[[np.ndarray], np.ndarray]) -> Lie:
    """Other points of time."""
    return lambda waves: replace(waves, time=change(waves.time))


def steady(waves: Waveforms) -> Waveforms:
    """Nothing ever moves."""
    return replace(waves, signals={n: np.full_like(v, v[0]) for n, v in waves.signals.items()})


#: Of any layer.
LIES: dict[str, Lie] = {
    "supply current twice": scaled("i(vsense_p)", 2.0),
    "supply current 1 % more": scaled("i(vsense_p)", 1.01),
    "currents of the wrong sign": scaled("i(", -1.0),
    "two supplies exchanged": exchanged(("i(vsense_p)", "i(vsense_n)")),
    "voltage for another": exchanged(("v(c0)", "v(drive0)")),
    "outputs exchanged": exchanged(("v(o0)", "v(o1)")),
    "drives exchanged": exchanged(("v(drive0)", "v(drive1)")),
    "drive shifted": scaled("v(drive0)", 1.0, 0.05),
    "drives 2 % more": scaled("v(drive", 1.02),
    "everything twice": scaled("", 2.0),
    "everything zero": scaled("", 0.0),
    "everything constant": steady,
    "time 10 % longer": timed(lambda time: 1.1 * time),
    "half the time": timed(lambda time: 0.5 * time),
    "time warped between right ends": timed(lambda time: time[-1] * (time / time[-1]) ** 1.05),
    "time shifted": timed(lambda time: time + 2e-9),
    "signals behind their time": moved(20),
    "not a number": scaled("v(drive0)", np.nan),
    "overflow": scaled("i(vsense_p)", 1e308, 1e308),
}
#: Of a layer with neurons.
NEURON_LIES: dict[str, Lie] = {
    "neurons' supply halved": scaled("i(vneuron_p)", 0.5),
    "hazard 10 % more": scaled("v(xneuron0.h)", 1.1),
    "all hazards 2 % less": scaled("v(xneuron", 0.98),
    "hazards exchanged": exchanged(("v(xneuron0.h)", "v(xneuron1.h)")),
    "hazard for state": exchanged(("v(xneuron0.h)", "v(xneuron0.x)")),
    "spike line inverted": scaled("v(spike0)", -1.0, 1.0),
    "spikes lost": scaled("v(spike", 0.0),
    "spikes exchanged": exchanged(("v(spike0)", "v(spike1)")),
    "state stuck": scaled("v(xneuron0.x)", 0.0, 0.5),
    "read node for drive": exchanged(("v(xneuron0.mid)", "v(xneuron0.top)")),
    "whole neurons exchanged": exchanged(
        ("v(drive0)", "v(drive1)"), ("v(spike0)", "v(spike1)"), ("v(xneuron0.", "v(xneuron1."),
        ("v(c0)", "v(c2)"), ("v(c1)", "v(c3)"), ("v(o0)", "v(o2)"), ("v(o1)", "v(o3)"),
        ("v(xsense0.", "v(xsense2."), ("v(xsense1.", "v(xsense3."),
    ),
}  # fmt: skip
#: Harmless, each with the reason.
HARMLESS: dict[str, tuple[Lie, str]] = {
    "every second point": (
        lambda waves: replace(
            waves, time=waves.time[::2], signals={n: v[::2] for n, v in waves.signals.items()}
        ),
        "the steps are short enough for twice as long ones",
    ),
    "drive half a percent off": (scaled("v(drive0)", 1.005), "within the margin of a drive"),
    "no reset current": (
        scaled("i(vneuron_n)", 0.0),
        "energies are those dissipated; this source delivers less than the closure's limit",
    ),
}
