"""Sense stage of the user's own: a SPICE subcircuit, and a measured surface in its place.

::

    bit line -- plus  +---------+
    bit line -- minus |  stage  | drive --[shift]--> drive of the neuron
    supplies, clocks -+---------+

``shift`` is what is missing between what the stage rests at and the layer's bias voltage, counted
from the neurons' electrode.  All terminals have ammeters; what flows in there is what the stage
dissipates and stores.

Lines of more conductance than a stage bears have several of them side by side, drives joined.  They
are alike, so each carries the same share of the line's current, and a deck has one of them: a
source takes from the line what flows into the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from memspice.circuits import nodes
from memspice.circuits.blocks.sense import MeasuredStage
from memspice.circuits.blocks.sense_design import SenseNeeds
from memspice.circuits.clocks import Clock
from memspice.circuits.deck import Deck
from memspice.circuits.sense_bench import DRIVE, MINUS, PLUS, ClockedStage
from memspice.circuits.sense_surface import SenseSurface
from memspice.circuits.signals import Signals, source_power
from memspice.circuits.spice import Circuit
from memspice.circuits.surface_axes import SurfaceAxes
from memspice.circuits.timing import Pulse, Schedule
from memspice.errors import ConfigError

#: What a regulated line ends in, for the port matrix, [ohm]: as good as a short circuit.
LINE_END = 1.0
#: Least conductance that unused cells make up for, over the stage's own: wires take some off.
WIRES = 1.03
#: Begins the names of a stage's supplies and clocks in a deck.
_OWN = "sense_"
#: Names what unused cells are connected to.
_BALLAST = "ballast"


@dataclass(frozen=True, eq=False)
class SubcircuitSense:
    """Sense stages of a parameter set: a subcircuit of fixed gain.

    Parameters
    ----------
    stage : ClockedStage
    gain : float, [ohm]
        Drive per difference of line currents, about; below 0 where a lower drive writes harder.
    swing : float, [V]
        Change of the drive, either sign, that scores of a last layer may use.
    axes : SurfaceAxes
        Line currents that the stage is for, as coordinates of its surface.
    conductances : tuple of float, [S]
        Least and largest conductance of a line that it is for.
    pair : float, [1]
        Largest ratio of those of two lines.
    """

    stage: ClockedStage
    gain: float
    swing: float
    axes: SurfaceAxes
    conductances: tuple[float, float]
    pair: float

    def sized(self, needs: SenseNeeds) -> SubcircuitStage:
        """Stages, as many as the layer's lines need; its rows make up for the gain.

        Lines of less than the least conductance have unused cells that make up for it.
        """
        (least, most), (lowest, highest) = self.conductances, needs.conductances
        count = max(1, math.ceil(highest / most))
        factor = needs.transimpedance * count / abs(self.gain)
        return SubcircuitStage(self, count, factor, max(0.0, WIRES * least - lowest / count))


@dataclass(frozen=True, eq=False)
class SubcircuitStage(MeasuredStage):
    """Stages of a layer; ``surface`` is measured before any drive is asked for.

    Parameters
    ----------
    design : SubcircuitSense
    multiplicity : int
        Stages at each pair of lines.
    row_factor : float
        Of the row voltage, [1].
    ballast : float, [S]
        Conductance of cells whose rows are never driven, at each line of a stage: those of the
        layer alone are fewer than the stage needs.
    surface : SenseSurface, optional
        Of one of them.
    """

    design: SubcircuitSense
    multiplicity: int
    row_factor: float
    ballast: float = 0.0
    surface: SenseSurface | None = None

    @property
    def input_resistance(self) -> float:
        """A short circuit."""
        return LINE_END

    @property
    def line_level(self) -> float:
        """What the subcircuit holds its lines at."""
        return self.design.stage.line_level

    @property
    def warm_up(self) -> int:
        """Memory of the subcircuit."""
        return self.design.stage.warm_up

    @property
    def charging_resistance(self) -> float:
        """A short circuit: the stage has the capacitance of its lines itself."""
        return LINE_END

    @property
    def supplies(self) -> Mapping[str, float]:
        """Supplies and bias lines of the subcircuit, and the level of idle rows."""
        return {f"{_OWN}{name}": value for name, value in self._rails.items()}

    @property
    def _rails(self) -> Mapping[str, float]:
        idle = {_BALLAST: self.line_level} if self.ballast else {}
        return {**self.design.stage.supplies, **idle}

    def clocks(self, schedule: Schedule) -> Mapping[str, Clock]:
        """Clocks of the subcircuit."""
        return {f"{_OWN}{name}": clock for name, clock in self.design.stage.clocks.items()}

    @property
    def overlaps(self) -> bool:
        """A stage that sums pulses holds their sum where it was made."""
        return self.design.stage.pulses == 1

    def burst_clocks(self, schedule: Schedule) -> Mapping[str, Clock]:
        """Clocks at the begin of a burst."""
        return {f"{_OWN}{name}": clock for name, clock in self.design.stage.once.items()}

    def hold_clocks(self, schedule: Schedule) -> Mapping[str, Clock]:
        """Clocks while a drive is held."""
        return {f"{_OWN}{name}": clock for name, clock in self.design.stage.held.items()}

    def in_bursts(self, burst: int, schedule: Schedule) -> SubcircuitStage:
        """Itself, for bursts as it is made for."""
        pulses = self.design.stage.pulses
        if burst == pulses:
            return self
        raise ConfigError(
            f"burst = {burst}: the sense stage {self.design.stage.subcircuit} makes a drive of "
            f"{pulses} row pulse{'s' if pulses > 1 else ''}; use burst = {pulses}, or another stage"
        )

    def row_pulse(self, schedule: Schedule) -> Pulse:
        """While the stage takes currents."""
        return self.design.stage.row_pulse

    @property
    def row_scale(self) -> float:
        """Asked gain over the stage's."""
        return self.row_factor

    @property
    def circuit(self) -> ClockedStage:
        """The subcircuit, clocks and lines and all."""
        return self.design.stage

    @property
    def axes(self) -> SurfaceAxes:
        """Line currents of the design."""
        return self.design.axes

    @property
    def pair(self) -> float:
        """That of the design."""
        return self.design.pair

    @property
    def polarity(self) -> int:
        """Sign of the gain."""
        return 1 if self.design.gain > 0 else -1

    @property
    def conductances(self) -> tuple[float, float]:
        """Those of the design."""
        return self.design.conductances

    def with_surface(self, surface: SenseSurface) -> SubcircuitStage:
        """The same stage, measured."""
        return replace(self, surface=surface)

    def add(
        self, deck: Deck, bias: np.ndarray, gain: np.ndarray, limits: tuple[float, float]
    ) -> None:
        """Add the subcircuit and its ammeters for each output; limits are the stage's own."""
        stage = self.design.stage
        _refuse_gains(stage.subcircuit, gain)
        deck.circuit(stage.library, stage.module)
        circuit = deck.section("Sense stages: ammeters, subcircuit, shift to the neuron")
        for output, voltage in enumerate(bias.tolist()):
            lines = (f"plus{output}", f"minus{output}")
            for line, end in zip(lines, nodes.bit_lines(output), strict=True):
                circuit.V(line, line, end, 0.0)
                if self.multiplicity > 1:
                    others = 1 - self.multiplicity
                    circuit.F(f"others_{line}", end, circuit.gnd, f"V{line}", others)
            held = f"held{output}"
            self._add_one(circuit, output, {PLUS: lines[0], MINUS: lines[1], DRIVE: held})
            stage.add_around(circuit, str(output), lines, held)
            for line in lines if self.ballast else ():
                meter = _meter(output, _BALLAST)
                circuit.R(f"{_BALLAST}_{line}", line, meter, 1 / self.ballast)
            self._shift(circuit, output, held, voltage)

    def _shift(self, circuit: Circuit, output: int, held: str, voltage: float) -> None:
        """Drive of the neuron, from what is held: at rest it is ``voltage``."""
        if self.polarity < 0:
            turned = f"turned{output}"
            circuit.VCVS(turned, turned, circuit.gnd, held, circuit.gnd, -1.0)
            held = turned
        offset = voltage - self.polarity * self.rest
        circuit.V(f"shift{output}", nodes.drive(output), held, offset)

    def _add_one(self, circuit: Circuit, output: int, inner: dict[str, str]) -> None:
        for name in self._metered():
            meter = _meter(output, name)
            circuit.V(meter, f"{_OWN}{name}", meter, 0.0)
            inner[name] = meter
        stage = self.design.stage
        terminals = [inner.get(name, name) for name in stage.terminals]
        circuit.X(f"sense{output}", stage.subcircuit, *terminals, **stage.parameters)

    def _metered(self) -> Iterator[str]:
        yield from self._rails
        yield from self.design.stage.all_clocks

    def signals(self, outputs: int) -> list[str]:
        """Currents of all ammeters, voltages of lines and clocks."""
        names = []
        for clock in self.design.stage.all_clocks:
            names += [f"v({_OWN}{clock})", f"i(v{_OWN}{clock})"]
        for output in range(outputs):
            names += [f"i(v{_meter(output, name)})" for name in self._metered()]
            for line in (f"plus{output}", f"minus{output}"):
                names += [f"v({line})", f"i(v{line})"]
        return names

    def power(self, signals: Signals, outputs: int, schedule: Schedule) -> np.ndarray:
        """What flows into all stages at their terminals, with the loads of lines and drive."""
        level = {name: np.full_like(signals.time, value) for name, value in self._rails.items()}
        for clock in self.design.stage.all_clocks:
            level[clock] = signals.voltage(f"{_OWN}{clock}")
        power = np.zeros((outputs, len(signals.time)))
        for output in range(outputs):
            for name, voltage in level.items():
                power[output] += voltage * signals.current(f"v{_meter(output, name)}")
            for line in (f"plus{output}", f"minus{output}"):
                power[output] += source_power(signals, line, signals.voltage(line))
        return self.multiplicity * power

    def delivered(self, signals: Signals, outputs: int) -> np.ndarray:
        """Supplies and clocks."""
        power = super().delivered(signals, outputs)
        for clock in self.design.stage.all_clocks:
            name = f"{_OWN}{clock}"
            power = power + source_power(signals, name, signals.voltage(name))
        return self.multiplicity * power


def _refuse_gains(stage: str, gain: np.ndarray) -> None:
    """Refuse stages that differ in gain: a deck has the same subcircuit for each."""
    worst = int(np.argmax(np.abs(gain - 1)))
    if gain[worst] != 1:
        raise ConfigError(
            f"the sense stage {stage} of output {worst} has {gain[worst]:.4g} of its gain, and a "
            "deck has the same subcircuit for each output: simulate with neuron.gain_spread = 0, "
            "or run the network loop, which knows the gain of each"
        )


def _meter(output: int, name: str) -> str:
    """Ammeter of a terminal, and the node behind it."""
    return f"s{output}_{name}"
