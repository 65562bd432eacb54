"""``python -m benchmarks.surfaces [STAGE ...]``: surfaces of sense stages that come with memspice.

Measures the stages of ``--periphery freepdk45`` in front of the neurons of ``fast-memristor``, on
ngspice, and writes ``models/freepdk45/NAME.surface.json``; what is there and holds, stays.  Decks
are kept in the cache, so that a run that was stopped goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from memspice.analysis.sense_surface import SenseConditions, conditions_of, measure_sense_surface
from memspice.analysis.shipped_surfaces import shipped_surface, surface_path, surface_text
from memspice.circuits.blocks.sense_design import SenseNeeds
from memspice.circuits.sense_bench import ClockedStage
from memspice.circuits.timing import schedule
from memspice.engines import find_engine
from memspice.jobs import Execution, open_runner
from memspice.outputs import write_text
from memspice.parameters import load_parameter_set

SET, PERIPHERY, BURSTS = "fast-memristor", "freepdk45", (1, 8)


def shipped_stages() -> Iterator[tuple[ClockedStage, SenseConditions]]:
    """Stages of the periphery, and under what they work."""
    chosen = load_parameter_set(SET, periphery=PERIPHERY)
    for burst in BURSTS:
        # any needs will do: they decide how many stages a line has, and not what one does
        needs = SenseNeeds(1e5, 1e-6, (1e-4, 1e-4), chosen.timing.settle, "any", "nothing")
        stage = chosen.sense.for_bursts(burst).sized(needs).unmeasured
        assert stage is not None, "transistors have no closed form"
        yield stage.circuit, conditions_of(stage, schedule(chosen.timing), chosen.neuron)


def main(names: list[str]) -> None:
    """Measure what is not there yet, or all of some names."""
    engine = find_engine("ngspice")
    for stage, conditions in shipped_stages():
        name = stage.subcircuit
        if (names and name not in names) or shipped_surface(stage, conditions):
            click.echo(f"{name}: as it is")
            continue
        with open_runner(engine, Execution(cache=True)) as runner:
            surface = measure_sense_surface(
                stage, conditions, runner, lambda: click.echo(".", nl=False)
            )
        text = surface_text(stage, conditions, surface, f"ngspice {engine.info.version}")
        write_text(surface_path(stage), text)
        click.echo(f"\n{name}: {surface.error}")


if __name__ == "__main__":
    main(sys.argv[1:])
