"""What sense stages of one-pole amplifiers have in common: the difference stage of each pair."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np

from memspice.circuits import nodes
from memspice.circuits.blocks.neuron import Neuron
from memspice.circuits.blocks.sense import SenseStage
from memspice.circuits.blocks.sense_design import SenseNeeds
from memspice.circuits.clocks import Clock
from memspice.circuits.deck import Deck
from memspice.circuits.signals import Signals
from memspice.circuits.spice import Circuit
from memspice.circuits.timing import Schedule
from memspice.errors import ConfigError
from memspice.quantities import Parameters, quantity

#: Time constants that a difference stage gets to settle: it is then within e^-5, and gets closer.
_SETTLING = 5.0
#: Source and node of the upper and the lower rail, and the clock that switches amplifiers on.
UPPER, LOWER, ENABLE = "sense_p", "sense_n", "enable"
RAILS = (ENABLE, UPPER, LOWER)


class Amplifiers(Parameters):
    """Amplifiers of a sense stage: one pole, rails of both signs, on while rows are driven."""

    #: By component of the energy, the values of a parameter set (``table.name``) that stand in the
    #: place of a circuit of the block: where one of them is assumed, so are the joules.
    circuit_constants: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "sense": ("sense.quiescent_current", "sense.supply", "sense.output_resistance")
    }

    gain: float = quantity("1", "Open-loop gain of an amplifier", gt=1)
    bandwidth: float = quantity("Hz", "Unity-gain bandwidth of an amplifier", gt=0)
    supply: float = quantity("V", "Rails of the sense stage are at plus and minus this", gt=0)
    swing: float = quantity("V", "Largest output of an amplifier, either sign", gt=0)
    output_resistance: float = quantity("ohm", "Output resistance of an amplifier", gt=0)
    quiescent_current: float = quantity("A", "Supply current of one amplifier while on", ge=0)
    droop: float = quantity(
        "1/s", "Share of the drive of a burst that is lost per time held", ge=0, default=0.0
    )
    charge_share: float = quantity(
        "1",
        "Share of a held drive that each row pulse makes, of sampling in all capacitance",
        gt=0, le=1, default=1.0,
    )  # fmt: skip

    def bias_voltages(self, neuron: Neuron) -> tuple[float, float]:
        """All that neurons are driven with."""
        return neuron.rails

    def usual_burst(self, cycles: int) -> int:
        """One: a drive for every cycle."""
        del cycles
        return 1

    def for_bursts(self, burst: int) -> Self:
        """Itself: integrating stages are made from it, for any burst."""
        del burst
        return self

    @property
    def pole(self) -> float:
        """Time constant of the open-loop amplifier, [s]."""
        return self.gain / (2 * math.pi * self.bandwidth)

    def gain_for(self, needs: SenseNeeds, line_gain: float) -> float:
        """Gain of the difference stage behind ends of lines that give ``line_gain`` [ohm].

        Raises
        ------
        ConfigError
            If the difference stage would be too slow for the time before the write pulse.
        """
        gain = needs.transimpedance / line_gain
        constant = gain / (2 * math.pi * self.bandwidth)
        if needs.settle < _SETTLING * constant:
            raise ConfigError(
                f"layer {needs.layer}: timing.settle = {needs.settle:g} s is below {_SETTLING:g} "
                f"time constants of the difference stage, {constant:g} s at a gain of {gain:.3g}, "
                f"which the layer needs with {needs.cause}: train with smaller weights and biases, "
                "lengthen settle, raise the bandwidth or the sense resistance"
            )
        return gain


class AmplifierStage(Amplifiers, SenseStage):
    """Ends of two lines, which a subclass has, and an amplifier of their difference."""

    difference_gain: float = quantity("1", "Gain of the difference stage", gt=0)

    #: Amplifiers of a pair of lines, their difference included.
    amplifiers: ClassVar[int]

    @property
    @abstractmethod
    def line_gain(self) -> float:
        """Voltage that goes into the difference stage per bit-line current, [ohm]."""

    @abstractmethod
    def inputs(self, output: int) -> tuple[str, str]:
        """Nodes at the plus and the minus input of a difference stage."""

    @abstractmethod
    def add_ends(self, deck: Deck, outputs: int) -> Circuit:
        """Add what the lines end in; return the section."""

    @abstractmethod
    def end_power(self, signals: Signals, column: int, idle: np.ndarray) -> np.ndarray:
        """Power [W] at the end of a line; an amplifier that is on takes ``idle``."""

    @abstractmethod
    def _first_pole(self, line_conductance: float) -> float:
        """Time constant of what a line ends in, [s]."""

    @property
    def supplies(self) -> Mapping[str, float]:
        """Rails of all amplifiers."""
        return {UPPER: self.supply, LOWER: -self.supply}

    def clocks(self, schedule: Schedule) -> Mapping[str, Clock]:
        """Amplifiers are on while rows are driven."""
        return {ENABLE: Clock.of(schedule.rows)}

    @property
    def transimpedance(self) -> float:
        """Difference stage and what is before it, [ohm]."""
        return self.difference_gain * self.line_gain

    def drive(self, current: np.ndarray, conductance: np.ndarray) -> np.ndarray:
        """Straight in the difference of the currents."""
        return np.asarray(self.transimpedance * (current[..., 0::2] - current[..., 1::2]))

    def energy(
        self, current: np.ndarray, conductance: np.ndarray, schedule: Schedule, *, held: bool
    ) -> np.ndarray:
        """Supply currents, and what the bit lines bring."""
        outputs = current.shape[-1] // 2
        idle = self.idle_energy(outputs, schedule, held=held)
        return np.asarray(idle + self._signal_energy(current, schedule))

    def _signal_energy(self, current: np.ndarray, schedule: Schedule) -> np.ndarray:
        """Energy of a cycle in the ends of the lines, [J]."""
        line = current * self.input_resistance
        return np.asarray(np.sum(current * line, axis=-1) * schedule.rows.square_area)

    def idle_energy(self, outputs: int, schedule: Schedule, *, held: bool) -> float:
        """Supply currents; where a drive is held, of the difference stages in write phases, too."""
        amplifiers = self.amplifiers + held
        power = 2 * self.supply * self.quiescent_current
        return amplifiers * outputs * power * schedule.rows.area

    def unsettled(self, line_conductance: float, time: np.ndarray) -> np.ndarray:
        """Two poles, of lines and difference stage: ``(a e^(-t/a) - b e^(-t/b)) / (a - b)``."""
        first, second = self._first_pole(line_conductance), self.difference_pole
        if math.isclose(first, second, rel_tol=1e-3):
            second *= 1.01
        return np.asarray((_decay(first, time) - _decay(second, time)) / (first - second))

    @property
    def share(self) -> float:
        """That of the capacitors."""
        return self.charge_share

    def held_loss(self, time: float) -> float:
        """Decay with the droop."""
        return -math.expm1(-self.droop * time)

    @property
    def difference_pole(self) -> float:
        """Time constant of the difference stage, [s]."""
        return self.difference_gain * self.pole / self.gain

    def doubts(self, current: np.ndarray) -> list[str]:
        """Refuse a swing beyond the rails."""
        if self.swing > self.supply:
            return [f"sense.swing = {self.swing:g} V is above sense.supply = {self.supply:g} V"]
        return []

    def add(
        self,
        deck: Deck,
        bias: np.ndarray,
        gain: np.ndarray,
        conductance: np.ndarray,
        limits: tuple[float, float],
    ) -> None:
        """Add what the lines end in, and a difference stage for each pair."""
        del conductance
        outputs, (low, high) = len(bias), limits
        circuit = self.add_ends(deck, outputs)
        own = zip(bias.tolist(), gain.tolist(), strict=True)
        for output, (voltage, factor) in enumerate(own):
            circuit.X(
                f"difference{output}",
                "difference_amplifier",
                *self.inputs(output),
                nodes.drive(output),
                *RAILS,
                v_bias=voltage,
                gain=factor * self.difference_gain,
                low=low,
                high=high,
                pole=self.difference_pole,
                i_quiescent=self.quiescent_current,
            )

    def _section(self, deck: Deck) -> Circuit:
        return deck.section("Sense stages: one per bit line, a difference stage per pair")

    def power(self, signals: Signals, outputs: int, schedule: Schedule) -> np.ndarray:
        """Supply currents while on, and the ends of the lines."""
        enabled = schedule.rows.at(np.mod(signals.time, schedule.cycle))
        idle = 2 * self.supply * self.quiescent_current * enabled
        power = np.empty((outputs, len(enabled)))
        for output in range(outputs):
            columns = (2 * output, 2 * output + 1)
            power[output] = idle + sum(self.end_power(signals, j, idle) for j in columns)
        return power


def _decay(constant: float, time: np.ndarray) -> np.ndarray:
    return constant * np.exp(-time / constant) if constant > 0 else np.zeros_like(time)
