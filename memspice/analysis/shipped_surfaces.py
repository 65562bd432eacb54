"""Surfaces of sense stages that travel with memspice: nothing is simulated where they hold.

A file beside the stage's circuit (``models/freepdk45/NAME.surface.json``) has the numbers of a
surface, and under ``of`` all that they were measured from: circuit and transistor cards by their
hash, clocks and supplies, conditions, nodes and tolerances.  Where a stage differs in any of it,
the file is not for that stage.  The slope V0 of the device alone may be another where drives are
flat: it weighs the instants of a write, and moves a drive that falls by ``droop`` through it by
``droop^2 / 8`` times the difference of ``1 / V0`` at most.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from memspice.analysis.sense_surface import OPTIONS, STEPS, SenseConditions
from memspice.analysis.surface_limits import refuse_rough, refuse_sag
from memspice.circuits.sense_bench import ClockedStage
from memspice.circuits.sense_surface import SenseSurface, Sheet, SurfaceError
from memspice.jobs import content_hash
from memspice.resources import resource_path

#: Folder of the stages that have such files, and what ends the files' names.
FOLDER, ENDING = "freepdk45", ".surface.json"
#: What another V0 may move a drive by, [V]: a tenth of what surfaces are off.
_SAME_DRIVE = 1e-5
#: Digits of a value: 0.1 uV of a drive.
_DIGITS = 7


def shipped_surface(stage: ClockedStage, conditions: SenseConditions) -> SenseSurface | None:
    """Surface of a stage that comes with memspice.

    Parameters
    ----------
    stage : ClockedStage
    conditions : SenseConditions
        Under what it would be measured.

    Returns
    -------
    SenseSurface or None
        None where there is no file for the stage, or where it was measured from anything else.

    Raises
    ------
    ConfigError
        If the surface is too rough for the V0 of the conditions.
    """
    path = surface_path(stage)
    if stage.library is None or not path.exists():
        return None
    stored = json.loads(path.read_text(encoding="utf-8"))
    if not _is_of(stored, origin(stage, conditions)):
        return None
    surface = _surface(stored, conditions)
    refuse_rough(stage.subcircuit, surface.error, conditions.voltage_scale)
    refuse_sag(stage.subcircuit, surface.sag, conditions.voltage_scale)
    return surface


def _is_of(stored: dict[str, Any], asked: dict[str, Any]) -> bool:
    """Whether a file was measured from what is asked for, another V0 of no effect aside."""
    measured = stored["of"]
    old, new = (each["conditions"]["voltage_scale"] for each in (measured, asked))
    alike = {**measured, "conditions": {**measured["conditions"], "voltage_scale": new}} == asked
    return alike and stored["droop"] ** 2 / 8 * abs(1 / new - 1 / old) <= _SAME_DRIVE


def surface_path(stage: ClockedStage) -> Path:
    """File of a stage's surface, whether it is there or not."""
    return resource_path(FOLDER) / f"{stage.subcircuit}{ENDING}"


def surface_text(
    stage: ClockedStage, conditions: SenseConditions, surface: SenseSurface, engine: str
) -> str:
    """Text of such a file.

    Parameters
    ----------
    stage : ClockedStage
    conditions : SenseConditions
    surface : SenseSurface
        As it was measured.
    engine : str
        On which engine.
    """
    single = ("drift", "memory", "droop", "sag")
    stored = {
        "of": origin(stage, conditions),
        "engine": engine,
        **{name: getattr(surface, name) for name in single},
        "error": asdict(surface.error),
        "sheet": _rounded(surface.sheet.values),
        "lines": [{"nodes": line.nodes, "values": _rounded(line.values)} for line in surface.lines],
    }
    # a line for each row of nodes
    return json.dumps(stored, indent=1).replace("\n    ", " ") + "\n"


def origin(stage: ClockedStage, conditions: SenseConditions) -> dict[str, Any]:
    """All that decides a surface, as JSON has it."""
    library = stage.library
    assert library is not None, "only subcircuits have files of their own"
    plain = (
        *("supplies", "line_level", "rows", "line_capacitance", "load", "parameters", "pulses"),
        "temperature",
    )
    clocks = {name: _clocks(getattr(stage, name)) for name in ("clocks", "once", "held")}
    described = {
        "circuit": content_hash(library.text, library.cards),
        "terminals": stage.terminals,
        "warm_up": stage.warm_up,
        **{name: getattr(stage, name) for name in plain},
        **clocks,
        "conditions": asdict(conditions),
        "coordinates": type(conditions.axes).__name__,
        "solver": {**asdict(OPTIONS), "steps": STEPS},
    }
    found: dict[str, Any] = json.loads(json.dumps(described))
    return found


def _clocks(clocks: Any) -> dict[str, Any]:
    return {name: asdict(clock) for name, clock in clocks.items()}


def _surface(stored: dict[str, Any], conditions: SenseConditions) -> SenseSurface:
    lines = (Sheet(_nodes(line["nodes"]), np.array(line["values"])) for line in stored["lines"])
    return SenseSurface(
        axes=conditions.axes,
        conductances=conditions.conductances,
        pair=conditions.pair,
        sheet=Sheet(conditions.axes.nodes, np.array(stored["sheet"])),
        lines=tuple(lines),
        drift=stored["drift"],
        memory=stored["memory"],
        droop=stored["droop"],
        sag=stored["sag"],
        error=SurfaceError(**stored["error"]),
    )


def _nodes(stored: list[list[float]]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    first, second = stored
    return tuple(first), tuple(second)


def _rounded(values: np.ndarray) -> Any:
    """Nested lists of numbers of some digits."""
    return np.vectorize(lambda value: float(f"{value:.{_DIGITS}g}"))(values).tolist()
