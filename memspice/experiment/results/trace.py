"""Waveforms of one neuron, as a run has kept them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from memspice.circuits.bursts import delay
from memspice.errors import ConfigError
from memspice.experiment.results.base import Result
from memspice.experiment.results.table import Table
from memspice.quantities import format_si
from memspice.store import JobRecord

#: Signals of a neuron's circuit beside its drive.
_SIGNALS = ("threshold", "device", "read_node", "hazard", "state", "spike")
_PHASES = ("write", "read", "reset")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class NeuronWaveforms(Result):
    """One neuron of a simulated window over time; every array is (points,).

    Parameters
    ----------
    name : str
        Job and neuron.
    time : ndarray, [s]
        The solver's own time points.
    drive : ndarray, [V]
        Output of the sense stage: the write voltage.
    device, read_node : ndarray, [V]
        Voltage over the device, and of the node that is read.
    hazard, threshold : ndarray, [1]
        Hazard integral of the cycle so far, and the draw that it must reach.
    state : ndarray, [1]
        State of the device: 0 unswitched, 1 switched.
    spike : ndarray, [V]
        Spike line.
    spiked : ndarray of bool, shape (cycles,)
        Whether a spike was latched in each cycle.
    cycle_time : float, [s]
        From the begin of one cycle to that of the next.
    begin : float, [s]
        Of the first cycle of the neuron; in a burst, row pulses are before it.
    phases : tuple of (str, float, float), [s]
        ``write``, ``read`` and ``reset`` of every cycle: begin and end.
    """

    name: str
    time: np.ndarray
    drive: np.ndarray
    device: np.ndarray
    read_node: np.ndarray
    hazard: np.ndarray
    threshold: np.ndarray
    state: np.ndarray
    spike: np.ndarray
    spiked: np.ndarray
    cycle_time: float
    begin: float
    phases: tuple[tuple[str, float, float], ...]

    @classmethod
    def of(cls, record: JobRecord, neuron: int) -> NeuronWaveforms:
        """Waveforms of a neuron, by its number in the deck of a record.

        Raises
        ------
        ConfigError
            If they were not kept, or the layer has no neurons.
        """
        prefix = f"neuron{neuron}"
        if f"{prefix}.drive" not in record.signals:
            raise ConfigError(
                f"{record.name} keeps no waveforms of its neuron {neuron}: simulate with "
                "keep='all', in fidelity reduced or full"
            )
        if f"{prefix}.state" not in record.signals:
            raise ConfigError(f"{record.name} is of a layer without neurons: it has no states")
        facts = record.attributes
        cycle_time, cycles = float(facts["cycle_time"]), int(facts["cycles"])
        before = delay(int(facts["burst"]), float(facts["charge_share"]))
        limits = [
            (name, float(facts[f"{name}_start"]), float(facts[f"{name}_stop"])) for name in _PHASES
        ]
        mine = record.events["neuron"][0] == neuron
        return cls(
            name=f"{record.name}, neuron {neuron + int(facts['first_output'])}",
            time=record.time,
            drive=record.signals[f"{prefix}.drive"][0],
            spiked=np.asarray(record.events["spike"][0])[mine] > 0,
            cycle_time=cycle_time,
            begin=before * cycle_time,
            phases=tuple(
                (name, k * cycle_time + start, k * cycle_time + stop)
                for k in range(before, before + cycles)
                for name, start, stop in limits
            ),
            **{name: record.signals[f"{prefix}.{name}"][0] for name in _SIGNALS},
        )

    @property
    def cycles(self) -> int:
        """Cycles that they cover."""
        return len(self.spiked)

    def part(self, first: int, count: int) -> NeuronWaveforms:
        """Some cycles, in a time that begins with the first of them."""
        start = self.begin + first * self.cycle_time
        stop = start + count * self.cycle_time
        shown = (self.time >= start) & (self.time <= stop)
        arrays = {name: getattr(self, name)[shown] for name in ("drive", *_SIGNALS)}
        phases = self.phases[first * len(_PHASES) : (first + count) * len(_PHASES)]
        moved = tuple((name, a - start, b - start) for name, a, b in phases)
        spiked = self.spiked[first : first + count]
        time = self.time[shown] - start
        return replace(self, time=time, begin=0.0, phases=moved, spiked=spiked, **arrays)

    def table(self) -> Table:
        """Span and ranges."""
        rows = [
            (name, f"{format_si(float(low), unit)} to {format_si(float(high), unit)}")
            for name, unit in (("drive", "V"), ("device", "V"), ("hazard", "1"), ("state", "1"))
            for low, high in [(getattr(self, name).min(), getattr(self, name).max())]
        ]
        span = f"{self.time.size} points over {format_si(float(self.time[-1]), 's')}"
        return Table(self.name, (("time", span), *rows))

    def as_json(self) -> dict[str, Any]:
        """Every signal as a list."""
        return {name: np.asarray(each).tolist() for name, each in self.columns().items()}

    def columns(self) -> Mapping[str, Any]:
        """One row a point in time."""
        return {name: getattr(self, name) for name in ("time", "drive", *_SIGNALS)}
