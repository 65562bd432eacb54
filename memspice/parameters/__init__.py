"""Parameter sets: the only reader of ``models/*.toml``.

A set file has one table per parameter class; every entry is
``{ value, unit, label, source }`` with the unit that the class declares and one of the labels
``M`` (measured: fitted to a file of points), ``S`` (read at the source), ``R`` (literature,
unverified), ``D`` (derived), ``A`` (assumed).

Array and synapse are common to all sets, in ``crossbar.toml``; a set may replace entries of them
(age and temperature of the cells, say).  Its cells are ohmic and alone unless it has one of the
tables of ``cells.toml``: ``[sinh_cell]`` or ``[cubic_cell]``, ``[access_transistor]`` or
``[selector]``, and ``[cell]`` with the gate voltage.  A run can change any of these values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic

from memspice.circuits.answers import ANSWERS, AnswerStage
from memspice.circuits.blocks import LATCHES, NEURONS, ROW_DRIVERS, SYNAPSES
from memspice.circuits.blocks.latch import Latch
from memspice.circuits.blocks.neuron import Neuron
from memspice.circuits.blocks.sense_design import SenseDesign
from memspice.circuits.blocks.synapse import SynapseCell
from memspice.circuits.cell_table import read_cell
from memspice.circuits.neuron_table import read_neuron
from memspice.circuits.own_circuit import FILES
from memspice.circuits.parameters import ArrayParameters
from memspice.circuits.timing import Timing
from memspice.devices.synapse import Synapse
from memspice.devices.synapse_iv import CubicCell, SinhCell
from memspice.errors import ConfigError, DataError
from memspice.parameters.file import CHANGED, FITTED, SetFile, SourcedValue
from memspice.parameters.peripheries import BEHAVIOURAL, PERIPHERIES, Periphery
from memspice.quantities import Parameters, ParametersT, validate
from memspice.resources import resource_path

PARAMETER_SETS = ("ag-asi", "fast-memristor", "sot-mtj", "sot-mtj-measured")
_CURVES: dict[str, type[Parameters]] = {"sinh_cell": SinhCell, "cubic_cell": CubicCell}


@dataclass(frozen=True)
class ParameterSet:
    """Everything physical that a simulation depends on, with where it comes from."""

    name: str
    summary: str
    neuron: Neuron
    latch: Latch
    timing: Timing
    sense: SenseDesign
    array: ArrayParameters
    synapse: Synapse
    answer: AnswerStage
    provenance: tuple[SourcedValue, ...]
    doubts: tuple[str, ...] = ()
    periphery: str = BEHAVIOURAL

    @property
    def changes(self) -> dict[str, float | str]:
        """Values that a run has changed, by ``"table.name"``, in SI units."""
        found = (entry for entry in self.provenance if entry.source == CHANGED)
        return {f"{entry.table}.{entry.name}": entry.value for entry in found}

    @property
    def device_source(self) -> str:
        """Where the neuron device comes from: ``measured``, ``literature`` or ``what-if``.

        The weakest label of its law and resistances decides: one assumed value makes the device
        one that nobody built; one from the literature, one that nobody here has seen.
        """
        named = {f"{entry.table}.{entry.name}": entry.label for entry in self.provenance}
        labels = {named[name] for name in self.neuron.constants & named.keys()}
        if "A" in labels:
            return "what-if"
        return "literature" if "R" in labels else "measured"

    @property
    def at_rest(self) -> str:
        """What an unswitched device does at 0 V, in words."""
        return self.neuron.at_rest

    @property
    def notes(self) -> list[str]:
        """What a reader must know besides the name: doubts, and values that are changed."""
        changed = ", ".join(f"{name} = {value}" for name, value in self.changes.items())
        return [*self.doubts, *([f"changed: {changed}"] if changed else [])]


@dataclass(frozen=True)
class SourcedParameters(Generic[ParametersT]):
    """Parameters of one table with where they come from."""

    values: ParametersT
    provenance: tuple[SourcedValue, ...]


def load_parameter_set(
    name: str,
    changes: Mapping[str, float | str] | None = None,
    crossbar: Mapping[str, float | str] | None = None,
    periphery: str = BEHAVIOURAL,
) -> ParameterSet:
    """Load a parameter set by name, with the common crossbar.

    Parameters
    ----------
    name : str
        One of ``PARAMETER_SETS``, or the path of a ``.toml`` file of the same form.
    changes : mapping, optional
        Values in the place of the files', by ``"table.name"`` (``"synapse.variation"``), in the SI
        unit that the quantity declares; checked like those of a file, and labelled ``A`` in the
        provenance.  A cell gets a curve or an access device by values of its table.
    crossbar : mapping, optional
        Likewise, in the place of ``crossbar.toml``'s values alone: what the set has of its own, and
        ``changes``, come before these.
    periphery : str
        What stands around the array: one of `memspice.parameters.peripheries.PERIPHERIES`; by
        default what the set's own tables say, whatever it names for itself (`usual_periphery`).

    Raises
    ------
    ConfigError
        If the name is unknown, a value is out of range, or a change is of a value that is not
        there; the message lists those that are.
    DataError
        If a file is not TOML, has a table that nothing reads, or an entry lacks its value, unit,
        label or source.
    """
    around = _periphery(periphery)
    own = SetFile(_set_path(name), changes)
    common = SetFile(resource_path("crossbar.toml"), crossbar)
    around.prepare(own)
    parameter_set = ParameterSet(
        name=own.about("name"),
        summary=own.about("summary"),
        neuron=_neuron(own),
        latch=own.table("latch", _kind(own, "latch", LATCHES, "comparator")),
        timing=around.timing(own.table("timing", Timing)),
        sense=around.sense(own),
        array=around.array(
            _replaced(
                common,
                own,
                "array",
                ArrayParameters,
                cell=_cell(own),
                row_driver=_optional(own, "row_driver", ROW_DRIVERS),
            ),
            own,
        ),
        synapse=_replaced(common, own, "synapse", Synapse),
        answer=_optional(own, "answer", ANSWERS),
        provenance=(),
        periphery=periphery,
    )
    replaced = {(value.table, value.name) for value in own.provenance}
    kept = [value for value in common.provenance if (value.table, value.name) not in replaced]
    doubts = () if name in PARAMETER_SETS else _unsourced(own.provenance)
    doubts = (*around.remarks, *doubts)
    parameter_set = replace(parameter_set, provenance=(*own.provenance, *kept), doubts=doubts)
    own.check_all_used()
    return parameter_set


def usual_periphery(name: str) -> str:
    """Periphery that a set names for itself in ``[about]``; without, its own tables are one.

    Parameters
    ----------
    name : str
        As of :func:`load_parameter_set`.

    Raises
    ------
    ConfigError
        If there is no such set, or no such periphery.
    DataError
        If the file cannot be read, or has a sense stage of the user's own besides.
    """
    own = SetFile(_set_path(name))
    if not own.says("periphery"):
        return BEHAVIOURAL
    periphery = own.about("periphery")
    _periphery(periphery)
    if periphery != BEHAVIOURAL and any(own.word("sense", entry, "") for entry in FILES):
        raise DataError(
            f"{own.path}: about.periphery = {periphery!r} and the circuit in [sense] are two sense "
            "stages; remove one"
        )
    return periphery


def _set_path(name: str) -> Path:
    if name.endswith(".toml"):
        return Path(name)
    if name in PARAMETER_SETS:
        return resource_path(f"{name}.toml")
    raise ConfigError(
        f"parameter set {name!r} is unknown: use {', '.join(PARAMETER_SETS)} "
        "or the path of a .toml file"
    )


def _periphery(name: str) -> Periphery:
    if name not in PERIPHERIES:
        raise ConfigError(f"periphery {name!r} is unknown: use {', '.join(PERIPHERIES)}")
    return PERIPHERIES[name]


def _unsourced(entries: Iterable[SourcedValue]) -> tuple[str, ...]:
    """Values that bear the source of another one: that of a set of ours, or that of a fit."""
    ours: dict[tuple[str, str, str], dict[float | str, str]] = {}
    for name in PARAMETER_SETS:
        for entry in load_parameter_set(name).provenance:
            key = (entry.table, entry.name, entry.source)
            ours.setdefault(key, {})[entry.value] = name
    found = []
    for entry in entries:
        known = ours.get((entry.table, entry.name, entry.source), {})
        if known and entry.value not in known:
            value, name = next(iter(known.items()))
            found.append(
                f"{entry.table}.{entry.name} = {entry.value} bears the source of {name}, where it "
                f"is {value}: give the source of the new value"
            )
        fitted = FITTED.search(entry.source)
        if fitted and (isinstance(entry.value, str) or f"{entry.value:.6g}" != fitted[1]):
            found.append(
                f"{entry.table}.{entry.name} = {entry.value} bears the source of a fit that found "
                f"{fitted[1]}: give the source of the new value"
            )
    return tuple(found)


def _neuron(file: SetFile) -> Neuron:
    """Neuron of a set: a circuit of the user's own, or one of memspice's with device and driver."""
    if any(file.word("neuron", entry, "") for entry in FILES):
        return read_neuron(file.plain("neuron", "given by the parameter set"), file.path)
    kind = file.about("device")
    if kind not in NEURONS:
        words = " or ".join(map(repr, NEURONS))
        raise DataError(f"{file.path}: about.device = {kind!r} must be {words}")
    return NEURONS[kind].read(file)


def _kind(
    file: SetFile, table: str, kinds: Mapping[str, type[ParametersT]], default: str
) -> type[ParametersT]:
    """Parameter class of a block by the word ``kind`` of its table."""
    word = file.word(table, "kind", default)
    if word not in kinds:
        raise DataError(f"{file.where(table)}: kind = {word!r} must be one of {', '.join(kinds)}")
    return kinds[word]


def _replaced(
    common: SetFile, own: SetFile, table: str, model: type[ParametersT], **extra: Any
) -> ParametersT:
    """Values of a common table, with those of the set in their place."""
    values = {**common.values(table, model), **own.values(table, model, optional=True), **extra}
    return validate(model, values, own.where(table))


def _cell(file: SetFile) -> SynapseCell:
    """Synapse of a set: a circuit of the user's own, or a resistor but for what tables say."""
    if any(file.word("cell", entry, "") for entry in FILES):
        return read_cell(file.plain("cell", "given by the parameter set"), file.path)
    curve = _only(file, _CURVES)
    kind = SYNAPSES[_only(file, SYNAPSES) or next(iter(SYNAPSES))]
    values = file.values("cell", kind, optional=True)
    if curve:
        values["curve"] = file.table(curve, _CURVES[curve])
    values |= {name: file.table(kind.kind, model) for name, model in kind.devices.items()}
    return validate(kind, values, file.where("cell"))


