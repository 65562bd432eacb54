"""Inputs of other network simulators, made of an export; each says what its tool cannot hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memspice.experiment.results.exported import ExportedCells, ExportedLayer
from memspice.experiment.targets.aihwkit import aihwkit_files
from memspice.experiment.targets.crosssim import crosssim_files
from memspice.experiment.targets.neurosim import neurosim_files


@dataclass(frozen=True)
class ExportTarget:
    """Another tool: the ends of the names of its files, and who makes their texts."""

    ends: tuple[str, ...]
    files: Callable[[Mapping[str, Any], ExportedCells, Sequence[ExportedLayer]], dict[str, str]]


#: By name.
TARGETS: Mapping[str, ExportTarget] = {
    "aihwkit": ExportTarget(("aihwkit.json",), aihwkit_files),
    "crosssim": ExportTarget(("crosssim.json",), crosssim_files),
    "neurosim": ExportTarget(("neurosim.csv", "neurosim.txt"), neurosim_files),
}
