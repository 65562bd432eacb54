"""The windows of the headline's energy on two circuit simulators.

Claim of ours, to be tested: joules of ``make cifar-energy`` are those of the circuits, not of the
program that solves them.  Every deck that the co-simulation of ``experiments/cifar_energy`` runs on
ngspice, in its rounds and cell by cell, runs on VACASK as well; joules are to agree within
0.5 %, layer by layer and component by component.  Netlist, equations of devices and of clocked
elements (Verilog-A in the place of B sources), rule for steps and solver are different ones.
What is not: cards of the transistors, and their equations, which VACASK has from SPICE by
conversion into Verilog-A (https://codeberg.org/arpadbuermen/VADistiller).

    .venv/bin/python experiments/two_engines/run.py --data DIR

writes ``result.json`` beside this file and the table of ``docs/periphery.md``: an hour or two.
What is finished is in the cache of results, so a run that was stopped goes on where it was.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

import memspice as ms
from benchmarks.two_engines import co_simulated, compare, run_again

HERE = Path(__file__).resolve().parent
COMMAND = ".venv/bin/python experiments/two_engines/run.py --data DIR"
sys.path.insert(0, str(HERE.parent))  # scripts, not a package
from energy_run import DEVICE, NETWORK, PERIPHERY, SIZE, energy_chip  # noqa: E402
from readme import replace_block  # noqa: E402

ENGINES = ("ngspice", "vacask")
PAGE = HERE.parents[1] / "docs" / "periphery.md"
#: Longest run of an engine: cell by cell takes minutes.
TIMEOUT = 3600.0
_COLUMNS = "{:16}{:>6}{:>7}{:>8}{:>9}{:>21}{:>10}{:>6}{:>8}{:>18}{:>13}"


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the CIFAR-10 binaries.")
@click.option("--images", default=200, show_default=True)
@click.option("--decks", type=int, help="Only so many on VACASK, the first from every layer.")
@click.option("--jobs", default=2, show_default=True, help="Decks at a time.")
def main(data: Path | None, images: int, decks: int | None, jobs: int) -> None:
    """Run the experiment, write its result and its table."""
    chip = energy_chip(DEVICE)
    request = chip.request(chip.images("test", images, data), **SIZE)
    execution = ms.Execution(workers=jobs, cache=True, timeout=TIMEOUT)
    every = co_simulated(request, ENGINES[0], execution=execution, progress=tell)
    pairs = run_again(every[:decks], ENGINES[1], execution=execution, progress=tell)
    layers = compare(pairs, ENGINES)
    result = {
        "network": NETWORK, "device": DEVICE, "periphery": PERIPHERY, **SIZE,
        "images": len(request.images),
        "engines": {name: engine_version(name) for name in ENGINES},
        "command": COMMAND, "decks": len(pairs), "of": len(every), "layers": layers,
    }  # fmt: skip
    text = json.dumps(result, indent=1, allow_nan=False) + "\n"
    (HERE / "result.json").write_text(text, encoding="utf-8")
    click.echo(table(result))
    replace_block("two-engines", table(result), PAGE)


def engine_version(name: str) -> str:
    """Version of an engine."""
    engine = {"ngspice": ms.Ngspice, "vacask": ms.Vacask}[name]()
    return engine.info.version


def tell(stage: str, done: int, total: int) -> None:
    """Say how far it is, a line each."""
    click.echo(f"{stage}: {done} of {total}", err=True)


def joules(layers: Sequence[Mapping[str, Any]], engine: str) -> float:
    """Joules of all decks of some layers, [J]."""
    return float(sum(sum(layer["joule"][engine].values()) for layer in layers))


def deviation(layers: Sequence[Mapping[str, Any]]) -> float:
    """How far joules of VACASK are from those of ngspice, [1]."""
    first, second = (joules(layers, engine) for engine in ENGINES)
    return second / first - 1


def table(result: Mapping[str, Any]) -> str:
    """What both engines say, by layer."""
    versions = " and ".join(f"{name} {version}" for name, version in result["engines"].items())
    lines = [
        f"{result['network']}, {result['decks']} of {result['of']} decks on {versions}",
        _COLUMNS.format("layer", "decks", "events", "pJ", "apart, %", "component, %",
                        "hazard, %", "mV", "spikes", "closure", "s a deck"),
    ]  # fmt: skip
    lines += [_row(f"{item['layer']} {item['fidelity']}", [item]) for item in result["layers"]]
    return "\n".join([*lines, _row("all", result["layers"])])


def _row(name: str, layers: Sequence[Mapping[str, Any]]) -> str:
    """Row of one layer or of all."""
    worst = max(layers, key=lambda item: abs(item["component_deviation"]))
    decks = sum(item["decks"] for item in layers)
    closures = [f"{max(item['closure'][engine] for item in layers):.1e}" for engine in ENGINES]
    seconds = [f"{sum(i['seconds'][engine] for i in layers) / decks:.1f}" for engine in ENGINES]
    return _COLUMNS.format(
        name,
        decks,
        sum(item["events"] for item in layers) or "-",
        f"{1e12 * joules(layers, ENGINES[0]):.1f}",
        f"{100 * deviation(layers):+.3f}",
        f"{worst['component']} {100 * worst['component_deviation']:+.3f}",
        f"{100 * max(item['hazard_deviation'] for item in layers):.2f}",
        f"{1e3 * max(item['drive_difference'] for item in layers):.2f}",
        sum(item["mismatches"] for item in layers),
        ", ".join(closures),
        ", ".join(seconds),
    ).rstrip()


if __name__ == "__main__":
    main()
