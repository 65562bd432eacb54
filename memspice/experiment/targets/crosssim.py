"""Layers as parameters of CrossSim (3.2): what `CrossSimParameters.from_dict` takes, by layer.

The structure is that of its documented parameter tree (`core`, `xbar.device`, `xbar.array`,
`xbar.adc`, `xbar.dac`); what is not named keeps its default.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from memspice.errors import ConfigError
from memspice.experiment.results.exported import ExportedCells, ExportedLayer

#: Members of its enumerations.
BALANCED, ONE_SIDED = 1, 1
LEFT_OUT = (
    "sizes of tiles: set core.rows_max and core.cols_max by `tile` (outputs have two columns)",
    "stuck cells, and the log-normal form of their spread: it is normal there, of equal size",
    "rows that carry both columns of a pair: its halves are arrays of their own, half as wide",
    "drift: age and temperature are in Rmin and Rmax",
    "the gain, the swing and the offsets of sense stages: its ADC is ideal here; clip z to `after`",
    "the neuron: draw a spike with the probability of `after`, once a cycle",
    "biases on rows of the array, and the drivers' own energy: it has neither",
    "energies and times: it has none",
    "cells that are no resistors",
)


def crosssim_files(
    about: Mapping[str, Any], cells: ExportedCells, layers: Sequence[ExportedLayer]
) -> dict[str, str]:
    """Text of the file, by the end of its name; see `aihwkit_files`.

    Raises
    ------
    ConfigError
        If the levels of a cell are no power of two, as its cells have them.
    """
    content = {
        "format": "memspice-crosssim-1",
        "crosssim": "3.2",
        "about": dict(about),
        "left_out": list(LEFT_OUT),
        "layers": {layer.name: _layer(cells, layer) for layer in layers},
    }
    return {"crosssim.json": json.dumps(content, indent=1, allow_nan=False) + "\n"}


def cell_bits(levels: int, tool: str) -> int:
    """Bits of a cell.

    Raises
    ------
    ConfigError
        If the levels are no power of two.
    """
    bits = levels.bit_length() - 1
    if levels != 1 << bits:
        raise ConfigError(
            f"cells of {tool} have a power of two of levels, and synapse.levels = {levels}: use "
            f"{1 << bits} or {2 << bits}"
        )
    return bits


def _layer(cells: ExportedCells, layer: ExportedLayer) -> dict[str, Any]:
    return {
        "parameters": {
            "core": {
                "style": BALANCED,
                "balanced": {
                    "style": ONE_SIDED,
                    "interleaved_posneg": False,
                    "subtract_current_in_xbar": False,
                },
                "mapping": {
                    "weights": {"clipping": True, "min": -layer.bound, "max": layer.bound},
                    "inputs": {"mvm": {"clipping": True, "min": 0.0, "max": 1.0}},
                },
            },
            "xbar": {
                "device": _device(cells, layer),
                "array": {"parasitics": _wires(cells, layer)},
            },
        },
        "after": {
            "clip": list(layer.range),
            "activation": "1 - exp(-exp(z))" if layer.spiking else None,
        },
    }


def _device(cells: ExportedCells, layer: ExportedLayer) -> dict[str, Any]:
    return {
        "cell_bits": cell_bits(cells.levels, "CrossSim"),
        "Rmin": 1 / (cells.max_conductance * cells.aged),
        "Rmax": 1 / (cells.min_conductance * cells.aged),
        "Vread": layer.read_voltage,
        "infinite_on_off_ratio": False,
        "clip_conductance": False,
        "programming_error": {
            "enable": cells.relative_sd > 0,
            "model": "NormalProportionalDevice",
            "magnitude": cells.relative_sd,
        },
        "read_noise": {"enable": False},
        "drift_error": {"enable": False},
    }


def _wires(cells: ExportedCells, layer: ExportedLayer) -> dict[str, Any]:
    return {
        "enable": True,
        "Rp_row": cells.wire_resistance_row,
        "Rp_col": cells.wire_resistance_col,
        "Rp_row_terminal": cells.driver_resistance,
        "Rp_col_terminal": layer.input_resistance,
    }
