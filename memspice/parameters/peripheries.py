"""Peripheries: what stands around the array in the place of a parameter set's own tables.

``behavioural`` is the set itself.  ``freepdk45`` has sense stages, row drivers, and switches and
latches of memristor neurons in 45 nm transistors, in ``models/freepdk45/``; devices stay the set's.
"""

from __future__ import annotations

import tomllib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from memspice.circuits.blocks import SENSE_STAGES
from memspice.circuits.blocks.filament_neuron import FilamentNeuron
from memspice.circuits.blocks.level_driver import LevelDriver
from memspice.circuits.blocks.neuron import Neuron
from memspice.circuits.blocks.sense import SenseStage
from memspice.circuits.blocks.sense_design import SenseDesign, SenseNeeds
from memspice.circuits.blocks.subcircuit import SubcircuitSense
from memspice.circuits.mismatch import Mismatch
from memspice.circuits.own_circuit import FILES
from memspice.circuits.parameters import ArrayParameters
from memspice.circuits.stage_table import read_sense
from memspice.circuits.timing import Timing
from memspice.errors import ConfigError, DataError
from memspice.parameters.file import SetFile
from memspice.quantities import Parameters
from memspice.resources import resource_path

#: The set itself.
BEHAVIOURAL = "behavioural"


class Periphery(ABC):
    """Sense stages, row drivers and the time that they need."""

    #: File in ``models/`` of the digital neuron of the same transistors, and of its additions.
    digital: ClassVar[str] = "cmos45_neuron"
    #: What ``--flaws`` changes of a set besides, and in the place of, `memspice.network.flaws`.
    flaws: ClassVar[Mapping[str, float | str]] = {}

    def prepare(self, own: SetFile) -> None:
        """Put the tables of this periphery's neurons in the place of those of a set."""
        del own

    @abstractmethod
    def sense(self, own: SetFile) -> SenseDesign:
        """Sense stages, for a set whose file is ``own``."""

    def array(self, array: ArrayParameters, own: SetFile) -> ArrayParameters:
        """Array with this periphery's row drivers, for a set whose file is ``own``."""
        del own
        return array

    def timing(self, timing: Timing) -> Timing:
        """Phases of a cycle that this periphery needs.

        Raises
        ------
        ConfigError
            If it cannot serve a cycle like that.
        """
        return timing

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader must know of it."""
        return ()


class Behavioural(Periphery):
    """Periphery of the set's tables: models of amplifiers, or a subcircuit of the user's own."""

    def sense(self, own: SetFile) -> SenseDesign:
        """Subcircuit of the user's own, or one of memspice's kinds."""
        if any(own.word("sense", entry, "") for entry in FILES):
            entries = own.plain("sense", "given by the parameter set")
            return read_sense(entries, own.path, _area_spread(own))
        word = own.word("sense", "kind", "transimpedance")
        if word not in SENSE_STAGES:
            kinds = ", ".join(SENSE_STAGES)
            raise DataError(f"{own.where('sense')}: kind = {word!r} must be one of {kinds}")
        return own.table("sense", SENSE_STAGES[word])


def _area_spread(own: SetFile) -> float:
    """By how much transistors of sense stages differ, [V m], if a set says so."""
    return own.table("mismatch", Mismatch).area_spread if own.has("mismatch") else 0.0


#: The set itself: also what another periphery leaves to it.
TABLES = Behavioural()


@dataclass(frozen=True, eq=False)
class BurstSense:
    """Stages without bursts, and ``more`` for bursts of several lengths."""

    single: SubcircuitSense
    more: tuple[SubcircuitSense, ...]

    @property
    def swing(self) -> float:
        """That of the stages without bursts, [V]."""
        return self.single.swing

    def bias_voltages(self, neuron: Neuron) -> tuple[float, float]:
        """Those of the stages without bursts."""
        return self.single.bias_voltages(neuron)

    def usual_burst(self, cycles: int) -> int:
        """The longest that the cycles are whole bursts of: its stages bear any line."""
        known = (stage.stage.pulses for stage in (self.single, *self.more))
        return max(burst for burst in known if cycles % burst == 0)

    def for_bursts(self, burst: int) -> SenseDesign:
        """Stages that make a drive of so many row pulses."""
        if burst == self.single.stage.pulses:
            return self
        for other in self.more:
            if burst == other.stage.pulses:
                return other
        served = sorted(stage.stage.pulses for stage in (self.single, *self.more))
        raise ConfigError(
            f"burst = {burst}: the sense stages make a drive of "
            f"{' or '.join(map(str, served))} row pulses; use burst = {served[-1]}, or another "
            "periphery"
        )

    def sized(self, needs: SenseNeeds) -> SenseStage:
        """One of those without bursts."""
        return self.single.sized(needs)


class FreePdk45(Periphery):
    """45 nm transistors at 1 V; see ``docs/periphery.md``."""

    digital = "cmos45_freepdk45"
    #: Tables of the sense stages: of one row pulse, and of bursts.
    stages: ClassVar[tuple[str, ...]] = ("sense_copier.toml", "sense_burst.toml")
    #: Offsets and gains follow from thresholds: 2 mV um, recalled for such a node.
    flaws: ClassVar[Mapping[str, float | str]] = {
        "mismatch.area_spread": 2e-9,
        "neuron.threshold_spread": 0.0,
    }
    #: Longest write pulse through which a held drive is taken to stay, [s].
    longest_write = 1e-6

    def prepare(self, own: SetFile) -> None:
        """Switches, electrode and latch of a memristor; other devices keep what the set has.

        No table of a set has sense stages, and scores have room by the table of this periphery.
        """
        own.drop_table("sense")
        own.replace_tables(resource_path("freepdk45", "answer.toml"))
        circuit = any(own.word("neuron", entry, "") for entry in FILES)
        if not circuit and own.about("device") == FilamentNeuron.kind:
            own.replace_tables(resource_path("freepdk45", "neuron.toml"))

    def sense(self, own: SetFile) -> SenseDesign:
        """Stages with a current copier, and those that sum the row pulses of a burst."""
        tables = self._tables()
        spread = _area_spread(own)
        single, *bursts = (read_sense(table, path, spread) for path, table in tables)
        return BurstSense(single, tuple(bursts))

    def array(self, array: ArrayParameters, own: SetFile) -> ArrayParameters:
        """Row drivers of five levels with the measured resistance, whose gates cost joules.

        No converter makes the levels of rows.  A set that names the kind of its row drivers has
        those.
        """
        if own.word("row_driver", "kind", ""):
            return array
        switch = self._numbers("row_switch")
        return array.model_copy(update={**switch, "row_driver": LevelDriver()})

    def timing(self, timing: Timing) -> Timing:
        """Write pulses begin when the stages hold their drive."""
        if timing.write > self.longest_write:
            raise ConfigError(
                f"timing.write = {timing.write:g} s: the sense stages of freepdk45 hold their "
                f"drive for {self.longest_write:g} s at most; use a set with shorter pulses"
            )
        held = max(table["rows"][1] for _, table in self._tables())
        return timing.model_copy(update={"settle": max(timing.settle, held)})

    def _numbers(self, table: str) -> dict[str, float]:
        """Values of a table of sizes."""
        file = SetFile(resource_path("freepdk45", "periphery.toml"))
        return {name: float(value) for name, value in file.values(table, Parameters).items()}

    def _tables(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        for name in self.stages:
            path = resource_path("freepdk45", name)
            yield path, tomllib.loads(path.read_text(encoding="utf-8"))["sense"]

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is not of transistors yet."""
        return (
            "periphery freepdk45: circuits of 45 nm transistors, of memristor neurons too; "
            "electrode and bias lines are ideal sources",
        )


#: By the word of ``--periphery``.
PERIPHERIES: Mapping[str, Periphery] = {
    BEHAVIOURAL: TABLES,
    "freepdk45": FreePdk45(),
}
