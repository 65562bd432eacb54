"""``memspice doctor``: what is installed, and whether a small circuit comes out right."""

from __future__ import annotations

import json
import math
from typing import Any

import click

from memspice.engines import ENGINES, find_engine
from memspice.engines.base import Transient
from memspice.errors import EngineError, EngineNotFound
from memspice.network.architecture import ARCHITECTURES
from memspice.network.weights import load_network
from memspice.parameters import PARAMETER_SETS, load_parameter_set
from memspice.store import installed_versions

#: An RC step: 1 kohm, 1 nF, 1 V; after one time constant the capacitor is at 1 - 1/e.
_DECK = "* doctor: RC step\nVin in 0 1\nRa in out 1k\nCa out 0 1n ic=0\n"


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor_command(as_json: bool) -> None:
    """Check engines, parameter sets and networks."""
    engines = {name: _engine_report(name) for name in ENGINES}
    for name in PARAMETER_SETS:
        load_parameter_set(name)
    for name in ARCHITECTURES:
        load_network(name)
    content = {
        "versions": installed_versions(),
        "engines": engines,
        "parameter_sets": list(PARAMETER_SETS),
        "networks": list(ARCHITECTURES),
    }
    if as_json:
        click.echo(json.dumps(content, allow_nan=False))
    else:
        click.echo(_text(content))
    missing = [report["error"] for report in engines.values() if "error" in report]
    if missing:
        raise EngineNotFound("; ".join(missing))


def _engine_report(name: str) -> dict[str, Any]:
    """Version and abilities of an engine, and the error of its RC step."""
    try:
        engine = find_engine(name)
    except EngineNotFound as error:
        return {"error": str(error)}
    waves = engine.run(_DECK, Transient(stop=1e-6, max_step=1e-9, from_rest=True))
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


def _text(content: dict[str, Any]) -> str:
    lines = [f"{name:10} {version}" for name, version in content["versions"].items()]
    for name, report in content["engines"].items():
        if "error" in report:
            lines.append(f"{name:10} not found")
            continue
        abilities = ", ".join(
            f"{ability.upper()} {'yes' if report[ability] else 'no'}" for ability in ("osdi", "klu")
        )
        lines.append(f"{name:10} {report['version']} at {report['path']} ({abilities})")
        lines.append(f"{'':10} RC step within {report['rc_error_volt']:.1e} V")
    lines.append(f"{'sets':10} {', '.join(content['parameter_sets'])}")
    lines.append(f"{'networks':10} {', '.join(content['networks'])}")
    return "\n".join(lines)
