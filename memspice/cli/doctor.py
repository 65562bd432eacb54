"""``memspice doctor``: what is installed, and whether a small circuit comes out right."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import click

from memspice.circuits.deck import Deck
from memspice.cli.output import report
from memspice.engines import ENGINES, find_engine
from memspice.engines.base import Transient
from memspice.errors import EngineError, EngineNotFound
from memspice.network.weights import load_network, trained_networks
from memspice.parameters import PARAMETER_SETS, load_parameter_set
from memspice.store import installed_versions

#: Time constant of the RC step; after it the capacitor is at 1 - 1/e.
_TIME_CONSTANT = 1e-6


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor_command(as_json: bool) -> None:
    """Check engines, parameter sets and networks."""
    engines = {name: _engine_report(name) for name in ENGINES}
    sets = {name: load_parameter_set(name) for name in PARAMETER_SETS}
    for name in trained_networks():
        load_network(name)
    content = {
        "versions": installed_versions(),
        "engines": engines,
        "parameter_sets": {
            name: f"{found.device_source}, {found.at_rest} at 0 V" for name, found in sets.items()
        },
        "networks": trained_networks(),
    }
    errors = [found["error"] for found in engines.values() if "error" in found]
    problem = EngineNotFound("; ".join(errors)) if len(errors) == len(engines) else None
    report(content, partial(_text, content), as_json=as_json, problem=problem)


def _rc_deck() -> Deck:
    deck = Deck("memspice doctor: RC step", "1 V into 1 kohm and 1 nF")
    section = deck.section("Source, resistor, capacitor")
    section.V("in", "step", section.gnd, 1.0)
    section.R("a", "step", "out", 1e3)
    section.C("a", "out", section.gnd, _TIME_CONSTANT / 1e3, initial_condition=0)
    return deck


def _engine_report(name: str) -> dict[str, Any]:
    """Version and abilities of an engine, and the error of its RC step."""
    try:
        engine = find_engine(name)
    except EngineNotFound as error:
        return {"error": str(error)}
    analysis = Transient(stop=_TIME_CONSTANT, max_step=_TIME_CONSTANT / 1000, from_rest=True)
    waves = engine.run(engine.write(_rc_deck()), analysis)
    deviation = abs(float(waves.voltage("out")[-1]) - (1 - math.exp(-1)))
    if deviation > 1e-3:
        raise EngineError(f"{name} is {deviation:g} V off on an RC step of 1 V: do not trust it")
    info = engine.info
    return {
        "version": info.version,
        "path": info.path,
        "osdi": info.osdi,
        "klu": info.klu,
        "rc_error_volt": deviation,
    }


def _tail(path: str, width: int = 69) -> str:
    """End of a path that is too long for a line."""
    return path if len(path) <= width else "..." + path[3 - width :]


def _text(content: dict[str, Any]) -> str:
    lines = [f"{name:10} {version}" for name, version in content["versions"].items()]
    for name, found in content["engines"].items():
        if "error" in found:
            lines += [f"{name:10} not found", f"{'':10} {found['error']}"]
            continue
        abilities = ", ".join(
            f"{ability.upper()} {'yes' if found[ability] else 'no'}" for ability in ("osdi", "klu")
        )
        lines += [
            f"{name:10} {found['version']} ({abilities}), "
            f"RC step within {found['rc_error_volt']:.1e} V",
            f"{'':10} {_tail(found['path'])}",
        ]
    widest = max(map(len, content["parameter_sets"]))
    for number, (name, words) in enumerate(content["parameter_sets"].items()):
        lines.append(f"{'' if number else 'sets':10} {name:{widest}} {words}")
    lines.append(f"{'networks':10} {', '.join(content['networks'])}")
    return "\n".join(lines)