def _only(file: SetFile, tables: Iterable[str]) -> str | None:
    """The one of some tables that a file has; None where it has none."""
    found = [name for name in tables if file.has(name)]
    if len(found) > 1:
        raise DataError(f"{file.path}: a cell has one of [{'], ['.join(found)}]; remove one")
    return found[0] if found else None


def _optional(file: SetFile, table: str, kinds: Mapping[str, type[ParametersT]]) -> ParametersT:
    """Block of a set with defaults of its own: the first kind where no table says otherwise."""
    kind = _kind(file, table, kinds, next(iter(kinds)))
    values = file.values(table, kind, optional=True)
    return validate(kind, values, file.where(table))


def load_table(name: str, table: str, model: type[ParametersT]) -> SourcedParameters[ParametersT]:
    """Load one table of a parameter file that is not a device set.

    Parameters
    ----------
    name : str
        File in ``models/``, without its ending.
    table : str
        Table in the file.
    model : type
        Parameter class of the table.

    Raises
    ------
    ConfigError, DataError
        As :func:`load_parameter_set`.
    """
    file = SetFile(resource_path(f"{name}.toml"))
    return SourcedParameters(file.table(table, model), tuple(file.provenance))


def load_values(name: str, table: str, *, optional: bool = False) -> dict[str, SourcedValue]:
    """One table of a parameter file that no class declares: sizes of a subcircuit.

    Parameters
    ----------
    name : str
        File in ``models/``, without its ending; ``folder/file`` for one in a folder.
    table : str
        Table in the file.
    optional : bool
        Whether a file without this table has no values, and is not refused.

    Returns
    -------
    dict of str to SourcedValue
        By their names there, each a number.

    Raises
    ------
    DataError
        As :func:`load_parameter_set`.
    """
    file = SetFile(resource_path(*f"{name}.toml".split("/")))
    file.values(table, Parameters, optional=optional)
    return {value.name: value for value in file.provenance}
