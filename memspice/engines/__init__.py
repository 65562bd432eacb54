"""From netlist to waveforms: adapters of SPICE engines."""

from __future__ import annotations

from collections.abc import Mapping

from memspice.engines.base import Engine
from memspice.engines.ngspice import Ngspice
from memspice.engines.vacask import Vacask
from memspice.errors import ConfigError, EngineNotFound, EngineVersionError

#: Every engine by the name that users type.
ENGINES: Mapping[str, type[Ngspice] | type[Vacask]] = {
    "ngspice": Ngspice,
    "vacask": Vacask,
}


def find_engine(name: Engine | str) -> Engine:
    """Start-up and probe of one engine; never another one in its place.

    Parameters
    ----------
    name : str or Engine
        A key of `ENGINES`; an engine is what it is.

    Returns
    -------
    Engine

    Raises
    ------
    ConfigError
        If the name is unknown.
    EngineNotFound
        If the engine is not installed.
    EngineVersionError
        If it is too old.
    """
    if not isinstance(name, str):
        return name
    if name not in ENGINES:
        raise ConfigError(f"engine {name!r} is unknown; choose from {', '.join(sorted(ENGINES))}")
    return ENGINES[name]()


def installed_engines() -> tuple[dict[str, Engine], dict[str, str]]:
    """Every engine that can be used, by name, and why the others are not."""
    found: dict[str, Engine] = {}
    missing: dict[str, str] = {}
    for name in ENGINES:
        try:
            found[name] = find_engine(name)
        except (EngineNotFound, EngineVersionError) as error:
            missing[name] = str(error)
    return found, missing
