"""What ``summary.json`` must hold before a page is made of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from memspice.analysis.cmos import LIKE_FOR_LIKE, OPPONENTS, PAPERS, SCOPES
from memspice.analysis.merit import COUNTS, LAYOUTS, PARTS
from memspice.circuits.energy_model import NETWORK_COMPONENTS
from memspice.errors import IncompleteResults

_NUMBER, _ANY = "a finite number", "a value"
_PAIR, _SOURCE = "two finite numbers", "measured, literature or what-if"


def _keys(names: Sequence[str], kind: Any = _NUMBER) -> dict[str, Any]:
    return dict.fromkeys(names, kind)


#: Images without labels have none.
_ACCURACY = (_keys(("value", "n", "low", "high")),)
_SOURCED = {**_keys(("table", "name", "value", "unit", "label", "source"), _ANY)}
_END = {"value": _NUMBER, "change": _ANY}
#: No ratio without all that must stand beside it.
_RATIO = {
    **_keys(("value", "low", "high", "assumed_fraction", "opponent_assumed_fraction")),
    "sensitivity": {"low": _END, "high": _END},
}
_TOTAL = _keys(("value", "low", "high", "model_low", "model_high"))
_SPICE_LAYER = _keys(
    ("windows", "full_windows", "events", "mismatches", "worst_margin", "closure_max")
)
#: Nested keys; ``*`` stands for every key of a mapping, a list for every entry of a sequence, a
#: tuple for what may also be null.
_SHAPE: dict[str, Any] = {
    "dataset": {"name": _ANY, "images": _NUMBER, "lossless": _ANY, "source": _ANY},
    **_keys(("network", "device", "command"), _ANY),
    "engine": _keys(("name", "version"), _ANY),
    **_keys(("cycles", "burst", "latency_seconds", "seed", "wall_seconds")),
    "ann_accuracy": _ACCURACY,
    "snn_accuracy": _ACCURACY,
    "spike_rate": {"*": _NUMBER},
    "energy_per_inference_joule": _keys(NETWORK_COMPONENTS),
    "energy_by_layer_joule": {"*": _keys(NETWORK_COMPONENTS)},
    "energy_total_joule": {**_TOTAL, "interval": _ANY},
    "assumed_fraction": _NUMBER,
    "device_source": _SOURCE,
    "sense_split_joule": {"*": _NUMBER},
    "left_out_joule": {"*": _NUMBER},
    **dict.fromkeys(
        ("synaptic_operations", "joule_per_operation", "tops_per_watt"), _keys(tuple(COUNTS))
    ),
    "tops_per_watt_with_left_out": _keys(tuple(COUNTS)),
    **dict.fromkeys(
        ("layout_latency_seconds", "layout_interval_seconds", "throughput_hertz", "power_watt"),
        _keys(tuple(LAYOUTS))
    ),
    "area_constants": [_SOURCED],
    "area_m2": dict.fromkeys(LAYOUTS, _keys((*PARTS, "total"))),
    "opponents": _keys(tuple(OPPONENTS), _ANY),
    "cmos_baseline_joule": dict.fromkeys(SCOPES, _keys(tuple(OPPONENTS))),
    "memristive_joule": _keys(SCOPES),
    "ratio": dict.fromkeys(SCOPES, dict.fromkeys(LIKE_FOR_LIKE, _RATIO)),
    PAPERS: dict.fromkeys(SCOPES, _RATIO),
    "cmos_constants": [_SOURCED],
    "spice": {
        **_SPICE_LAYER,
        **_keys(("hazard_deviation", "wall_seconds")),
        "layers": {"*": _SPICE_LAYER},
    },
    "iterations": [
        {
            **_keys(("iteration", "energy_joule", "mean_rate", "mismatches", "worst_margin")),
            **_keys(("windows",)),
            "snn_accuracy": (_NUMBER,),
            "energy_ci95": _PAIR,
        }
    ],
    "notes": _ANY,
    "verdict": {"holds": _ANY, "doubts": _ANY},
    "parameters": [_SOURCED],
    "excluded": [_ANY],
    "versions": {"*": _ANY},
}  # fmt: skip


def check_summary(summary: Mapping[str, Any]) -> None:
    """Refuse a summary that would give half a page.

    Parameters
    ----------
    summary : mapping
        As ``summary.json`` holds it; keys beyond those needed are allowed.

    Raises
    ------
    IncompleteResults
        Naming every key that is missing or holds no finite number.
    """
    if problems := list(_problems(summary, _SHAPE, "")):
        shown = "\n  ".join(problems[:12] + (["..."] if len(problems) > 12 else []))
        raise IncompleteResults(
            f"the summary cannot become a report, {len(problems)} problems:\n  {shown}\n"
            "run the co-simulation again with this version of memspice"
        )


def _problems(value: Any, shape: Any, where: str) -> Iterator[str]:
    if isinstance(shape, Mapping):
        yield from _mapping_problems(value, shape, where)
    elif isinstance(shape, tuple):
        if value is not None:
            yield from _problems(value, shape[0], where)
    elif isinstance(shape, list):
        if not isinstance(value, Sequence) or isinstance(value, str) or not value:
            yield f"{where} = {value!r} must be a list with at least one entry"
            return
        for index, entry in enumerate(value):
            yield from _problems(entry, shape[0], f"{where}[{index}]")
    elif shape in _CHECKS and not _CHECKS[shape](value):
        yield f"{where} = {value!r} must be {shape}"


def _mapping_problems(value: Any, shape: Mapping[str, Any], where: str) -> Iterator[str]:
    if not isinstance(value, Mapping) or not value:
        yield f"{where or 'summary'} = {value!r} must be a mapping with at least one key"
        return
    every = dict.fromkeys(value, shape["*"]) if "*" in shape else shape
    for key, inner in every.items():
        path = f"{where}.{key}" if where else key
        if key not in value:
            yield f"{path} is missing"
        else:
            yield from _problems(value[key], inner, path)


def _is_number(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value)


def _is_pair(value: Any) -> bool:
    return isinstance(value, Sequence) and len(value) == 2 and all(map(_is_number, value))


def _is_source(value: Any) -> bool:
    return value in ("measured", "literature", "what-if")


_CHECKS = {_NUMBER: _is_number, _PAIR: _is_pair, _SOURCE: _is_source}
