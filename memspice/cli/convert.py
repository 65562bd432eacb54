"""``memspice convert``: a network of another framework as a memspice network file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from memspice.cli.options import parents_option
from memspice.cli.output import report
from memspice.errors import ConfigError
from memspice.importers.nir_import import import_nir
from memspice.importers.operations import shape_text
from memspice.network.programming import program_layer
from memspice.network.rounding import Rounding, round_network
from memspice.network.scales import chip_limits
from memspice.network.weights import Network, check_network_file, save_network
from memspice.parameters import load_parameter_set

#: Device whose limits the report of a conversion rests on, as that of the other commands.
DEFAULT_DEVICE = "fast-memristor"


@click.command("convert")
@click.argument("model", metavar="MODEL.nir", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write."
)
@parents_option
@click.option("--input-shape", help="CHANNELSxROWSxCOLUMNS, instead of the file's, such as 1x8x8.")
@click.option(
    "--neurons",
    type=click.Choice(["exact", "stochastic"]),
    default="exact",
    show_default=True,
    help="stochastic: put stochastic neurons in the place of IF, LIF and CubaLIF.",
)
@click.option("--time-step", type=float, help="Time that one cycle stands for, in the file's s.")
@click.option("--levels", default=32, show_default=True, help="Conductance levels of a cell.")
@click.option(
    "--clip-sigma", type=float, help="Clip weights beyond so many standard deviations of a layer."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def convert_command(
    model: Path,
    out: Path,
    input_shape: str | None,
    neurons: Any,
    time_step: float | None,
    levels: int,
    clip_sigma: float | None,
    parents: bool,
    as_json: bool,
) -> None:
    """Make a network file of MODEL.nir, a NIR graph.

    The other commands take it with --network. Needs the extra memspice[nir].
    """
    if out.suffix != ".h5":
        raise ConfigError(f"--out {out} must end in .h5, for --network to take it")
    check_network_file(out, parents=parents)
    shape = parse_shape(input_shape) if input_shape else None
    raw = import_nir(model, input_shape=shape, neurons=neurons, time_step=time_step)
    network, roundings = round_network(raw, levels, clip_sigma)
    result = conversion_json(network, roundings, levels, out)
    save_network(network, out, levels)
    report(result, partial(conversion_text, result), as_json=as_json, stored=[out])


def parse_shape(text: str) -> tuple[int, ...]:
    """Sides of ``1x8x8``.

    Raises
    ------
    ConfigError
        If the text is none.
    """
    if not re.fullmatch(r"\d+(x\d+){0,2}", text):
        raise ConfigError(f"--input-shape {text!r} must be CHANNELSxROWSxCOLUMNS, such as 1x8x8")
    return tuple(int(side) for side in text.split("x"))


def conversion_json(
    network: Network, roundings: Sequence[Rounding], levels: int, out: Path
) -> dict[str, object]:
    """What was converted, and what it cost on cells of so many levels with the default device.

    Raises
    ------
    ConfigError
        If a bias does not fit on them.
    """
    steps = list(network.architecture.shapes())
    parameter_set = load_parameter_set(DEFAULT_DEVICE, crossbar={"synapse.levels": levels})
    layers: list[dict[str, object]] = []
    notes: list[str] = []
    for step, layer, rounding in zip(steps, network.layers, roundings, strict=True):
        limits = chip_limits(parameter_set, spiking=step.number < len(steps))
        programmed = program_layer(layer, step.name, limits)
        notes += programmed.notes
        layers.append(
            {
                "name": step.name,
                "outputs": layer.weight.shape[0],
                "fan_in": layer.weight.shape[1],
                "bound": rounding.bound,
                "clipped": rounding.clipped,
                "rounding_error": rounding.error,
                "worst_neuron": rounding.worst_neuron,
                "worst_neuron_error": rounding.worst_error,
                "zeroed": rounding.zeroed,
                **programmed.biases_json(),
            }
        )
    return {
        "network": network.name,
        "input_shape": list(network.architecture.input_shape),
        "layers": layers,
        "changes": network.provenance["changes"],
        "rates": network.provenance["rates"],
        "notes": [*network.provenance["warnings"], *notes],
        "out": str(out),
    }


def conversion_text(result: dict[str, Any]) -> str:
    """The same, to read."""
    lines = [f"{result['network']}, input {shape_text(result['input_shape'])}"]
    lines += [
        f"  {layer['name']}: {layer['outputs']} x {layer['fan_in']}, bound {layer['bound']:.3g}, "
        f"{100 * layer['clipped']:.2f} % clipped, rounding {100 * layer['rounding_error']:.2f} % "
        f"({100 * layer['worst_neuron_error']:.2f} % in neuron {layer['worst_neuron']}), "
        f"{100 * layer['zeroed']:.2f} % became zero, biases within {layer['bias_error']:.2g} "
        f"(neuron {layer['bias_worst_neuron']})"
        for layer in result["layers"]
    ]
    lines += [f"  note: {note}" for note in result["notes"]]
    lines += [f"  changed: {change}" for change in result["changes"]]
    return "\n".join([*lines, f"wrote {result['out']}"])
