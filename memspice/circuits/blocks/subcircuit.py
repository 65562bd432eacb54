"""Sense stage of the user's own: a SPICE subcircuit, and a measured surface in its place.

::

    bit line -- plus  +---------+
    bit line -- minus |  stage  | drive --[bias]--> drive of the neuron
    supplies, clocks -+---------+

What is missing between the drive that the stage rests at and the one of the layer's bias voltage,
one of its own bias lines adds, of which a layer has one level.  For a stage without such a line
``bias`` is an ideal source; else it is an ammeter, as all terminals have one.

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
from memspice.errors import ConfigError

#: What a regulated line ends in, for the port matrix, [ohm]: as good as a short circuit.
LINE_END = 1.0
#: Least conductance that unused cells make up for, over the stage's own: wires take some off.
WIRES = 1.03
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
    mismatch: StageMismatch | None = None
    area_spread: float = 0.0

    def for_bursts(self, burst: int) -> SubcircuitSense:
        """Itself, for bursts as its stage is made for."""
        self.stage.check_burst(burst)
        return self

    def sized(self, needs: SenseNeeds) -> SubcircuitStage:
        """Stages, as many as the layer's lines need; its rows make up for the gain.

        Lines of less than the least conductance have unused cells that make up for it: all lines
        have as many, so that those of most cells have the more stages.
        """
        (least, most), (lowest, highest) = self.conductances, needs.conductances
        filled = WIRES * least
        count = max(1, math.ceil(highest / most), math.ceil((highest - lowest) / (most - filled)))
        factor = needs.transimpedance * count / abs(self.gain)
        return SubcircuitStage(self, count, factor, max(0.0, filled - lowest / count))


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
    ballast : float, [S]
        Conductance of cells whose rows are never driven, at each line of a stage: those of the
        layer alone are fewer than the stage needs.
    surface : SenseSurface, optional
        Of one of them.
    moved : float, optional, [V]
        By how much the bias line, and the drive with it, is above what the design has; without it
        an ideal source shifts the drive.
    transistors : AlikeStages
        Those of each output's stages: nominal, or with thresholds that were drawn.
    """

    design: SubcircuitSense
    multiplicity: int
    row_factor: float
    ballast: float = 0.0
    surface: SenseSurface | None = None
    moved: float | None = None
    transistors: AlikeStages = AlikeStages()

    @property
    def falls(self) -> bool:
        """By the sign of the gain."""
        return self.design.gain < 0

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
        idle = {_BALLAST: self.line_level} if self.ballast else {}
        return {**self.circuit.supplies, **idle}

    @property
    def _bias(self) -> str:
        return "" if self.moved is None else self.design.stage.bias or ""

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
        return self.design.stage.moved(self.moved or 0.0)

    @property
    def axes(self) -> SurfaceAxes:
        """Line currents of the design."""
        return self.design.axes

    @property
    def pair(self) -> float:
        """That of the design."""
        return self.design.pair

    @property
    def source_resistance(self) -> float:
        """That of the table, for all stages side by side."""
        return self.circuit.output / self.multiplicity

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
                "a table of it, or 0, and say neuron.threshold_spread and neuron.gain_spread"
            )
        return replace(self, surface=surface)

    @property
    def span(self) -> tuple[float, float]:
        """Ends of the circuit's drives, from where it rests with its bias line moved, [V]."""
        ends = self.polarity * (np.array(self._drives) - self.rest)
        return float(ends.min()), float(ends.max())

    def resting_at(self, level: float) -> SubcircuitStage:
        """The same stage with its bias line moved, where it has one."""
        if self.design.stage.bias is None:
            return self
        low, high = self._drives
        if not low < level < high:
            raise ConfigError(
                f"the sense stage {self.circuit.subcircuit} would rest at a drive of {level:.3g} V "
                f"for the bias voltage of this layer, and makes drives of {low:.3g} to "
                f"{high:.3g} V: change periphery.electrode_voltage, or put more of the bias on rows"
            )
        moved = (self.moved or 0.0) + level - self.rest
        self.design.stage.moved(moved)  # which refuses levels that are not there
        return replace(self, moved=moved, surface=self._measured.resting_at(level))

    def add(
        self, deck: Deck, bias: np.ndarray, gain: np.ndarray, limits: tuple[float, float]
    ) -> None:
        """Add the subcircuit and its ammeters for each output; limits are the stage's own."""
        stage = self.design.stage
        refuse_gains(stage.subcircuit, gain)
        deck.circuit(self.transistors.library(stage.library), stage.module)
        how = f"bias of the drive by {self._bias}" if self._bias else "ideal shift of the drive"
        circuit = deck.section(f"Sense stages: ammeters, subcircuit, {how}")
        shifts = bias - self.rest
        for output, shift in enumerate(shifts.tolist()):
            lines = (f"plus{output}", f"minus{output}")
            for line, end in zip(lines, nodes.bit_lines(output), strict=True):
                circuit.V(line, line, end, 0.0)
                if self.multiplicity > 1:
                    others = 1 - self.multiplicity
                    circuit.F(f"others_{line}", end, circuit.gnd, f"V{line}", others)
            held = f"held{output}"
            inner = {PLUS: lines[0], MINUS: lines[1], DRIVE: held}
            self._add_one(circuit, output, inner, shift)
            self._add_drive(circuit, output, held, 0.0 if self._bias else shift)
            stage.add_capacitances(circuit, str(output), lines)
            for line in lines if self.ballast else ():
                circuit.R(f"{_BALLAST}_{line}", line, meter(output, _BALLAST), 1 / self.ballast)

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
