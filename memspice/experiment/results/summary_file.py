"""A co-simulation's result out of its ``summary.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from memspice.analysis.cmos import PAPERS, SCOPES
from memspice.analysis.merit import PARTS
from memspice.errors import IncompleteResults
from memspice.experiment.results.against_cmos import SENSE_PARTS
from memspice.experiment.results.cosim import CosimResult
from memspice.experiment.results.plain import from_plain
from memspice.store import Provenance


def cosim_from_summary(summary: Mapping[str, Any]) -> CosimResult:
    """Result of what `CosimResult.as_json` has made, without records, network and images.

    Parameters
    ----------
    summary : mapping
        As ``summary.json`` holds it.

    Raises
    ------
    IncompleteResults
        If a key is missing.
    """
    try:
        engine = summary["engine"]
        command = summary.get("command", "")
        made = Provenance(
            config="", seed=summary["seed"], engine=engine, versions={}, command=command, started=""
        )
        return from_plain(CosimResult, _fields(summary), records=(), provenance=made)
    except KeyError as error:
        raise IncompleteResults(
            f"the summary lacks {error}: run the co-simulation again with this memspice"
        ) from error


def _fields(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a result by their own names."""
    same = (
        "network", "device", "dataset", "engine", "seed", "cycles", "notes", "jobs", "failures",
        "wall_seconds", "ann_accuracy", "spike_rate", "settled", "excluded", "parameters",
        "cmos_constants", "versions",
    )  # fmt: skip
    names = ("drive_gain", "drive_offset", "log_hazard_gain", "log_hazard_offset")
    return {
        **{name: summary[name] for name in same},
        "fidelity": "reduced",
        "burst": summary["burst"],
        "latency": summary["latency_seconds"],
        "left_out": summary["left_out_joule"],
        "merit": _merit(summary),
        "doubts": summary["verdict"]["doubts"],
        "out": None,
        "accuracy": summary["snn_accuracy"],
        "energy": {
            "components": summary["energy_per_inference_joule"],
            "assumed_fraction": summary["assumed_fraction"],
            "device_source": summary["device_source"],
        },
        "layers": summary["energy_by_layer_joule"],
        "against_cmos": _against(summary),
        "spice": _spice(summary["spice"]),
        "verdict": _verdict(summary),
        "rounds": [_round(item) for item in summary["iterations"]],
        "calibration": {
            name: [item[each] for each in names] for name, item in summary["calibration"].items()
        },
    }


def _against(summary: Mapping[str, Any]) -> dict[str, Any]:
    ends = summary["memristive_ci95"]
    return {
        "total": summary["energy_total_joule"],
        **{name: summary["sense_split_joule"].get(name, 0.0) for name in SENSE_PARTS},
        "memristive": summary["memristive_joule"],
        "half_width": {scope: (ends[scope][1] - ends[scope][0]) / 2 for scope in SCOPES},
        "cmos": summary["cmos_baseline_joule"],
        "ratios": {
            scope: {**summary["ratio"][scope], PAPERS: summary[PAPERS][scope]} for scope in SCOPES
        },
        "assumed_fraction": summary["assumed_fraction"],
        "device_source": summary["device_source"],
        "workload": summary["workload"],
        "adds_half_width": summary["adds_half_width"],
    }


def _merit(summary: Mapping[str, Any]) -> dict[str, Any]:
    intervals, areas = summary["layout_interval_seconds"], summary["area_m2"]
    return {
        "operations": summary["synaptic_operations"],
        "energy": summary["energy_total_joule"]["value"],
        "left_out": sum(summary["left_out_joule"].values()),
        "rule": summary["area_constants"],
        "layouts": {
            name: {
                "latency": latency,
                "interval": intervals[name],
                "area": {part: areas[name][part] for part in PARTS},
            }
            for name, latency in summary["layout_latency_seconds"].items()
        },
    }


def _spice(spice: Mapping[str, Any]) -> dict[str, Any]:
    whole = ("layers", "hazard_deviation", "wall_seconds")
    total = {name: value for name, value in spice.items() if name not in whole}
    return {"total": total, **{name: spice[name] for name in whole}}


def _verdict(summary: Mapping[str, Any]) -> dict[str, Any]:
    found, spice = summary["verdict"], summary["spice"]
    pathwise = ("events", "mismatches", "worst_margin", "hazard_deviation")
    return {
        "pathwise": {name: spice[name] for name in pathwise},
        **{name: found[name] for name in ("drive_deviation", "energy_deviation", "closure")},
    }


def _round(item: Mapping[str, Any]) -> dict[str, Any]:
    low, high = item["energy_ci95"]
    return {
        "number": item["iteration"],
        "accuracy": item["snn_accuracy"],
        "energy": item["energy_joule"],
        "half_width": (high - low) / 2,
        **{name: item[name] for name in ("mean_rate", "mismatches", "worst_margin", "windows")},
    }
