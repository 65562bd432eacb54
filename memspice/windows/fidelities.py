"""Fidelities by the names that users type: the one place where a name becomes an object."""

from __future__ import annotations

from collections.abc import Mapping

from memspice.engines import find_engine
from memspice.engines.base import Engine
from memspice.errors import ConfigError
from memspice.windows.fidelity import Fidelity
from memspice.windows.full import Full
from memspice.windows.reduced import Reduced
from memspice.windows.simulated import Simulated
from memspice.windows.surrogate import Surrogate

#: Those that an engine simulates.
SIMULATED: Mapping[str, type[Simulated]] = {kind.name: kind for kind in (Full, Reduced)}
#: Names of all, the reference first.
FIDELITIES = (*SIMULATED, Surrogate.name)


def open_fidelity(fidelity: Fidelity | str, engine: Engine | str | None = None) -> Fidelity:
    """Fidelity of a name with an engine, which is not looked for where none is needed.

    Parameters
    ----------
    fidelity : Fidelity or str
        One of `FIDELITIES`; an object is what it is, with an engine of its own.
    engine : Engine or str, optional
        A key of `memspice.engines.ENGINES`, or an engine; by default ngspice.

    Raises
    ------
    ConfigError
        If a name is unknown, or an engine is given beside a fidelity that has one.
    EngineNotFound, EngineVersionError
        If the engine is needed, and not installed or too old.
    """
    if isinstance(fidelity, Fidelity):
        if engine is not None:
            raise ConfigError(f"{fidelity} has its own engine: give no other beside it")
        return fidelity
    if fidelity in SIMULATED:
        return SIMULATED[fidelity](find_engine(engine or "ngspice"))
    if fidelity != Surrogate.name:
        raise ConfigError(f"fidelity {fidelity!r} is unknown; choose from {', '.join(FIDELITIES)}")
    return Surrogate()
