"""``memspice infer``: accuracy of the spiking network and of its ANN."""

from __future__ import annotations

import json
from typing import Any

import click
from tqdm import tqdm

from memspice.cli_options import JOBS, counter, note_lines, setup_options, take_setup
from memspice.experiment.infer import infer
from memspice.quantities import format_si


@click.command("infer")
@setup_options(images=100, cycles=32)
@click.option(
    "--fidelity",
    type=click.Choice(["surrogate", "reduced", "full"]),
    default="surrogate",
    show_default=True,
    help="reduced and full: every spike of a dense network out of SPICE.",
)
@click.option("--jobs", type=JOBS, default=2, show_default=True, help="Decks at a time.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def infer_command(fidelity: Any, jobs: int, as_json: bool, **options: Any) -> None:
    """Classify images: spiking network beside ANN."""
    setup = take_setup(options)
    with tqdm(desc="infer", unit="step", delay=2.0, leave=False) as bar:
        result = infer(setup, fidelity, jobs, counter(bar))
    if as_json:
        click.echo(json.dumps(result, allow_nan=False))
        return
    dataset = result["dataset"]
    click.echo(f"{result['network']} on {dataset['images']} images of {dataset['name']}")
    click.echo("\n".join([f"  {dataset['source']}", *note_lines(result)]))
    for name in ("ann_accuracy", "snn_accuracy"):
        item = result[name]
        click.echo(
            f"  {name[:3].upper()} accuracy {100 * item['value']:.2f} %  "
            f"(95 %: {100 * item['low']:.2f} to {100 * item['high']:.2f})"
        )
    for name, rate in result["spike_rate"].items():
        click.echo(f"  {name}: {rate:.4f} spikes per event")
    if "energy_joule" in result:
        total = format_si(result["energy_joule"]["total"] / dataset["images"], "J")
        click.echo(
            f"  {total} per image, closure {result['energy_closure']:.1e}, "
            f"{result['mismatches']} of {result['events']} spikes differ from the closed form"
        )
    click.echo(f"  {result['wall_seconds']:.1f} s")
