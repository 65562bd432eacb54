"""Architectures as JSON in network files: written, and read with every name and number checked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

from memspice.errors import ConfigError
from memspice.inputs import Group, parse_json
from memspice.network.architecture import Architecture, Conv, Dense, Layer, Pool
from memspice.outputs import printable

_KINDS: dict[str, type[Layer]] = {"conv": Conv, "pool": Pool, "dense": Dense}
#: Values that a file leaves out where a layer has them.
_LEFT_OUT: dict[str, Any] = {
    "also": (), "rule": "mean", "stride": 1, "padding": "same", "groups": 1
}  # fmt: skip
#: Most channels, pixels of a side, layers, and weights of one layer.
MOST, MOST_LAYERS, MOST_WEIGHTS = 100_000, 1000, 10**9


def architecture_text(architecture: Architecture) -> str:
    """Architecture as JSON, without values that most layers have."""
    layers = [
        {"kind": type(layer).__name__.lower()}
        | {
            name: value
            for name, value in asdict(layer).items()
            if name not in _LEFT_OUT or value != _LEFT_OUT[name]
        }
        for layer in architecture.layers
    ]
    return json.dumps(
        {"name": architecture.name, "input_shape": architecture.input_shape, "layers": layers}
    )


def parse_architecture(file: Group) -> Architecture:
    """Architecture of an open network file.

    Raises
    ------
    DataError
        If a name or a number of it is none that an architecture has.
    """
    content = parse_json(file.text("architecture"), f"{file.where}architecture")
    if not isinstance(content, dict) or set(content) != {"name", "input_shape", "layers"}:
        file.refuse("the attribute 'architecture' must have name, input_shape and layers")
    name, shape, entries = content["name"], content["input_shape"], content["layers"]
    if not isinstance(name, str) or printable(name) != name or not 0 < len(name) <= 200:
        file.refuse(f"the network's name {str(name)[:200]!r} must be a line of at most 200 letters")
    if not isinstance(shape, list) or len(shape) != 3 or not all(map(_is_side, shape)):
        file.refuse(f"input_shape = {str(shape)[:60]} must be three whole numbers, 1 to {MOST:,}")
    if not isinstance(entries, list) or not 0 < len(entries) <= MOST_LAYERS:
        file.refuse(f"layers must be a list of 1 to {MOST_LAYERS} layers")
    architecture = Architecture(
        name, (shape[0], shape[1], shape[2]), tuple(_parse_layer(file, entry) for entry in entries)
    )
    try:
        steps = list(architecture.shapes())
    except ConfigError as error:
        file.refuse(str(error))
    if not steps:
        file.refuse("its network has no convolution and no dense layer")
    if max(step.layer.channels * step.fan_in for step in steps) > MOST_WEIGHTS:
        file.refuse(f"a layer has more than {MOST_WEIGHTS:,} weights")
    return architecture


def _parse_layer(file: Group, entry: Any) -> Layer:
    kind = _KINDS.get(str(entry.get("kind"))) if isinstance(entry, dict) else None
    if kind is None:
        file.refuse(f"a layer's kind must be one of {', '.join(_KINDS)}, found {str(entry)[:80]!r}")
    values = {name: value for name, value in entry.items() if name != "kind"}
    names = {field.name for field in fields(kind)}
    if not names - set(_LEFT_OUT) <= set(values) <= names:
        file.refuse(f"a layer of kind {entry['kind']!r} has other values: {str(entry)[:80]!r}")
    for name, value in values.items():
        rule, words = _RULES.get(name, (_is_side, f"a whole number, 1 to {MOST:,}"))
        if not rule(value):
            file.refuse(f"{name} = {str(value)[:60]} of a {entry['kind']} layer must be {words}")
    if "also" in values:
        values["also"] = tuple(values["also"])
    return kind(**values)


def _is_side(value: Any, least: int = 1) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= MOST


def _is_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(_is_side(number, 0) for number in value)


_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "also": (_is_numbers, "a list of numbers of earlier layers"),
    "rule": (lambda value: value in ("mean", "any"), "'mean' or 'any'"),
    "padding": (
        lambda value: value in ("same", "valid") if isinstance(value, str) else _is_side(value, 0),
        f"'same', 'valid' or a whole number, 0 to {MOST:,}",
    ),
}
