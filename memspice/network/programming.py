"""What a chip is given for a layer: cells for its weights, rows for its biases, one bias voltage.

One conductance range stands for all numbers of a layer, and one range of row voltages for all its
biases, so a single large number would leave nothing of the others.  Biases are therefore spread
over as many rows as it takes for each row to stay below the drivers' limit and for each bias to be
right to a stated tolerance.  A neuron that no input can bring off a limit of its difference stage
needs no weights.  The biases of an accumulating layer are added where its outputs are accumulated
if they do not fit on a row at the read voltage.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from memspice.errors import ConfigError
from memspice.network.rounding import TOLERANCE, neurons_text, rounding_loss
from memspice.network.weights import WeightLayer

#: Most bias rows of a layer: beyond, most of what its bit lines carry would be biases.
MOST_BIAS_ROWS = 16
#: Relative change of a layer's weights by rounding that is not worth a note.
_NEGLIGIBLE = 1e-3


@dataclass(frozen=True)
class ChipLimits:
    """Limits of the circuits that a layer is put on.

    ``steps`` are the conductance levels less one; ``drive_limit`` is the largest row voltage in
    units of the read voltage.  ``limits`` and ``supplies`` are the weighted inputs [1] that stand
    for the lowest and highest output of a difference stage, and for the lowest and highest bias
    voltage that it can be given; an accumulating layer has neither.
    """

    steps: int
    drive_limit: float
    limits: tuple[float, float] | None = None
    supplies: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class Programmed:
    """A layer as cells, rows and voltages are to hold it.

    Parameters
    ----------
    layer : WeightLayer
        Weights and biases that the crossbar computes.
    rows : ndarray, shape (bias rows, outputs), [1]
        Cells of the bias rows, within the bound of the layer.
    levels : tuple of float, [1]
        Height of each bias row in units of the read voltage.
    common : float, [1]
        Part of all biases that the difference stages' bias voltage holds.
    offset : ndarray, shape (outputs,), [1]
        Part of the biases that is added where outputs are accumulated; zeros with neurons.
    bias_error : ndarray, shape (outputs,), [1]
        What the biases lose by levels.
    notes : tuple of str
        What is other than a reader would think.
    """

    layer: WeightLayer
    rows: np.ndarray
    levels: tuple[float, ...]
    common: float
    offset: np.ndarray
    bias_error: np.ndarray
    notes: tuple[str, ...]

    @property
    def matrix(self) -> np.ndarray:
        """Cells (inputs and bias rows, outputs) in units of the weights."""
        return np.concatenate([self.layer.weight.T, self.rows])

    def biases_json(self) -> dict[str, object]:
        """How the biases are held, and what the worst of them loses, in units of z."""
        worst = int(np.argmax(np.abs(self.bias_error)))
        return {
            "bias_row_levels": list(self.levels),
            "bias_error": float(abs(self.bias_error[worst])),
            "bias_worst_neuron": worst,
            "biases_added_to_scores": bool(self.offset.any()),
        }


def program_layer(layer: WeightLayer, name: str, chip: ChipLimits) -> Programmed:
    """Divide a layer into cells, bias rows and bias voltage.

    Parameters
    ----------
    layer : WeightLayer
        Weights within their bound, biases of any value.
    name : str
        Of the layer, for messages.
    chip : ChipLimits
        Limits.

    Raises
    ------
    ConfigError
        If a bias needs more rows than a layer may have; the message names its neuron.
    """
    notes = _weight_notes(layer, name, chip)
    if chip.limits is None or chip.supplies is None:
        if np.max(np.abs(layer.bias)) > layer.bound:
            return _added_to_scores(layer, name, notes)
        common, tolerance = float(np.mean(layer.bias)), math.inf
    else:
        layer, saturated = _without_saturated(layer, name, chip.limits)
        notes += saturated
        common, tolerance = float(np.clip(np.mean(layer.bias), *chip.supplies)), TOLERANCE
    rows, levels = _bias_rows(layer, common, name, chip, tolerance)
    if len(levels) > 1:
        heights = ", ".join(f"{level:.3g}" for level in levels)
        notes.append(f"{name}: {len(levels)} bias rows, at {heights} times the read voltage")
    error = np.array(levels) @ _on_levels(rows, layer.bound, chip) - (layer.bias - common)
    return Programmed(
        layer=layer,
        rows=rows,
        levels=levels,
        common=common,
        offset=np.zeros(len(error)),
        bias_error=error,
        notes=tuple(notes),
    )


def _added_to_scores(layer: WeightLayer, name: str, notes: list[str]) -> Programmed:
    """Accumulating layer whose biases no row holds: they are added behind it, as they are."""
    neuron, none = int(np.argmax(np.abs(layer.bias))), np.zeros_like(layer.bias)
    note = (
        f"{name}: biases are added to the accumulated scores, not on a row: that of neuron "
        f"{neuron}, {layer.bias[neuron]:.3g}, exceeds the largest weight, {layer.bound:.3g}"
    )
    bare = replace(layer, bias=none)
    return Programmed(
        layer=bare,
        rows=np.zeros((0, len(none))),
        levels=(),
        common=0.0,
        offset=layer.bias,
        bias_error=none,
        notes=(*notes, note),
    )


def _on_levels(cells: np.ndarray, bound: float, chip: ChipLimits) -> np.ndarray:
    return np.asarray(np.round(cells * (chip.steps / bound)) * (bound / chip.steps))


def _weight_notes(layer: WeightLayer, name: str, chip: ChipLimits) -> list[str]:
    """What the cells' levels cost weights that are not on them."""
    loss = rounding_loss(layer.weight, _on_levels(layer.weight, layer.bound, chip))
    if loss.error <= _NEGLIGIBLE:
        return []
    lost = f"; {neurons_text(loss.lost)} keep nothing" if loss.lost.size else ""
    return [
        f"{name}: weights are rounded onto {chip.steps + 1} conductance levels, relative error "
        f"{100 * loss.error:.2g} %, {100 * loss.worst_error:.2g} % in neuron {loss.worst_neuron}"
        f"{lost}"
    ]


