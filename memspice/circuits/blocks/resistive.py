"""Resistive sense stage: bit lines end in resistors, and an amplifier takes their difference."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from memspice.circuits import nodes
from memspice.circuits.blocks.amplifiers import Amplifiers, AmplifierStage
from memspice.circuits.blocks.sense_circuit import SenseCircuit
from memspice.circuits.blocks.sense_design import SenseNeeds
from memspice.circuits.blocks.sharing import averaging
from memspice.circuits.deck import Deck
from memspice.circuits.signals import Signals
from memspice.circuits.spice import Circuit
from memspice.circuits.timing import Schedule
from memspice.quantities import quantity


class Resistive(Amplifiers):
    """A resistor to ground at each bit line, and one amplifier a pair."""

    kind: Literal["resistive"] = "resistive"
    sense_resistance: float = quantity("ohm", "End of a bit line", gt=0)

    def sized(self, needs: SenseNeeds) -> ResistiveStage:
        """Give the difference stage the gain that is needed."""
        return self.with_gain(self.gain_for(needs, self.sense_resistance))

    def with_gain(self, difference_gain: float) -> ResistiveStage:
        """Stage with a gain of the difference stage, [1]."""
        return ResistiveStage(**self.model_dump(), difference_gain=difference_gain)


class ResistiveStage(Resistive, AmplifierStage):
    """Resistive stage of a layer."""

    amplifiers: ClassVar[int] = 1

    @property
    def input_resistance(self) -> float:
        """The resistor, [ohm]."""
        return self.sense_resistance

    @property
    def line_gain(self) -> float:
        """The resistor, [ohm]."""
        return self.sense_resistance

    @property
    def charging_resistance(self) -> float:
        """The resistor, [ohm]."""
        return self.sense_resistance

    def _first_pole(self, line_conductance: float) -> float:
        """Follow the line at once."""
        return 0.0

    def in_bursts(self, burst: int, schedule: Schedule) -> SenseCircuit:
        """The same resistors before an integrating difference stage."""
        return averaging(self, burst, schedule)

    def add_ends(self, deck: Deck, outputs: int) -> Circuit:
        """Add a resistor for each line."""
        circuit = self._section(deck)
        for column in range(2 * outputs):
            line = nodes.bit_line(column)
            circuit.R(f"sense{column}", line, circuit.gnd, self.sense_resistance)
        return circuit

    def inputs(self, output: int) -> tuple[str, str]:
        """Name the lines themselves."""
        return nodes.bit_lines(output)

    def signals(self, outputs: int) -> list[str]:
        """Nothing besides the bit lines."""
        return []

    def end_power(self, signals: Signals, column: int, idle: np.ndarray) -> np.ndarray:
        """Power in the resistor."""
        del idle  # no amplifier at a line
        return np.asarray(signals.voltage(nodes.bit_line(column)) ** 2 / self.sense_resistance)
