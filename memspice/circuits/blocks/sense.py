"""The sense stage: a pair of bit lines in, a write voltage out.

A layer has that which the design of a parameter set gives: `memspice.circuits.blocks.sense_design`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from memspice.circuits.blocks.sense_circuit import SenseCircuit
from memspice.circuits.bursts import burst_means
from memspice.circuits.drawn_stages import AlikeStages
from memspice.circuits.sense_bench import ClockedStage
from memspice.circuits.sense_surface import SenseSurface
from memspice.circuits.silicon import Silicon, package_silicon, silicon
from memspice.circuits.surface_axes import SurfaceAxes
from memspice.circuits.timing import Pulse, Schedule
from memspice.errors import ConfigError


class SenseStage(SenseCircuit):
    """A sense stage of a layer, which gives one drive a row pulse.

    Currents flow from the bit lines into the stage, and arrays of them are (..., columns) with G+
    and G- of output 0, G+ and G- of output 1 and so on.

    A stage is a frozen value that `memspice.jobs.content_hash` understands: a dataclass or a
    parameter class.
    """

    #: By component of the energy, the values of a parameter set (``table.name``) that stand in the
    #: place of a circuit of the block: where one of them is assumed, so are the joules.
    circuit_constants: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    # --- at its terminals

    @property
    @abstractmethod
    def input_resistance(self) -> float:
        """Resistance from a bit line's end to :attr:`line_level`, settled, [ohm]."""

    @property
    def line_level(self) -> float:
        """What bit lines are held at, and rows rest at, [V]."""
        return 0.0

    def row_pulse(self, schedule: Schedule) -> Pulse:
        """When rows are driven; by default through the whole write phase."""
        return schedule.rows

    @property
    def row_scale(self) -> float:
        """Factor of the row voltage with which a stage of fixed gain gives the asked drive, [1].

        Where the gain is the layer's to choose, 1.
        """
        return 1.0

    def in_bursts(self, burst: int, schedule: Schedule) -> SenseCircuit:
        """Stages that integrate the row pulses of a burst into one drive, and hold it.

        Parameters
        ----------
        burst : int
            Cycles of a burst; of one cycle, without a leaky average, it is the stage itself.
        schedule : Schedule
            Pulses of a cycle.

        Raises
        ------
        ConfigError
            If this kind of stage cannot.
        """
        if burst == 1:
            return self
        raise ConfigError(
            f"burst = {burst} needs a sense stage that integrates {burst} row pulses and holds "
            f"the drive, and {type(self).__name__} takes them in one by one: use burst = 1, or a "
            "transimpedance or resistive sense stage"
        )

    @property
    def share(self) -> float:
        """Share of a held drive that the newest row pulse makes, [1]; 1 of drives of one pulse.

        Below 1 the drive is a leaky average; see `memspice.circuits.bursts`.
        """
        return 1.0

    def held_loss(self, time: float) -> float:
        """Share of the drive of a burst that is gone after a time [s], bias left out, [1]."""
        del time
        return 0.0

    @property
    def warm_up(self) -> int:
        """Cycles after switching on that do not count: the memory of the stage."""
        return 0

    def beyond(self, current: np.ndarray, conductance: np.ndarray) -> np.ndarray:
        """Whether transistors that differ bring a stage to where its drive is not known.

        Arguments as of `drive`; ndarray of bool, shape (..., columns / 2).
        """
        del conductance
        return np.zeros((*current.shape[:-1], current.shape[-1] // 2), bool)

    # --- closed form, or a surface in its place

    @property
    @abstractmethod
    def transimpedance(self) -> float | None:
        """Drive voltage per difference of bit-line currents [ohm]; None if that is no constant.

        Where it is one, a drive is ``bias + transimpedance * (i_plus - i_minus)``.
        """

    @abstractmethod
    def drive(self, current: np.ndarray, conductance: np.ndarray) -> np.ndarray:
        """Settled write voltage without bias and limits.

        Parameters
        ----------
        current : ndarray, shape (..., columns), [A]
        conductance : ndarray, shape (columns,), [S]
            Of the bit lines.

        Returns
        -------
        ndarray, shape (..., columns / 2), [V]
        """

    @abstractmethod
    def energy(
        self, current: np.ndarray, conductance: np.ndarray, schedule: Schedule, *, held: bool
    ) -> np.ndarray:
        """Energy that the stages of all columns dissipate in a cycle.

        Parameters
        ----------
        current : ndarray, shape (cycles, columns), [A]
            Settled, while the rows are driven.
        conductance : ndarray, shape (columns,), [S]
            Of the bit lines.
        schedule : Schedule
            Pulses of a cycle.
        held : bool
            Whether the drive of a burst is held, through the write phases of its cycles.

        Returns
        -------
        ndarray, shape (cycles,), [J]
        """

    @abstractmethod
    def idle_energy(self, outputs: int, schedule: Schedule, *, held: bool) -> float:
        """Part of :meth:`energy` that is there without any current, [J]."""

    def unsettled(self, line_conductance: float, time: np.ndarray) -> np.ndarray:
        """Share of a step of the drive that is still missing at some times after it, [1].

        By default nothing: as where a drive is measured over the whole write pulse.

        Parameters
        ----------
        line_conductance : float, [S]
            Of the cells on a bit line.
        time : ndarray, shape (points,), [s]
            After the step of the current.
        """
        del line_conductance
        return np.zeros_like(time)

    def source_resistance(self, level: np.ndarray) -> np.ndarray:
        """Resistance of drives [V], any shape, for the current of a neuron, [ohm]; by default 0."""
        return np.zeros_like(level)

    @property
    def fine(self) -> bool:
        """Whether charges of 0.01 fC count, so that a deck is solved as its bench is."""
        return False

    def relief(self, current: np.ndarray, conductance: np.ndarray) -> np.ndarray:
        """Joules a cycle that cells do not dissipate because lines leave their level.

        By default none: lines stay there while rows are driven.  Arguments as of :meth:`energy`.
        """
        del conductance
        return np.zeros(len(current))

    def silicon(self, burst: int, tiles: int) -> Silicon:
        """Transistors and capacitors of the stage of one output.

        A model of an amplifier has none: those that do its work are counted, a stage a tile.

        Parameters
        ----------
        burst : int
            Cycles of a burst.
        tiles : int
            Whose bit lines meet at the stage.
        """
        name = "sense_burst_driven" if burst > 1 else "sense_copier_driven"
        return package_silicon(name) * tiles

    @property
    def unmeasured(self) -> MeasuredStage | None:
        """Itself, where a surface must be measured before a drive is asked for; else None."""
        return None

    @property
    @abstractmethod
    def charging_resistance(self) -> float:
        """Resistance that, with a bit line's capacitance, gives the slowest decay there, [ohm]."""

    def doubts(self, current: np.ndarray) -> list[str]:
        """Why the closed form would be wrong at some settled currents (cycles, columns) [A]."""
        del current
        return []


class MeasuredStage(SenseStage):
    """A sense stage without a closed form, for which a surface measured in SPICE stands."""

    #: None until it is measured.
    surface: SenseSurface | None
    #: Stages side by side at each pair of lines; the surface is that of one of them.
    multiplicity: int
    #: What unused cells make of the conductance of a line of one of them that has less, [S].
    filled: float
    #: Those of the stages of all outputs.
    transistors: AlikeStages
    #: Whether the plus terminal has the line of G-, and the minus terminal that of G+.
    exchanged: bool

    @property
    @abstractmethod
    def circuit(self) -> ClockedStage:
        """Stage on its bench."""

    @property
    @abstractmethod
    def axes(self) -> SurfaceAxes:
        """Line currents that the stage is for, as coordinates of its surface."""

    @property
    @abstractmethod
    def conductances(self) -> tuple[float, float]:
        """Least and largest conductance of a line of one stage, [S]."""

    @property
    @abstractmethod
    def pair(self) -> float:
        """Largest ratio of the conductances of two lines, [1]."""

    @property
    def polarity(self) -> int:
        """-1 where a lower drive of the circuit stands for a higher write voltage, else 1."""
        return -1 if self.falls else 1

    @property
    def slope(self) -> int:
        """-1 where the circuit's drive falls as its own plus terminal carries more, else 1."""
        return -self.polarity if self.exchanged else self.polarity

    @abstractmethod
    def with_surface(self, surface: SenseSurface) -> MeasuredStage:
        """The same stage, measured."""

    @abstractmethod
    def joined(self, level: float) -> MeasuredStage:
        """The same stage, measured, wired to neurons for which it must rest at a drive [V].

        Raises
        ------
        ConfigError
            If it does not.
        """

    # --- in the place of a closed form

    @property
    def unmeasured(self) -> MeasuredStage | None:
        """Itself, while there is no surface."""
        return None if self.surface else self

    @property
    def _measured(self) -> SenseSurface:
        if self.surface is None:
            raise ConfigError(
                f"the sense stage {self.circuit.subcircuit} has no surface yet: measure it with "
                "memspice.analysis.sense_surface"
            )
        return self.surface

    def silicon(self, burst: int, tiles: int) -> Silicon:
        """Those of its subcircuit, as many as there are; a stage without SPICE text is a model."""
        own = self.circuit
        if own.library is None:
            return super().silicon(burst, tiles)
        return silicon(own.library, own.subcircuit, own.parameters) * self.multiplicity

    @property
    def rest(self) -> float:
        """Drive at equal currents and conductances in the middle of what was measured, [V].

        What the layer's bias stands for: all drives count from there.
        """
        return self._measured.rest

    @property
    @abstractmethod
    def span(self) -> tuple[float, float]:
        """Least and largest write voltage that was measured, from what the stage rests at, [V].

        Where the drive of a circuit ends by itself: nothing else limits it.
        """

    @property
    def _drives(self) -> tuple[float, float]:
        """Least and largest drive that was measured, [V]."""
        drives = self._measured.sheet.values[..., 0]
        return float(drives.min()), float(drives.max())

    @property
    def fine(self) -> bool:
        """True: some fF hold the drive, as on its bench."""
        return True

    @property
    def transimpedance(self) -> None:
        """None: the surface is not a plane."""
        return None

    def drive(self, current: np.ndarray, conductance: np.ndarray) -> np.ndarray:
        """Surface, as far as it is from what the stage rests at: of a burst at its mean current."""
        found = self._measured.drive_voltage(*self._of_one(current, conductance))
        return np.asarray(self.polarity * (found - self.rest))

    def energy(
        self, current: np.ndarray, conductance: np.ndarray, schedule: Schedule, *, held: bool
    ) -> np.ndarray:
        """Surface of joules at the mean current of a burst, and unused cells', even over it."""
        place = self._of_one(burst_means(current, self.circuit.pulses), conductance)
        return self._in_cycles(self._measured.joules(*place), place, conductance)

    def relief(self, current: np.ndarray, conductance: np.ndarray) -> np.ndarray:
        """Surface of what the layer's own cells do not dissipate, and what drawn stages add."""
        pulses = self.circuit.pulses
        place = self._lines_of_one(burst_means(current, pulses), conductance)
        own = self.of_terminals(conductance) / self.multiplicity
        joules = self._measured.relieved(*place) + pulses * self.transistors.relief(place[0], own)
        return self._in_cycles(joules, place, conductance)

    def idle_energy(self, outputs: int, schedule: Schedule, *, held: bool) -> float:
        """Joules at the least current."""
        surface = self._measured
        least, lines = np.full(2, surface.axes.limits[0]), np.full(2, surface.conductance)
        each = self.multiplicity * float(surface.joules(least, lines))
        return outputs * each / self.circuit.pulses

    def _in_cycles(
        self, joules: np.ndarray, place: tuple[np.ndarray, np.ndarray], conductance: np.ndarray
    ) -> np.ndarray:
        """Joules of all outputs, (cycles,), from those of a stage, with those of unused cells."""
        pulses, excursion = self.circuit.pulses, self._measured.excursion(*place)
        unused = self.of_terminals(self.unused(conductance)).mean(axis=-1)  # pairs move alike
        whole = (joules + unused * excursion).sum(axis=-1)
        return np.asarray(self.multiplicity * whole / pulses).repeat(pulses)

    def _of_one(
        self, current: np.ndarray, conductance: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Currents on which one of the stages acts, and conductances of its pair of lines."""
        lines = self._lines_of_one(current, conductance)
        return self.transistors.acting(*lines, self.axes.limits), lines[1]

    def beyond(self, current: np.ndarray, conductance: np.ndarray) -> np.ndarray:
        """Where a current on which a stage acts is outside of what was measured."""
        lines = self._lines_of_one(current, conductance)
        return self.transistors.beyond(*lines, self.axes.limits)

    def _lines_of_one(
        self, current: np.ndarray, conductance: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        own = conductance / self.multiplicity + self.unused(conductance)
        return self.of_terminals(current) / self.multiplicity, self.of_terminals(own)

    def unused(self, conductance: np.ndarray) -> np.ndarray:
        """Unused cells at each line of one stage, (columns,), [S], for lines (columns,) [S]."""
        return np.maximum(self.filled - conductance / self.multiplicity, 0.0)

    def of_terminals(self, columns: np.ndarray) -> np.ndarray:
        """Values of bit lines (..., columns) as those of plus and minus, (..., outputs, 2)."""
        pairs = columns.reshape(*columns.shape[:-1], -1, 2)
        return pairs[..., ::-1] if self.exchanged else pairs