def _without_saturated(
    layer: WeightLayer, name: str, limits: tuple[float, float]
) -> tuple[WeightLayer, list[str]]:
    """Layer whose neurons that are at a limit for every input are there by their bias alone."""
    highest = layer.bias + np.maximum(layer.weight, 0).sum(axis=1)
    lowest = layer.bias - np.maximum(-layer.weight, 0).sum(axis=1)
    off, on = highest <= limits[0], lowest >= limits[1]
    if not (off | on).any():
        return layer, []
    weight = np.where((off | on)[:, None], 0.0, layer.weight)
    bias = np.where(off, limits[0], np.where(on, limits[1], layer.bias))
    notes = [
        f"{name}: no input brings {neurons_text(np.flatnonzero(which))} off the {end} limit of the "
        f"drive (bias {layer.bias[which][0]:.3g}): held there without weights"
        for which, end in ((off, "lower"), (on, "upper"))
        if which.any()
    ]
    return replace(layer, weight=weight, bias=bias), notes


def _bias_rows(
    layer: WeightLayer, common: float, name: str, chip: ChipLimits, tolerance: float
) -> tuple[np.ndarray, tuple[float, ...]]:
    """Cells and heights of the rows that hold the biases, the last one not rounded to levels yet.

    Equal rows at most at the limit hold what there is; each further one holds what the rounding of
    those before has left.
    """
    left = layer.bias - common
    needed = float(np.max(np.abs(left))) / layer.bound
    equal = max(1, math.ceil(needed / chip.drive_limit * (1 - 1e-12)))
    level = needed / equal or 1.0
    rows: list[np.ndarray] = []
    levels: list[float] = []
    while equal <= MOST_BIAS_ROWS and len(rows) < MOST_BIAS_ROWS:
        cells = np.clip(left / level, -layer.bound, layer.bound)
        rounded = _on_levels(cells, layer.bound, chip)
        after = left - rounded * level
        levels.append(level)
        done = len(levels) >= equal
        if done and float(np.max(np.abs(after))) <= tolerance:
            return np.stack([*rows, cells]), tuple(levels)
        rows.append(rounded)
        left = after
        if done:
            level = float(np.max(np.abs(left))) / layer.bound
    neuron = int(np.argmax(np.abs(layer.bias - common)))
    raise ConfigError(
        f"layer {name}: the bias of neuron {neuron}, {layer.bias[neuron]:.4g}, is "
        f"{needed:.3g} times the largest weight ({layer.bound:.3g}) away from the bias voltage "
        f"({common:.3g}) and does not fit on {MOST_BIAS_ROWS} bias rows at {chip.drive_limit:.3g} "
        "times the read voltage; train with smaller biases, or raise array.drive_limit or "
        "synapse.levels"
    )
