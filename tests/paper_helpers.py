"""Results of the scripts behind the page, made up, with files that look like theirs."""

from __future__ import annotations

import base64
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from memspice.analysis.cmos import OPPONENTS, SCOPES
from memspice.circuits.energy_model import NETWORK_COMPONENTS
from tests.report_helpers import example_table

ROOT = Path(__file__).parents[1]
for folder in (".", "paper", "robustness"):  # scripts, not a package
    sys.path.insert(0, str(ROOT / "experiments" / folder))

from rows import rows  # noqa: E402

#: One white pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsS4XOAAAAABJRU5ErkJggg=="
)
SPICE = {
    "windows": 14, "full_windows": 1, "events": 1792, "mismatches": 0, "worst_margin": 0.0,
    "closure_max": 2e-5,
}  # fmt: skip


def script(name: str, file: str = "run") -> ModuleType:
    """A script of an experiment; other experiments have neighbours of the same names."""
    folder = ROOT / "experiments" / name
    neighbours = {path.stem for path in folder.glob("*.py")}
    others = {stem: sys.modules.pop(stem) for stem in neighbours & sys.modules.keys()}
    spec = importlib.util.spec_from_file_location(f"experiments_{name}", folder / f"{file}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    path = sys.path.copy()
    sys.path.insert(0, str(folder))
    try:
        sys.modules[spec.name] = module  # where its data classes look for their types
        spec.loader.exec_module(module)
    finally:
        sys.path[:] = path
        for stem in neighbours:
            sys.modules.pop(stem, None)
        sys.modules.update(others)
    return module


def interval(value: float, half: float = 0.002) -> dict[str, float]:
    return {"value": value, "low": value - half, "high": value + half}


def curve(losses: dict[int, float], half: float = 0.002) -> list[dict[str, Any]]:
    return [{"cycles": t, "loss": interval(loss, half)} for t, loss in losses.items()]


def sweep(name: str, losses: list[float], group: str = "variation") -> dict[str, Any]:
    """Sweep of values 0, 1, 2, ... with the losses given."""
    points = [
        {"value": value, "loss": interval(loss), "energy_ratio": interval(1.0)}
        for value, loss in enumerate(losses)
    ]
    return {
        "name": name, "title": f"title of {name}", "unit": "1", "group": group,
        "source": "a source", "nominal": 0, "values": [point["value"] for point in points],
        "points": points,
    }  # fmt: skip


def device(name: str, ratios: tuple[float, float, float] = (3.0, 0.8, 0.6)) -> dict[str, Any]:
    """Energies with the same ratio against every opponent, by scope; intervals of 4 %."""
    by_scope = dict(zip(SCOPES, ratios, strict=True))
    return {
        "device": name, "notes": [], "device_source": "what-if", "assumed_fraction": 0.91,
        "ann_accuracy": {"value": 0.83},
        **example_table({scope: dict.fromkeys(OPPONENTS, r) for scope, r in by_scope.items()}),
        "memristive_joule": dict.fromkeys(SCOPES, 3e-6),
        "cmos_baseline_joule": {s: dict.fromkeys(OPPONENTS, 3e-6 * by_scope[s]) for s in SCOPES},
        "spice": {**SPICE, "layers": {"conv1": SPICE}},
        "energy_by_layer_joule": {"conv1": dict.fromkeys(NETWORK_COMPONENTS, 3.75e-7)},
        "energy_per_inference_joule": dict.fromkeys(NETWORK_COMPONENTS, 3.75e-7),
        "energy_total_joule": {
            "value": 3e-6, "low": 2.9e-6, "high": 3.1e-6, "model_low": 1e-6, "model_high": 5e-6,
        },
        "parameters": [
            {"table": "hazard", "name": "voltage_scale", "value": 0.156, "unit": "V",
             "label": "R", "source": "a paper"}
        ],
    }  # fmt: skip


def circuit(name: str, p_value: float = 0.5) -> dict[str, Any]:
    return {
        "parameter_set": name, "agreement": {"p_value": p_value}, "mismatches": 0,
        "events": 2304, "worst_margin": 0.0,
    }  # fmt: skip


def made_up() -> dict[str, dict[str, Any]]:
    """Results of all scripts."""
    common = {"full": False, "device": "fast-memristor", "notes": [], "wall_seconds": 60.0}
    results = {
        "stochastic_neuron": {
            "devices": [circuit("ag-asi"), circuit("sot-mtj")],
            "network": "digits-mlp", "stochastic": [{"cycles": 8, "gain": interval(0.02)}],
        },
        "conversion": {
            "network": "digits-mlp",
            "beside": [],
            "curves": {"ideal": curve({1: 0.03, 8: 0.001}), "real": curve({1: 0.04, 8: 0.005})},
        },
        "robustness": {
            "network": "digits-mlp", "images": 360, "cycles": 8, "chips": 5,
            "nominal": {"accuracy": interval(0.97), "energy_joule": interval(2e-9, 1e-11)},
            "sweeps": [sweep("variation", [0.0, 0.001, 0.2]),
                       sweep("wires", [0.0, 0.0], "resistance"),
                       sweep("threshold", [0.0, 0.3], "switching")],
        },
        "energy_ratio": {
            "devices": [device("fast-memristor"), device("sot-mtj", (0.02, 0.6, 0.5))],
            "cmos_neuron": {"energy_joule": 2.4e-13, "relative_half_width": 0.05, "decisions": 25},
        },
    }  # fmt: skip
    return {
        name: {**common, "question": name, "command": f"python experiments/{name}/run.py", **found}
        for name, found in results.items()
    }


def write_results(folder: Path, results: dict[str, dict[str, Any]]) -> None:
    """Write result files and a figure for every name that a row asks for."""
    for name, found in results.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "result.json").write_text(json.dumps(found), encoding="utf-8")
    for row in rows(results):
        for figure in row.figures:
            (folder / row.script / f"{figure}.png").write_bytes(PNG)
