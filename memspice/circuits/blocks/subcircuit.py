"""Sense stage of the user's own: a SPICE subcircuit, and a measured surface in its place.

::

    bit line -- plus  +---------+
    bit line -- minus |  stage  | drive --[bias]--> drive of the neuron
    supplies, clocks -+---------+

What is missing between the drive that the stage rests at and the one of the layer's bias voltage,
``bias`` adds: an ideal source.  A stage with a bias line of its own rests where the neurons have
their bias voltage, ``bias`` is an ammeter, as all terminals have one, and what single outputs need
beyond it is a source in their bias lines.

Lines of more conductance than a stage bears have several of them side by side, drives joined.  They
are alike, so each carries the same share of the line's current, and a deck has one of them: a
source takes from the line what flows into the others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from memspice.circuits import nodes
from memspice.circuits.blocks.metered import OWN, MeteredStage, meter
from memspice.circuits.blocks.neuron import Neuron
from memspice.circuits.blocks.sense_design import SenseNeeds
from memspice.circuits.clocks import Clock
from memspice.circuits.deck import Deck
from memspice.circuits.drawn_stages import AlikeStages, DrawnStages
from memspice.circuits.mismatch import StageMismatch, refuse_gains
from memspice.circuits.sense_bench import DRIVE, MINUS, PLUS, ClockedStage
from memspice.circuits.sense_surface import SenseSurface
from memspice.circuits.spice import Circuit
from memspice.circuits.surface_axes import SurfaceAxes
from memspice.circuits.timing import Pulse, Schedule
from memspice.devices.constants import THERMAL_VOLTAGE
from memspice.errors import ConfigError

#: What a regulated line ends in, for the port matrix, [ohm]: as good as a short circuit.
LINE_END = 1.0
#: Lines of so much over the least conductance may need unused cells: wires take some off.
WIRES = 1.03
#: How far a table may be off what its stage was measured to rest at, [V]; the bias line takes it.
MOST_OFF = 0.5e-3
#: Names what unused cells are connected to.
_UNUSED = "unused"


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
    rest : float, optional, [V]
        Drive at equal line currents, of a stage with a bias line for small differences from it:
        the bias voltage of every layer.  Another one would have the stage sum up from elsewhere,
        which its surface does not know (0.2 V of it: 10 mV).
    mismatch : StageMismatch, optional
        What its transistors' thresholds do to it.
    area_spread : float, [V m]
        Standard deviation of a threshold times the root of its gate's area; 0 for stages alike.
    """

    stage: ClockedStage
    gain: float
    swing: float
    axes: SurfaceAxes
    conductances: tuple[float, float]
    pair: float
    rest: float | None = None
    mismatch: StageMismatch | None = None
    area_spread: float = 0.0

    @property
    def falls(self) -> bool:
        """Whether a lower drive writes harder."""
        return self.gain < 0

    def bias_voltages(self, neuron: Neuron) -> tuple[float, float]:
        """The one that it rests at; all that neurons are driven with where it is shifted."""
        if self.rest is None or self.falls != neuron.falls:
            return neuron.rails
        written = abs(self.rest - neuron.electrode)
        return written, written

    def usual_burst(self, cycles: int) -> int:
        """What its stage is made for."""
        del cycles
        return self.stage.pulses

    def for_bursts(self, burst: int) -> SubcircuitSense:
        """Itself, for bursts as its stage is made for."""
        self.stage.check_burst(burst)
        return self

    def sized(self, needs: SenseNeeds) -> SubcircuitStage:
        """Stages, as many as the layer's lines need; its rows make up for the gain.

        Drives of a last layer rise with its scores: a stage whose drive falls has its lines
        exchanged there.
        Lines of less than the least conductance have unused cells that make up for it.
        """
        (least, most), (lowest, highest) = self.conductances, needs.conductances
        count = max(1, math.ceil(highest / most))
        factor = needs.transimpedance * count / abs(self.gain)
        filled = least if lowest / count < WIRES * least else 0.0
        exchanged = not needs.spiking and self.falls
        return SubcircuitStage(self, count, factor, filled, exchanged)


