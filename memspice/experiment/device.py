"""A neuron device with its circuits and cells, under the name and with the changes of a user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path

from memspice.errors import ConfigError
from memspice.experiment.results.base import Shown
from memspice.experiment.results.table import Table
from memspice.network.flaws import FLAWS
from memspice.parameters import ParameterSet, load_parameter_set, usual_periphery
from memspice.parameters.peripheries import PERIPHERIES
from memspice.quantities import Parameters, plain_fields
from memspice.resources import resource_path

#: Ends of names that one short name stands for: the two directions of a wire.
_BOTH = ("_row", "_col")


@dataclass(frozen=True, eq=False, repr=False)
class Device(Shown):
    """A parameter set: neuron device, its circuits and timing, and the cells of the crossbar.

    ``device.change(wire_resistance=5.0)`` is another one.  Everything else that a simulation can
    know of it is in ``parameters``.

    Parameters
    ----------
    name : str
        Of the set, or the path of its ``.toml`` file.
    periphery : str
        What stands around the array: ``behavioural``, models and tables of the set, or
        ``freepdk45``.
    changes : mapping
        Values in the place of the set's, by ``"table.name"``, in SI units.

    Raises
    ------
    ConfigError
        If the set is unknown or a change is none of its.
    DataError
        If its file cannot be used.
    """

    name: str
    periphery: str
    changes: Mapping[str, float | str] = field(default_factory=dict)
    #: All values, each with unit, bounds and source.
    parameters: ParameterSet = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", self._loaded({}))

    @property
    def path(self) -> Path:
        """File of the set, to be copied and edited."""
        return (
            Path(self.name) if self.name.endswith(".toml") else resource_path(f"{self.name}.toml")
        )

    def change(self, **values: float | str) -> Device:
        """Device with other values, in SI units.

        Parameters
        ----------
        **values
            By name where only one table has it (``wire_resistance`` is that of rows and columns),
            else by ``table.name``: ``change(**{"array.driver_resistance": 300})``.

        Raises
        ------
        ConfigError
            If a name is unknown or in several tables, is given twice, or its value is out of range;
            the message lists what there is.

        Examples
        --------
        >>> load_device("fast-memristor").change(wire_resistance=5.0).changes
        {'array.wire_resistance_row': 5.0, 'array.wire_resistance_col': 5.0}
        """
        given: dict[str, str] = {}
        changes: dict[str, float | str] = {}
        for name, value in values.items():
            for full in self.full_names(name):
                if full in given:
                    raise ConfigError(
                        f"{given[full]} and {name} are both given for {full}: leave one out"
                    )
                given[full], changes[full] = name, value
        return replace(self, changes={**self.changes, **changes})

    def value(self, name: str) -> float | str:
        """One value in SI units, by the names that `change` takes.

        Raises
        ------
        ConfigError
            If there is no such value, or not one.
        """
        full = self.full_names(name)
        given = {f"{entry.table}.{entry.name}": entry.value for entry in self.parameters.provenance}
        if len(full) == 1 and full[0] in given:
            return given[full[0]]
        table, _, last = full[0].partition(".")
        owner = getattr(self.parameters, table, None)
        if len(full) > 1 or not hasattr(owner, last):
            raise ConfigError(f"device {self.name} has not one value {name}: it is {full}")
        found: float | str = getattr(owner, last)
        return found

    def with_flaws(self) -> Device:
        """Device with every non-ideality of cells and neurons at once.

        And with what a chip can do about them; `memspice.network.flaws` has values and sources.
        """
        around = PERIPHERIES[self.periphery].flaws
        return replace(self, changes={**self.changes, **FLAWS, **around})

    def with_levels(self, levels: int | None) -> ParameterSet:
        """Parameter set whose cells have so many levels, unless the set says otherwise itself."""
        if levels in (None, self.parameters.synapse.levels):
            return self.parameters
        return self._loaded({"synapse.levels": levels})

    def _loaded(self, crossbar: Mapping[str, float | str]) -> ParameterSet:
        return load_parameter_set(self.name, self.changes, crossbar, self.periphery)

    def full_names(self, name: str) -> list[str]:
        """Names ``table.name`` that a name stands for.

        Raises
        ------
        ConfigError
            If it stands for none, or for values of several tables.
        """
        if "." in name:
            return [name]  # the set itself says whether there is such a value
        known = list(dict.fromkeys(_names(self.parameters)))
        found = [full for full in known if full.partition(".")[2] == name]
        if not found:
            ends = [name + end for end in _BOTH]
            found = [full for full in known if full.partition(".")[2] in ends]
            if len(found) == len(_BOTH):
                return found
        if len(found) == 1:
            return found
        if found:
            raise ConfigError(
                f"{name} is a value of several tables: say {' or '.join(found)}, as in "
                f"change(**{{{found[0]!r}: ...}})"
            )
        shorts = [full.partition(".")[2] for full in known]
        near = get_close_matches(name, [*shorts, *known], n=3, cutoff=0.4)
        words = (
            f"nearest are {', '.join(dict.fromkeys(near))}" if near else f"use {', '.join(known)}"
        )
        raise ConfigError(f"device {self.name} has no value {name}: {words}")

    def table(self) -> Table:
        """What it is, and what is changed."""
        changed = ((name, f"{value}") for name, value in self.parameters.changes.items())
        title = f"{self.parameters.name}: {self.parameters.summary}"
        source = ("device", f"{self.parameters.device_source}")
        rest = ("at 0 V", self.parameters.at_rest)
        return Table(title, (source, rest, *(("changed", f"{n} = {v}") for n, v in changed)))


def load_device(name: str, periphery: str | None = None) -> Device:
    """Load a parameter set under a user's word for it.

    Parameters
    ----------
    name : str
        ``ag-asi``, ``fast-memristor`` (a what-if that nobody built), ``sot-mtj``,
        ``sot-mtj-measured``, or the path of a ``.toml`` file.
    periphery : str, optional
        What stands around the array: ``behavioural``, models and tables of the set, fast and with
        joules that are assumed, or ``freepdk45``: circuits of 45 nm transistors.  By default what
        the set names: ``freepdk45`` for ``fast-memristor``.

    Raises
    ------
    ConfigError
        If there is no such set.
    DataError
        If its file cannot be used.
    """
    return Device(name, usual_periphery(name) if periphery is None else periphery)


def _names(parameter_set: ParameterSet) -> Iterator[str]:
    """Every ``table.name`` that the set's own classes have, and those that its files give."""
    for part in fields(parameter_set):
        value = getattr(parameter_set, part.name)
        if isinstance(value, Parameters):
            yield from (f"{part.name}.{name}" for name in plain_fields(type(value)))
    yield from (f"{entry.table}.{entry.name}" for entry in parameter_set.provenance)
