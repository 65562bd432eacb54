"""Fidelities by the names that users type: the one place where a name becomes an object."""

from __future__ import annotations

from collections.abc import Mapping

from memspice.engines import find_engine
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


def open_fidelity(name: str, engine: str) -> Fidelity:
    """Fidelity of a name with the engine of a name, which is not looked for where none is needed.

    Parameters
    ----------
    name : str
        One of `FIDELITIES`.
    engine : str
        A key of `memspice.engines.ENGINES`.

    Raises
    ------
    ConfigError
        If a name is unknown.
    EngineNotFound, EngineVersionError
        If the engine is needed, and not installed or too old.
    """
    if name in SIMULATED:
        return SIMULATED[name](find_engine(engine))
    if name != Surrogate.name:
        raise ConfigError(f"fidelity {name!r} is unknown; choose from {', '.join(FIDELITIES)}")
    return Surrogate()
