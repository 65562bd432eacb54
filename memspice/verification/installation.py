"""What is installed: engines and whether they come out right, parameter sets, networks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from memspice.circuits.deck import Deck
from memspice.engines import ENGINES, find_engine
from memspice.engines.base import EngineInfo, Transient
from memspice.errors import EngineError, EngineNotFound
from memspice.experiment.results.base import Shown
from memspice.experiment.results.table import Table
from memspice.network.weights import load_network, trained_networks
from memspice.parameters import PARAMETER_SETS, load_parameter_set
from memspice.store import installed_versions

#: Time constant of the RC step, [s]; after it the capacitor is at 1 - 1/e.
_TIME_CONSTANT = 1e-6
#: Entry of `installed_versions` that is no package, and too long to read.
_SOURCES = "memspice_sources"
_AT_REST = " at 0 V"
#: Most that an engine may be off there, [V]: a hundred times what a thousand steps leave.
_LIMIT = 1e-3


@dataclass(frozen=True)
class CheckedEngine:
    """An engine and how far it is off a step of 1 V through a resistor and a capacitor, [V]."""

    info: EngineInfo
    rc_error: float

    def as_json(self) -> dict[str, Any]:
        """Value of its name in the object that ``doctor --json`` prints."""
        info = self.info
        return {
            "version": info.version,
            "path": info.path,
            "osdi": info.osdi,
            "klu": info.klu,
            "rc_error_volt": self.rc_error,
        }


@dataclass(frozen=True, eq=False, repr=False)
class Installation(Shown):
    """Installation: packages, engines, parameter sets and networks that are there.

    Parameters
    ----------
    versions : mapping
        Package to version.
    engines : mapping
        Engines that were found, by name.
    missing : mapping
        Why others were not.
    parameter_sets : mapping
        What each of the package rests on, by name.
    networks : tuple of str
        Names of those in the package; every one has been read.
    """

    versions: Mapping[str, str]
    engines: Mapping[str, CheckedEngine]
    missing: Mapping[str, str]
    parameter_sets: Mapping[str, str]
    networks: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Object that ``doctor --json`` prints."""
        found = {name: engine.as_json() for name, engine in self.engines.items()}
        missing = {name: {"error": reason} for name, reason in self.missing.items()}
        return {
            "versions": dict(self.versions),
            "engines": {**found, **missing},
            "parameter_sets": dict(self.parameter_sets),
            "networks": list(self.networks),
        }

    def check(self) -> None:
        """Refuse an installation that simulates nothing.

        Raises
        ------
        EngineNotFound
            If there is no engine.
        """
        if not self.engines:
            raise EngineNotFound("; ".join(self.missing.values()))

    def table(self) -> Table:
        """Versions, engines, names."""
        rows = [(name, found) for name, found in self.versions.items() if name != _SOURCES]
        for name, engine in self.engines.items():
            info = engine.info
            abilities = [
                f"{ability.upper()} {'yes' if getattr(info, ability) else 'no'}"
                for ability in ("osdi", "klu")
            ]
            rows.append(
                (
                    name,
                    f"{info.version} ({', '.join(abilities)}), RC step within "
                    f"{engine.rc_error:.1e} V",
                )
            )
            rows.append(("", _tail(info.path)))
        rows += [(name, f"not found: {reason}") for name, reason in self.missing.items()]
        widest = max(map(len, self.parameter_sets))
        for number, (name, words) in enumerate(self.parameter_sets.items()):
            at_rest = words.removesuffix(_AT_REST)
            rows.append(("" if number else "sets" + _AT_REST, f"{name:{widest}} {at_rest}"))
        rows.append(("networks", ", ".join(self.networks)))
        return Table("installed", tuple(rows))


def doctor() -> Installation:
    """Look for engines, simulate a small circuit on each, and read all sets and networks.

    Raises
    ------
    EngineError
        If an engine cannot do a step through a resistor and a capacitor.
    MemspiceError
        If a parameter set or a network of the package is damaged.
    """
    engines, missing = {}, {}
    for name in ENGINES:
        try:
            engines[name] = _checked(name)
        except EngineNotFound as error:
            missing[name] = str(error)
    sets = {name: load_parameter_set(name) for name in PARAMETER_SETS}
    for name in trained_networks():
        load_network(name)
    return Installation(
        versions=installed_versions(),
        engines=engines,
        missing=missing,
        parameter_sets={
            name: f"{found.device_source}, {found.at_rest}{_AT_REST}"
            for name, found in sets.items()
        },
        networks=tuple(trained_networks()),
    )


def _checked(name: str) -> CheckedEngine:
    engine = find_engine(name)
    analysis = Transient(stop=_TIME_CONSTANT, max_step=_TIME_CONSTANT / 1000, from_rest=True)
    waves = engine.run(engine.write(_rc_deck()), analysis)
    off = abs(float(waves.voltage("out")[-1]) - (1 - math.exp(-1)))
    if off > _LIMIT:
        raise EngineError(f"{name} is {off:g} V off on an RC step of 1 V: do not trust it")
    return CheckedEngine(engine.info, off)


def _rc_deck() -> Deck:
    deck = Deck("memspice doctor: RC step", "1 V into 1 kohm and 1 nF")
    section = deck.section("Source, resistor, capacitor")
    section.V("in", "step", section.gnd, 1.0)
    section.R("a", "step", "out", 1e3)
    section.C("a", "out", section.gnd, _TIME_CONSTANT / 1e3, initial_condition=0)
    return deck


def _tail(path: str, width: int = 63) -> str:
    """End of a path that is too long for a line."""
    return path if len(path) <= width else "..." + path[3 - width :]
