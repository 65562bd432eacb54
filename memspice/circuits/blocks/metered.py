"""Subcircuits of sense stages in a deck, with an ammeter at every terminal: signals and power.

What flows in there is what a stage dissipates and stores, the current of a neuron that it sinks as
well.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping

import numpy as np

from memspice.circuits import nodes
from memspice.circuits.blocks.sense import MeasuredStage
from memspice.circuits.signals import Signals, source_power
from memspice.circuits.timing import Schedule

#: Begins the names of a stage's supplies and clocks in a deck.
OWN = "sense_"


def meter(output: int, name: str) -> str:
    """Ammeter of a terminal, and the node behind it."""
    return f"s{output}_{name}"


class MeteredStage(MeasuredStage):
    """Stages whose power is what flows in at all of their terminals."""

    @property
    @abstractmethod
    def _rails(self) -> Mapping[str, float]:
        """Supplies and bias lines of the subcircuit, and the level of idle rows, [V]."""

    @property
    @abstractmethod
    def _bias(self) -> str:
        """Bias line in use, or nothing."""

    def _metered(self) -> Iterator[str]:
        yield from self._rails
        yield from self.circuit.all_clocks

    def signals(self, outputs: int) -> list[str]:
        """Currents of all ammeters, voltages of lines, drives, bias lines and clocks."""
        names = []
        for clock in self.circuit.all_clocks:
            names += [f"v({OWN}{clock})", f"i(v{OWN}{clock})"]
        for output in range(outputs):
            names += [f"i(v{meter(output, name)})" for name in self._metered()]
            for line in (f"plus{output}", f"minus{output}"):
                names += [f"v({line})", f"i(v{line})"]
            own = [f"v({name})" for name in self._own_bias(output)]
            names += [f"v(held{output})", f"i(vshift{output})", *own]
        return names

    def _own_bias(self, output: int) -> list[str]:
        """Ammeter of the bias line, which is a source as well where outputs differ."""
        return [meter(output, self._bias)] if self._bias else []

    def power(self, signals: Signals, outputs: int, schedule: Schedule) -> np.ndarray:
        """What flows into all stages at their terminals, with capacitances of lines and loads."""
        level = {name: np.full_like(signals.time, value) for name, value in self._rails.items()}
        for clock in self.circuit.all_clocks:
            level[clock] = signals.voltage(f"{OWN}{clock}")
        power = np.zeros((outputs, len(signals.time)))
        for output in range(outputs):
            for name, voltage in level.items():
                power[output] += voltage * signals.current(f"v{meter(output, name)}")
            for line in (f"plus{output}", f"minus{output}"):
                power[output] += source_power(signals, line, signals.voltage(line))
            power[output] += self._added(signals, output) + self._sunk(signals, output)
        return self.multiplicity * power

    def _sunk(self, signals: Signals, output: int) -> np.ndarray:
        """Power that flows in at the drive, [W]."""
        return np.asarray(signals.voltage(f"held{output}") * signals.current(f"vshift{output}"))

    def _added(self, signals: Signals, output: int) -> np.ndarray:
        """Power of what the bias line of an output is above that of the layer, [W]."""
        power = np.zeros_like(signals.time)
        for own in self._own_bias(output):
            above = signals.voltage(own) - self._rails[self._bias]
            power += above * signals.current(f"v{own}")
        return power

    def delivered(self, signals: Signals, outputs: int) -> np.ndarray:
        """Supplies, bias lines and clocks, and ideal shifts."""
        power = super().delivered(signals, outputs)
        for clock in self.circuit.all_clocks:
            name = f"{OWN}{clock}"
            power = power + source_power(signals, name, signals.voltage(name))
        for output in range(outputs):
            drive = signals.voltage(nodes.drive(output))
            shift = source_power(
                signals, f"shift{output}", drive - signals.voltage(f"held{output}")
            )
            power = power + self._added(signals, output) + shift
        return self.multiplicity * power
