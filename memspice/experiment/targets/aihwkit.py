"""Layers as configurations of aihwkit (1.1.0): `InferenceRPUConfig` of an analog tile.

Names and meanings of the fields are those of its documentation (`IOParameters`,
`MappingParameter`, `StateIndependentNoiseModel`, `SinglePairConductanceConverter`).  A weight of
the bound is an analog weight of 1, which stands for the whole range of conductance.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from memspice.errors import ConfigError
from memspice.experiment.results.exported import ExportedCells, ExportedLayer

#: What the configuration does not hold.
LEFT_OUT = (
    "stuck cells: its noise models have none; they are in `statistics`",
    "the limits of the drive, which are not symmetric and count the bias: clip z to `after.clip`",
    "the neuron: draw a spike with the probability of `after.activation`, once a cycle",
    "offsets of sense stages and neurons, and spreads of V0 and tau0: they are in `statistics`",
    "rounding to levels: give the tile weights that lie on them, as those of a network file do",
    "biases on rows of the array: its digital bias is exact",
    "bit lines that join row tiles at one sense stage: each tile's sum is digital there",
    "the IR drop along rows and of drivers, output by output: its mean is in `out_scale`",
    "energies and times: it has none",
)
#: And how what it does hold is to be read.
READ = (
    "cells spread log-normally here and normally there, with the same standard deviation",
    "age and temperature are in `out_scale` and `prog_coeff`: program, and let no time pass",
    "its rows draw current only where an input is not zero; `ir_drop` is set so that the mean loss "
    "along the bit lines, at the mean input, is that of the port matrix, in which rows at rest "
    "stay at zero volts",
)


def aihwkit_files(
    about: Mapping[str, Any], cells: ExportedCells, layers: Sequence[ExportedLayer]
) -> dict[str, str]:
    """Text of the file, by the end of its name.

    Parameters
    ----------
    about : mapping
        Where the numbers are from.
    cells : ExportedCells
    layers : sequence of ExportedLayer

    Raises
    ------
    ConfigError
        If a layer has no gain: too few inputs were seen.
    """
    content = {
        "format": "memspice-aihwkit-1",
        "aihwkit": "1.1.0",
        "about": dict(about),
        "read": list(READ),
        "left_out": list(LEFT_OUT),
        "layers": {layer.name: _layer(about["tile"], cells, layer) for layer in layers},
    }
    return {"aihwkit.json": json.dumps(content, indent=1, allow_nan=False) + "\n"}


def _layer(tile: tuple[int, int], cells: ExportedCells, layer: ExportedLayer) -> dict[str, Any]:
    if np.isnan(layer.array.gain).all():
        raise ConfigError(
            f"layer {layer.name} saw one input only, so that its outputs have no gain: export it "
            "with more images"
        )
    columns = float(np.nanmean(layer.ir_drop.columns))
    return {
        "rpu_config": {
            "forward": {
                "inp_bound": 1.0,
                "inp_res": -1.0,
                "inp_noise": 0.0,
                "out_bound": 1e6,
                "out_res": -1.0,
                "out_noise": 0.0,
                "out_scale": float(np.nanmean(layer.array.gain)) / columns,
                "w_noise": 0.0,
                "w_noise_type": "NONE",
                **_ir_drop(cells, layer, columns),
                "bound_management": "NONE",
                "noise_management": "NONE",
            },
            "mapping": {
                "digital_bias": True,
                "weight_scaling_omega": layer.largest_weight / layer.bound,
                "weight_scaling_columnwise": False,
                "learn_out_scaling": False,
                "out_scaling_columnwise": False,
                "max_input_size": math.ceil(layer.rows / layer.row_tiles),
                "max_output_size": tile[1] // 2,
            },
            "noise_model": _noise_model(cells, layer),
            "drift_compensation": None,
        },
        "after": {
            "clip": list(layer.range),
            "activation": "1 - exp(-exp(z))" if layer.spiking else None,
        },
        "statistics": _statistics(layer),
    }


def _ir_drop(cells: ExportedCells, layer: ExportedLayer, columns: float) -> dict[str, float]:
    """Wires along the bit lines, as a multiple of what its formula gives.

    A line of ``n`` equal currents with the sum ``I`` drops ``I R n (1 - p^2) / 2`` at the share
    ``p`` of its length: a third of ``I R n`` in the mean.
    """
    resistance, span = cells.wire_resistance_col, cells.span
    if resistance == 0:
        return {"ir_drop": 0.0}
    count = layer.inputs / layer.row_tiles
    load = count * layer.mean_weight / layer.bound * layer.mean_input
    expected = count * load * resistance * span / 3
    scale = (1 - columns) / expected if expected > 0 else 1.0
    return {"ir_drop": scale, "ir_drop_g_ratio": 1 / (resistance * span)}


def _noise_model(cells: ExportedCells, layer: ExportedLayer) -> dict[str, Any]:
    """Spread of cells as programming noise; conductances in microsiemens."""
    # its converter maps the largest weight that there is onto its g_max
    largest = cells.min_conductance + cells.span * layer.largest_weight / layer.bound
    return {
        "class": "StateIndependentNoiseModel",
        "g_converter": {
            "class": "SinglePairConductanceConverter",
            "g_max": 1e6 * largest,
            "g_min": 1e6 * cells.min_conductance,
        },
        "prog_coeff": [0.0, 1e6 * largest * cells.relative_sd, 0.0],
        "prog_noise_scale": 1.0,
        "drift_nu_mean": 0.0,
        "drift_nu_std": 0.0,
        "read_noise_scale": 0.0,
    }


def _statistics(layer: ExportedLayer) -> dict[str, Any]:
    """What memspice measured, to be found there again."""
    noise = layer.array.noise
    return {
        "gain_mean": float(np.nanmean(layer.array.gain)),
        "gain_sd": float(np.nanstd(layer.array.gain)),
        "offset_sd": float(np.nanstd(layer.array.offset)),
        "noise": None if math.isnan(noise) else noise,
        "ir_drop_columns": float(np.nanmean(layer.ir_drop.columns)),
        "ir_drop": float(np.nanmean(layer.ir_drop.gain)),
    }
