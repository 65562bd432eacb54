"""Transimpedance sense stage: amplifiers hold the bit lines near ground by feedback.

::

    bit line --+--[feedback resistor]--+-- difference stage --> drive
               +--[amplifier, r_out]---+
"""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np

from memspice.circuits import nodes
from memspice.circuits.blocks.amplifiers import RAILS, Amplifiers, AmplifierStage
from memspice.circuits.blocks.sense_circuit import SenseCircuit
from memspice.circuits.blocks.sense_design import HEADROOM, SenseNeeds
from memspice.circuits.blocks.sharing import averaging
from memspice.circuits.deck import Deck
from memspice.circuits.signals import Signals, output_stage_power
from memspice.circuits.spice import Circuit, SubCircuit
from memspice.circuits.timing import Schedule
from memspice.errors import ConfigError
from memspice.quantities import format_si, quantity

_NAME = "transimpedance"


class Transimpedance(Amplifiers):
    """Two transimpedance amplifiers and one of their difference; each layer has its resistors."""

    kind: Literal["transimpedance"] = "transimpedance"

    def sized(self, needs: SenseNeeds) -> TransimpedanceStage:
        """Size the feedback: the largest round resistance that no input can saturate."""
        largest = HEADROOM * self.swing / needs.largest_current
        step = 10.0 ** (math.floor(math.log10(largest)) - 1)
        feedback = float(math.floor(largest / step) * step)
        if self.gain * feedback <= self.output_resistance:
            raise ConfigError(
                f"layer {needs.layer}: sense.output_resistance = {self.output_resistance:g} ohm "
                f"leaves no gain at the feedback resistance of {feedback:g} ohm that a swing of "
                f"{self.swing:g} V allows for {needs.cause}: lower the output resistance, raise "
                "the swing, or train with smaller weights and biases"
            )
        stage = self.with_feedback(feedback, 1.0)
        return self.with_feedback(feedback, self.gain_for(needs, stage.line_gain))

    def with_feedback(self, resistance: float, difference_gain: float) -> TransimpedanceStage:
        """Stage with a feedback resistance [ohm] and a gain of the difference stage [1]."""
        return TransimpedanceStage(
            **self.model_dump(), feedback_resistance=resistance, difference_gain=difference_gain
        )


class TransimpedanceStage(Transimpedance, AmplifierStage):
    """Transimpedance stage of a layer."""

    feedback_resistance: float = quantity("ohm", "From the output to the input", gt=0)

    amplifiers: ClassVar[int] = 3

    @property
    def input_resistance(self) -> float:
        """What feedback makes of its resistor, [ohm]."""
        return self.feedback_resistance / (1 + self._closed_gain)

    @property
    def line_gain(self) -> float:
        """Output voltage per bit-line current, without its sign, [ohm]."""
        return self._closed_gain * self.input_resistance

    @property
    def _closed_gain(self) -> float:
        """Minus v(out) / v(in) once the feedback resistor loads the output."""
        out, back = 1 / self.output_resistance, 1 / self.feedback_resistance
        return (self.gain * out - back) / (out + back)

    @property
    def charging_resistance(self) -> float:
        """Twice the feedback: the loop with a capacitance at its input decays with ``2 R C``."""
        return 2 * self.feedback_resistance

    def _first_pole(self, line_conductance: float) -> float:
        """Time constant of the closed loop, [s]."""
        line = 1 / line_conductance
        around = self.feedback_resistance + self.output_resistance
        return self.pole / (1 + self.gain * line / (line + around))

    def _signal_energy(self, current: np.ndarray, schedule: Schedule) -> np.ndarray:
        """Energy of lines and feedback, and of the output stage's lower or upper rail, [J]."""
        signal = super()._signal_energy(current, schedule)
        # The output stage sinks the bit-line current into its lower rail.
        rail = self.supply * np.sum(np.abs(current), axis=-1) * schedule.rows.area
        return np.asarray(signal + rail)

    def doubts(self, current: np.ndarray) -> list[str]:
        """Refuse a swing beyond the rails, and a signal beyond the swing."""
        found, level = super().doubts(current), self.amplifier_level(current)
        if level > self.swing:
            found.append(
                f"amplifiers of the sense stages need {format_si(level, 'V')}, above their swing "
                f"of {format_si(self.swing, 'V')}"
            )
        return found

    def amplifier_level(self, current: np.ndarray) -> float:
        """Largest voltage that an amplifier must reach inside, [V].

        It drives the bit-line current through the feedback resistor and its own output resistance.
        """
        around = self.feedback_resistance + self.output_resistance
        return float(np.max(np.abs(current), initial=0.0)) * around

    def in_bursts(self, burst: int, schedule: Schedule) -> SenseCircuit:
        """The same amplifiers of the lines before an integrating difference stage."""
        return averaging(self, burst, schedule)

    def subcircuit(self) -> SubCircuit:
        """One-pole amplifier with a feedback resistor."""
        circuit = SubCircuit(_NAME, "input", "out", "enable", "vdd", "vss")
        circuit.R("feedback", "input", "out", self.feedback_resistance)
        circuit.X(
            "amplifier",
            "amplifier",
            *("input", "level", "enable", "vdd", "vss"),
            gain=self.gain,
            pole=self.pole,
            swing=self.swing,
            i_quiescent=self.quiescent_current,
        )
        rails = ("vdd", "vss")
        circuit.X("output", "output_stage", "level", "out", *rails, r_out=self.output_resistance)
        return circuit

    def add_ends(self, deck: Deck, outputs: int) -> Circuit:
        """Add an amplifier with its feedback for each line."""
        deck.subcircuit(
            "Transimpedance stage: v(out) = -feedback * i(input), the bit line stays near ground",
            self.subcircuit(),
        )
        circuit = self._section(deck)
        for column in range(2 * outputs):
            circuit.X(f"sense{column}", _NAME, nodes.bit_line(column), f"o{column}", *RAILS)
        return circuit

    def inputs(self, output: int) -> tuple[str, str]:
        """Name the outputs of the amplifiers."""
        return f"o{2 * output + 1}", f"o{2 * output}"  # the amplifiers invert

    def signals(self, outputs: int) -> list[str]:
        """Outputs of the amplifiers, before and behind their resistance."""
        columns = range(2 * outputs)
        return [name for j in columns for name in (f"v(o{j})", f"v(xsense{j}.level)")]

    def end_power(self, signals: Signals, column: int, idle: np.ndarray) -> np.ndarray:
        """Power in the amplifier, its output stage and the feedback."""
        line = signals.voltage(nodes.bit_line(column))
        out, level = signals.voltage(f"o{column}"), signals.voltage(f"xsense{column}.level")
        rails = (self.supply, -self.supply)
        stage = output_stage_power(level, out, self.output_resistance, *rails)
        return np.asarray(idle + stage + (line - out) ** 2 / self.feedback_resistance)
