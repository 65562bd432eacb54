"""What a circuit of the user's own is connected to, and set with, checked before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from memspice.circuits.clocks import Clock
from memspice.circuits.own_table import OwnTable, nearest
from memspice.errors import ConfigError

#: Terminal that needs no supply: ground.
GROUND = "vss"


def check_terminals(
    table: OwnTable,
    what: str,
    declared: Sequence[str],
    contract: Mapping[str, str],
    given: Iterable[str] = (),
) -> tuple[dict[str, float], dict[str, Clock]]:
    """Supplies and clocks of a circuit, once its terminals are what its kind asks for.

    Parameters
    ----------
    table : OwnTable
        With ``terminals``, ``supplies`` and perhaps ``clocks``.
    what : str
        The circuit and its file, for messages.
    declared : sequence of str
        Terminals that its text declares.
    contract : mapping of str to str
        Terminals that it must have once, and what each is.
    given : iterable of str
        Terminals that it may have besides: what every block of its kind can use.

    Raises
    ------
    ConfigError
        If a terminal is missing, or is nothing that it can be connected to; if there is a supply or
        a clock without a terminal.
    """
    place, terminals = table.place("terminals"), table.names("terminals")
    supplies, clocks = table.numbers("supplies"), table.clocks()
    if len(terminals) != len(declared):
        raise ConfigError(
            f"{place} names {len(terminals)}, but {what} has {len(declared)} "
            f"({' '.join(declared)}); name one for each, in its order"
        )
    for name in contract:
        if terminals.count(name) != 1:
            meaning = ", ".join(f"{word!r} {text}" for word, text in contract.items())
            raise ConfigError(f"{place} must have {name!r} once: {meaning}")
    known = [*contract, GROUND, *given, *supplies, *clocks]
    for name in terminals:
        if name not in known:
            raise ConfigError(
                f"{place} has {name!r}, which is no supply and no clock: give it a voltage in "
                f"{table.name}.supplies or its edges in {table.name}.clocks" + nearest(name, known)
            )
    for name in (*supplies, *clocks):
        if name not in terminals:
            raise ConfigError(
                f"{table.file}: {table.name} has a supply or clock {name!r}, but no terminal of "
                "that name" + nearest(name, terminals)
            )
        if (name in supplies) + (name in clocks) + (name in [*contract, GROUND, *given]) > 1:
            raise ConfigError(f"{table.file}: {name!r} has two meanings; rename one, or remove it")
    return supplies, clocks


def check_parameters(table: OwnTable, what: str, declared: Iterable[str]) -> dict[str, float]:
    """Parameters of the circuit, which must be its own.

    Raises
    ------
    ConfigError
        If one is unknown.
    """
    parameters, known = table.numbers("parameters"), [name.lower() for name in declared]
    for name in parameters:
        if name not in known:
            raise ConfigError(
                f"{table.place(f'parameters.{name}')} is no parameter of {what} (it has "
                f"{', '.join(known) or 'none'})" + nearest(name, known)
            )
    return parameters
