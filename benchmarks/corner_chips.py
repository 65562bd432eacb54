"""``python -m benchmarks.corner_chips --data DIR``: what corners and temperature cost a network.

A chip is made for nominal transistors at 27 C, and works elsewhere: ``cifar10-skip`` in one burst
of 8 on the periphery ``freepdk45``, its sense stages at a corner and a temperature, ``vtail`` from
the generator there.  *Not told*: all else as it was made.  *Told*: two numbers of the chip are set
again, ``vrest``, so that the stages rest where they do at home, and the voltage of the rows, by the
gain.  The surface of the stages is measured at each point, and its error said.  Where the chip is
made for, noise of the held drives stands beside.  The device is the same everywhere: how its law
moves with temperature is not known here.  Neurons, latches and row drivers have the joules of 27 C.

Writes ``experiments/corners/result.json``, of which ``experiments/corners/run.py`` makes the table
of ``docs/periphery.md``.  What was measured is kept below the folder of ``--out``, so that a run
that was stopped goes on, in a folder for these sources of memspice: others do not take it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import click
import numpy as np

import memspice as ms
from benchmarks.corner_surface import (
    CornerStage,
    burst_conditions,
    measured_stage,
    surface_of,
)
from memspice.analysis.sense_surface import with_surfaces
from memspice.circuits.blocks.subcircuit import SubcircuitStage
from memspice.circuits.deck import ZERO_CELSIUS
from memspice.circuits.sense_surface import SenseSurface, Sheet
from memspice.circuits.surface_axes import APART
from memspice.experiment.infer import run_chip
from memspice.experiment.request import Request
from memspice.jobs.sources import sources_hash
from memspice.network.mapping import MappedLayer, MappedNetwork

RESULT = Path(__file__).resolve().parents[1] / "experiments" / "corners" / "result.json"
NETWORK, IMAGES, CYCLES, WINDOWS = "cifar10-skip", 300, 8, 8
#: Corner and temperature, [C], that the chip is made for, and others.
MADE = ("nom", 27)
POINTS = (("nom", 85), ("nom", 0), ("ss", 27))
#: Noise of held drives, standard deviation [V], and seed of its draws.
NOISE, SEED = (40e-3,), 1
#: Currents between which the gain is taken, and where the stage rests, [A].
LOAD, MOVED = 4.5e-6, 0.4e-6


@dataclass(frozen=True, eq=False)
class Elsewhere(SenseSurface):
    """A surface whose drives count from where the stage rests that the chip was made for.

    ``made`` is that, in [V]; the stage itself rests elsewhere.  ``noise``, in [V], is the standard
    deviation of a held drive, drawn anew in every burst.
    """

    made: float = 0.0
    noise: float = 0.0
    draws: np.random.Generator = field(default_factory=lambda: np.random.default_rng(SEED))

    @property
    def rest(self) -> float:
        """What neurons have for their bias voltage."""
        return self.made

    def drive_voltage(self, currents: np.ndarray, conductances: np.ndarray) -> np.ndarray:
        """That of the surface, and noise."""
        drive = super().drive_voltage(currents, conductances)
        return np.asarray(drive + self.noise * self.draws.standard_normal(drive.shape))


def elsewhere(
    surface: SenseSurface, made: SenseSurface, moved: float = 0.0, noise: float = 0.0
) -> SenseSurface:
    """A surface of a chip made for another one, its drives moved by ``vrest`` [V], one to one.

    The ends of the drive stay: they are rails.
    """
    known = {one.name: getattr(surface, one.name) for one in fields(SenseSurface)}
    values = surface.sheet.values.copy()
    ends = values[..., 0].min(), values[..., 0].max()
    values[..., 0] = np.clip(values[..., 0] + moved, *ends)
    known["sheet"] = Sheet(surface.sheet.nodes, values)
    return Elsewhere(**known, made=made.rest, noise=noise)


def rest_of(surface: SenseSurface) -> float:
    """Drive at equal currents, as many as lines carry in the middle of the network, [V]."""
    return float(surface.drive_voltage(np.full(2, LOAD), np.full(2, surface.conductance)))


def gain_of(surface: SenseSurface) -> float:
    """Drive by the difference of two lines there, [ohm]."""
    pairs = LOAD + np.array([MOVED, -MOVED])[:, None] * APART
    high, low = surface.drive_voltage(pairs, np.full((2, 2), surface.conductance))
    return float(high - low) / (2 * MOVED)


def on_surface(mapped: MappedNetwork, surface: SenseSurface, rows: float) -> MappedNetwork:
    """A network whose stages have a surface, and rows so many times their voltage."""

    def moved(layer: MappedLayer) -> MappedLayer:
        circuits = []
        for circuit in layer.circuits:
            assert isinstance(circuit.sense, SubcircuitStage)
            read = {"read_voltage": rows * circuit.array.read_voltage}
            bare = replace(circuit.sense, surface=None, wired=False)
            circuits.append(
                replace(circuit, sense=bare, array=circuit.array.model_copy(update=read))
            )
        return replace(layer, circuits=with_surfaces(circuits, lambda *_: surface))

    return replace(mapped, layers=tuple(map(moved, mapped.layers)))


def kept_surface(own: CornerStage, made: SenseSurface, place: Path) -> SenseSurface:
    """Surface of a stage, measured now or before."""
    if not place.exists():
        found = measured_stage(own, made, gain_of(made), lambda: click.echo(".", nl=False))
        place.write_text(json.dumps(found), encoding="utf-8")
        click.echo()
    return surface_of(made, json.loads(place.read_text(encoding="utf-8")))


@dataclass(frozen=True, eq=False)
class Setting:
    """A chip somewhere: its stages there, the surface that the network sees, and its rows, [1]."""

    corner: str
    celsius: int
    way: str
    there: SenseSurface
    seen: SenseSurface
    rows: float = 1.0


def settings(made: SenseSurface, out: Path) -> Iterator[Setting]:
    """Where the chip is made for, each point, not told and told of it, and at home with noise."""
    yield Setting(*MADE, "as made", made, made)
    for corner, celsius in POINTS:
        own = burst_conditions(corner, ZERO_CELSIUS + celsius)
        there = kept_surface(own, made, out / f"{corner}-{celsius}.json")
        yield Setting(corner, celsius, "not told", there, elsewhere(there, made))
        moved, rows = rest_of(made) - rest_of(there), gain_of(made) / gain_of(there)
        yield Setting(corner, celsius, "told", there, elsewhere(there, made, moved), rows)
    for noise in NOISE:
        noisy = elsewhere(made, made, noise=noise)
        yield Setting(*MADE, f"{noise / 1e-3:.0f} mV", made, noisy)


def measured(data: ms.Images, out: Path) -> Iterator[dict[str, Any]]:
    """Settings, each with what it loses against the chip where it is made for."""
    chip = ms.Chip(NETWORK, ms.load_device("fast-memristor", "freepdk45"))
    request = chip.request(data, cycles=CYCLES, burst=CYCLES)
    stage = request.mapped.layers[0].circuits[0].sense
    assert isinstance(stage, SubcircuitStage)
    assert stage.surface is not None
    right = None
    for one in settings(stage.surface, out):
        place = out / f"{one.corner}-{one.celsius}-{one.way.replace(' ', '-')}.json"
        if not place.exists():
            found = classified(request, one)
            place.write_text(json.dumps(found), encoding="utf-8")
        found = json.loads(place.read_text(encoding="utf-8"))
        correct = np.array(found.pop("correct"))
        right = correct if right is None else right
        point = {
            "corner": one.corner,
            "celsius": one.celsius,
            "way": one.way,
            "rest": rest_of(one.there),
            "gain": gain_of(one.there),
            "off": one.there.error.drive_rms,
            "sag": one.there.sag,
            "loss": asdict(ms.statistics.paired_difference(right[None], correct[None])),
            **found,
        }
        click.echo(f"{one.corner}, {one.celsius} C, {one.way}: {found['accuracy']['value']:.1%}")
        yield point


def classified(request: Request, one: Setting) -> dict[str, Any]:
    """Which images are right, and what an inference takes."""
    moved = on_surface(request.mapped, one.seen, one.rows)
    options = ms.RunOptions(execution=ms.Execution(workers=1))
    found = run_chip(replace(request, mapped=moved), energy_windows=WINDOWS, options=options)
    assert found.sampled_energy is not None
    assert found.accuracy is not None
    return {
        "accuracy": asdict(found.accuracy),
        "correct": found.correct().tolist(),
        "spikes": float(np.mean(list(found.spike_rate.values()))),
        "joule": found.sampled_energy.energy.total,
    }


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of CIFAR-10's binaries.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("results/corners"))
def main(data: Path | None, out: Path) -> None:
    """Run all points and write what they found."""
    out /= sources_hash()
    out.mkdir(parents=True, exist_ok=True)
    images = ms.load_images(data or "cifar10", "test", IMAGES)
    result = {
        "network": NETWORK,
        "device": "fast-memristor, freepdk45",
        "images": len(images),
        "cycles": CYCLES,
        "points": list(measured(images, out)),
    }
    text = json.dumps(result, indent=1, allow_nan=False) + "\n"
    RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
