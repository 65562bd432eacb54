"""What a long simulation will take, said before it begins, and what would be cheaper."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

import memspice as ms

#: Less processor time than this is not worth a line, [s].
_LONG = 60.0
_UNITS = ((86400.0, "days"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def tell_estimate(
    chip: ms.Chip, layer: str, *, images: int, cycles: int, asked: dict[str, Any]
) -> None:
    """Say on standard error how long a simulation takes, if it takes long.

    Parameters
    ----------
    chip : Chip
    layer : str
        Name of the layer.
    images, cycles : int
        How many.
    asked : dict
        ``positions``, ``fidelity`` and ``engine`` of the run.
    """
    sizes = {"images": images, "cycles": cycles, "positions": asked["positions"]}
    words = {"fidelity": asked["fidelity"], "engine": asked["engine"]}
    seconds = chip[layer].expected_seconds(**sizes, **words)
    if seconds < _LONG:
        return
    lines = [
        f"memspice: {layer} in {words['fidelity']} on {words['engine']} takes about "
        f"{_about(seconds)} of processor time, within a factor of a few; cheaper are"
    ]
    quicker = _seconds_on_vacask(chip, layer, sizes | {"fidelity": words["fidelity"]})
    if words["engine"] != "vacask" and quicker is not None and quicker < seconds:
        lines.append(f"  --engine vacask       about {_about(quicker)}, the same circuit")
    if words["fidelity"] == "full":
        lines += [*_less_than_full(chip, layer, seconds, sizes | words)]
    if chip.device.periphery != "behavioural":
        lines.append("  --periphery behavioural  models, whose joules are assumed")
    click.echo("\n".join(lines), err=True)


def _less_than_full(
    chip: ms.Chip, layer: str, seconds: float, asked: dict[str, Any]
) -> Iterator[str]:
    """Lines about circuits that are less than every cell and wire of whole tiles."""
    reduced = chip[layer].expected_seconds(**asked | {"fidelity": "reduced"})
    about = f"about {_about(reduced)}" if reduced > 1 else "seconds"
    yield f"  --fidelity reduced    {about}, where it is exact, which is checked"
    small = ms.Chip(chip.network, chip.device, tile=(32, 32), seed=chip.seed)
    tiled = small[layer].expected_seconds(**asked)
    if tiled < 0.5 * seconds:
        yield f"  --tile 32x32          about {_about(tiled)}, another circuit"


def _seconds_on_vacask(chip: ms.Chip, layer: str, asked: dict[str, Any]) -> float | None:
    """Time on VACASK; None where it is not installed."""
    try:
        return chip[layer].expected_seconds(**asked, engine="vacask")
    except ms.errors.EngineNotFound:
        return None


def _about(seconds: float) -> str:
    """One or two digits and the largest unit that fits."""
    size, unit = next((s, u) for s, u in _UNITS if seconds >= s or s == 1.0)
    return f"{float(f'{seconds / size:.2g}'):g} {unit}"