@dataclass(frozen=True, eq=False)
class SubcircuitStage(MeteredStage):
    """Stages of a layer; ``surface`` is measured before any drive is asked for.

    Parameters
    ----------
    design : SubcircuitSense
    multiplicity : int
        Stages at each pair of lines.
    row_factor : float
        Of the row voltage, [1].
    filled : float, [S]
        Conductance to which cells whose rows are never driven fill each line of a stage that has
        less; 0 where none has.
    exchanged : bool
        Whether the stage has the line of G- at its plus terminal, that of G+ at the other.
    surface : SenseSurface, optional
        Of one of them.
    wired : bool
        Whether its drive is wired to neurons: its bias line then takes what outputs differ by, in
        the place of ideal sources.
    transistors : AlikeStages
        Those of each output's stages: nominal, or with thresholds that were drawn.
    """

    design: SubcircuitSense
    multiplicity: int
    row_factor: float
    filled: float = 0.0
    exchanged: bool = False
    surface: SenseSurface | None = None
    wired: bool = False
    transistors: AlikeStages = AlikeStages()

    @property
    def falls(self) -> bool:
        """That of the design, turned round by exchanged lines."""
        return self.design.falls != self.exchanged

    @property
    def drives(self) -> bool:
        """All of its terminals have ammeters."""
        return True

    @property
    def shifted(self) -> bool:
        """Where it has no bias line for that."""
        return self.design.stage.bias is None

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
        return {f"{OWN}{name}": value for name, value in self._rails.items()}

    @property
    def _rails(self) -> Mapping[str, float]:
        idle = {_UNUSED: self.line_level} if self.filled else {}
        return {**self.circuit.supplies, **idle}

    @property
    def _bias(self) -> str:
        return (self.design.stage.bias or "") if self.wired else ""

    def clocks(self, schedule: Schedule) -> Mapping[str, Clock]:
        """Clocks of the subcircuit."""
        return {f"{OWN}{name}": clock for name, clock in self.design.stage.clocks.items()}

    @property
    def overlaps(self) -> bool:
        """A stage that sums pulses holds their sum where it was made."""
        return self.design.stage.pulses == 1

    def burst_clocks(self, schedule: Schedule) -> Mapping[str, Clock]:
        """Clocks at the begin of a burst."""
        return {f"{OWN}{name}": clock for name, clock in self.design.stage.once.items()}

    def hold_clocks(self, schedule: Schedule) -> Mapping[str, Clock]:
        """Clocks while a drive is held."""
        return {f"{OWN}{name}": clock for name, clock in self.design.stage.held.items()}

    def in_bursts(self, burst: int, schedule: Schedule) -> SubcircuitStage:
        """Itself, for bursts as it is made for."""
        self.design.stage.check_burst(burst)
        return self

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

    def source_resistance(self, level: np.ndarray) -> np.ndarray:
        """That of the table, for all stages side by side, and less where a drive ends at ground.

        What sinks the current there conducts as a transistor below its threshold does, as
        ``1 - exp(-level / (k T / q))``: within 10 % of ``sense_burst`` from 1 mV to 0.28 V.
        """
        whole = self.circuit.output / self.multiplicity
        return np.asarray(whole * -np.expm1(-np.maximum(level, 0) / THERMAL_VOLTAGE))

    @property
    def conductances(self) -> tuple[float, float]:
        """Those of the design."""
        return self.design.conductances

    def drawn(self, outputs: int, rng: np.random.Generator) -> Self:
        """By the spread and the table of the design; stages without a table are refused later."""
        mismatch, spread = self.design.mismatch, self.design.area_spread
        if mismatch is None or spread == 0:
            return self
        transistors = DrawnStages.drawn(mismatch, spread, (outputs, self.multiplicity), rng)
        return replace(self, transistors=transistors)

    def part(self, outputs: slice) -> Self:
        """With the transistors of these."""
        return replace(self, transistors=self.transistors.part(outputs))

    @property
    def residual(self) -> float:
        """That of its transistors."""
        return self.transistors.residual

    @property
    def energy_residual(self) -> float:
        """Likewise."""
        return self.transistors.energy_residual

    def with_surface(self, surface: SenseSurface) -> SubcircuitStage:
        """The same stage, measured.

        Raises
        ------
        ConfigError
            If its transistors differ, and it is not known what that does.
        """
        if self.design.area_spread and self.design.mismatch is None:
            raise ConfigError(
                f"mismatch.area_spread = {self.design.area_spread:g} V m: what thresholds do to "
                f"the sense stage {self.circuit.subcircuit} was not measured; use a stage that has "
                "a table of it, as that of bursts (cycles = 8, 16 ...), or 0, and say "
                "neuron.threshold_spread and neuron.gain_spread"
            )
        return replace(self, surface=surface)

    @property
    def span(self) -> tuple[float, float]:
        """Ends of the circuit's drives, from where it rests, [V]."""
        ends = self.polarity * (np.array(self._drives) - self.rest)
        return float(ends.min()), float(ends.max())

    def joined(self, level: float) -> SubcircuitStage:
        """The same stage, wired, which rests where its table says; any level without bias line."""
        if self.design.stage.bias is None:
            return self
        if abs(level - self.rest) > MOST_OFF:
            raise ConfigError(
                f"the sense stage {self.circuit.subcircuit} was measured to rest at "
                f"{self.rest:.5g} V, and its neurons are to rest at {level:.5g} V: say "
                f"sense.rest = {self.rest:.4g}, for such conductances and write pulses"
            )
        return replace(self, wired=True)

    def add(
        self,
        deck: Deck,
        bias: np.ndarray,
        gain: np.ndarray,
        conductance: np.ndarray,
        limits: tuple[float, float],
    ) -> None:
        """Add the subcircuit and its ammeters for each output; limits are the stage's own."""
        stage = self.design.stage
        refuse_gains(stage.subcircuit, gain)
        deck.circuit(self.transistors.library(stage.library), stage.module)
        deck.temperature = stage.temperature
        how = f"bias of the drive by {self._bias}" if self._bias else "ideal shift of the drive"
        circuit = deck.section(f"Sense stages: ammeters, subcircuit, {how}")
        shifts, unused = bias - self.rest, self.of_terminals(self.unused(conductance))
        for output, shift in enumerate(shifts.tolist()):
            lines = (f"plus{output}", f"minus{output}")
            ends = nodes.bit_lines(output)
            for line, end in zip(lines, ends[::-1] if self.exchanged else ends, strict=True):
                circuit.V(line, line, end, 0.0)
                if self.multiplicity > 1:
                    others = 1 - self.multiplicity
                    circuit.F(f"others_{line}", end, circuit.gnd, f"V{line}", others)
            held = f"held{output}"
            inner = {PLUS: lines[0], MINUS: lines[1], DRIVE: held}
            self._add_one(circuit, output, inner, shift)
            self._add_drive(circuit, output, held, 0.0 if self._bias else shift)
            stage.add_capacitances(circuit, str(output), lines)
            for line, cells in zip(lines, unused[output].tolist(), strict=True):
                if cells > 0:
                    circuit.R(f"{_UNUSED}_{line}", line, meter(output, _UNUSED), 1 / cells)

    def add_loads(self, deck: Deck, outputs: int) -> None:
        """Load of the bench at each drive."""
        circuit = deck.section("Loads that stand for neurons")
        for output in range(outputs):
            self.design.stage.add_load(circuit, str(output), f"held{output}")

    def _add_drive(self, circuit: Circuit, output: int, held: str, shift: float) -> None:
        """From what is held to the neuron; the stages beside this one take their share there."""
        drive = nodes.drive(output)
        circuit.V(f"shift{output}", drive, held, shift)
        if self.multiplicity > 1:
            others = self.multiplicity - 1
            circuit.F(f"others{output}", drive, circuit.gnd, f"Vshift{output}", others)

    def _add_one(self, circuit: Circuit, output: int, inner: dict[str, str], shift: float) -> None:
        for name in self._metered():
            inner[name] = meter(output, name)
            more = shift if name == self._bias else 0.0
            circuit.V(inner[name], f"{OWN}{name}", inner[name], -more)
        stage = self.design.stage
        terminals = [inner.get(name, name) for name in stage.terminals]
        own = {**stage.parameters, **self.transistors.parameters(output)}
        circuit.X(f"sense{output}", stage.subcircuit, *terminals, **own)
