"""Cells as the table of memory states of NeuroSim (V1.5), and its options for the rest.

The table has a row for each state, as many as ``2**bitcell``: its number, and mean and standard
deviation of its conductance in siemens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from memspice.experiment.results.exported import ExportedCells, ExportedLayer
from memspice.experiment.targets.crosssim import cell_bits

LEFT_OUT = (
    "wires and drivers: its functional simulation has none",
    "sense stages without a converter: it digitizes every column, and its table of output noise is "
    "by the code of that converter (--output_noise_file), which no circuit here has",
    "the neuron: its layers end in ReLU; P(V) is in the export",
    "weights in pairs of columns: it subtracts a reference of its own",
    "joules of circuits: it estimates its own, of its own circuits",
)


def neurosim_files(
    about: Mapping[str, Any], cells: ExportedCells, layers: Sequence[ExportedLayer]
) -> dict[str, str]:
    """Texts of the table and of what stands around it, by the ends of their names.

    Raises
    ------
    ConfigError
        If the levels of a cell are no power of two.
    """
    bits = cell_bits(cells.levels, "NeuroSim")
    mean, sd = _states(cells)
    rows = [f"{k},{mean[k]:.9g},{sd[k]:.9g}" for k in range(cells.levels)]
    options = {
        "mem_type": "resistive",
        "bitcell": bits,
        "off_state": f"{cells.min_conductance * cells.aged:.9g}",
        "on_state": f"{cells.max_conductance * cells.aged:.9g}",
        "rate_stuck_0": f"{cells.stuck_off:g}",
        "rate_stuck_1": f"{cells.stuck_on:g}",
        "sub_array": f'"[{about["tile"][0]}, {about["tile"][1]}]"',
        "parallel_read": about["tile"][0],
        "vdd": f"{layers[0].read_voltage:g}",
        "read_noise": 0,
        "output_noise": 0,
        "v": 0,
    }
    lines = [
        f"Options of NeuroSim V1.5's inference.py; {about['source']}",
        "",
        *(f"--{name} {value}" for name, value in options.items()),
        "--mem_states_file FILE, the table beside this file",
        "",
        "Left out:",
        *(f"- {item}" for item in LEFT_OUT),
    ]
    return {
        "neurosim.csv": "\n".join(["states,mean,std", *rows]) + "\n",
        "neurosim.txt": "\n".join(lines) + "\n",
    }


def _states(cells: ExportedCells) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation [S] of each state: log-normal about its median."""
    median = np.linspace(cells.min_conductance, cells.max_conductance, cells.levels) * cells.aged
    return median * cells.mean_factor, median * cells.relative_sd
