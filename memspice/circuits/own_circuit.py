"""A circuit of the user's own: a subcircuit, a Verilog-A module, or both as twins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from memspice.circuits.clocks import Clock
from memspice.circuits.deck import Deck
from memspice.circuits.floating import refuse_floating
from memspice.circuits.library import Header, Library, first_subcircuit, read_library
from memspice.circuits.own_table import OwnTable
from memspice.circuits.own_terminals import check_parameters, check_terminals
from memspice.circuits.verilog import VerilogModule, read_module
from memspice.errors import ConfigError, DataError

#: Entries of a table that a circuit is read from: one of the first two, the next, and perhaps more.
FILES = ("subcircuit", "veriloga")
NEEDED = ("terminals",)
OPTIONAL = (
    *(*FILES, "supplies", "clocks", "parameters", "process", "corner"),
    *("clock_edge", "clock_level"),
)


@dataclass(frozen=True, eq=False)
class OwnCircuit:
    """A circuit, and what it is connected to.

    Parameters
    ----------
    name : str
        Of subcircuit and module.
    library : Library or None
        The subcircuit.
    module : VerilogModule or None
        The module; engines that load it take it in the place of the subcircuit.
    terminals : tuple of str
        What each terminal is connected to, in the order of the circuit.
    supplies : mapping of str to float, [V]
    clocks : mapping of str to Clock
    parameters : mapping of str to float
        Of an instance.
    declared : tuple of str
        Parameters that an instance can be given.
    """

    name: str
    library: Library | None
    module: VerilogModule | None
    terminals: tuple[str, ...]
    supplies: Mapping[str, float]
    clocks: Mapping[str, Clock]
    parameters: Mapping[str, float]
    declared: tuple[str, ...]

    @property
    def engine(self) -> str:
        """Engine that can run it: ngspice where there is a subcircuit."""
        return "vacask" if self.library is None else "ngspice"

    def define(self, deck: Deck) -> None:
        """Add its text to a deck."""
        deck.circuit(self.library, self.module)


def read_circuit(
    table: OwnTable, contract: Mapping[str, str], given: Iterable[str] = ()
) -> OwnCircuit:
    """Circuit that a table names.

    Parameters
    ----------
    table : OwnTable
        Its entries have been checked.
    contract, given
        As of `memspice.circuits.own_terminals.check_terminals`.

    Raises
    ------
    DataError
        If the table names no file, or a file cannot be read.
    ConfigError
        If a terminal or parameter is wrong, or subcircuit and module are no twins.
    NetlistError
        If a circuit cannot be read, or has a node that floats.
    """
    named = [entry for entry in FILES if entry in table.entries]
    if not named:
        raise DataError(f"{table.file}: [{table.name}] needs 'subcircuit' or 'veriloga', or both")
    library = module = None
    faces = []
    if "subcircuit" in named:
        library = read_library(table.path("subcircuit"), table.cards())
        header = first_subcircuit(library)
        refuse_floating(library, header.name)
        faces.append((f".subckt {header.name} of {library.origin}", header))
    if "veriloga" in named:
        module = read_module(table.path("veriloga"))
        what = f'module {module.name} of {module.origin}, declared (* type="instance" *)'
        faces.append(
            (what, Header(module.name, module.terminals, dict.fromkeys(module.parameters, "")))
        )
    what, face = faces[0]
    _check_twins(table, faces)
    supplies, clocks = check_terminals(table, what, face.terminals, contract, given)
    parameters = check_parameters(table, what, face.parameters)
    return OwnCircuit(
        name=face.name,
        library=library,
        module=module,
        terminals=tuple(table.names("terminals")),
        supplies=supplies,
        clocks=clocks,
        parameters=parameters,
        declared=tuple(name.lower() for name in face.parameters),
    )


def _check_twins(table: OwnTable, faces: list[tuple[str, Header]]) -> None:
    """Refuse a subcircuit and a module that cannot stand for each other."""
    (what, first), (other, last) = faces[0], faces[-1]
    for word, mine, its in (
        ("the name", (first.name,), (last.name,)),
        ("the terminals", first.terminals, last.terminals),
        ("the parameters", tuple(sorted(first.parameters)), tuple(sorted(last.parameters))),
    ):
        if mine != its:
            raise ConfigError(
                f"{table.file}: {what} has {word} {' '.join(mine)}, and its twin, {other}, "
                f"{' '.join(its)}; give both the same, or name one file only"
            )
