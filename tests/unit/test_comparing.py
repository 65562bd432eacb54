"""What holds arrays is compared by identity: arrays have no one truth, and comparing never raises.

Two networks read from one file would else raise at ``==``, of which NumPy makes many answers.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any, TypeVar, get_args, get_type_hints

import numpy as np

import benchmarks
import memspice
from memspice.network.weights import Network, load_network


def data_classes() -> Iterator[type]:
    """Data classes of the package and its benchmarks, of whatever can be imported here."""
    for package in (memspice, benchmarks):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith("__main__"):
                continue
            try:
                names = vars(importlib.import_module(module.name))
            except ModuleNotFoundError as error:
                if error.name not in {"torch", "nir", "dask", "distributed"}:
                    raise
                continue
            for item in list(names.values()):
                if isinstance(item, type) and item.__module__ == module.name:
                    yield from (item,) if dataclasses.is_dataclass(item) else ()


def holds_arrays(kind: Any, seen: frozenset[Any] = frozenset()) -> bool:
    """Whether values of a type are arrays, or have some inside, however deep."""
    if kind in seen:
        return False
    if isinstance(kind, TypeVar):
        return False
    if isinstance(kind, type) and (
        issubclass(kind, np.ndarray) or f"{kind.__module__}.{kind.__name__}" == "torch.Tensor"
    ):
        return True
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        parts: list[Any] = [hints[field.name] for field in dataclasses.fields(kind)]
    else:
        origin = getattr(kind, "__origin__", None)
        if origin is not None and "Callable" in str(origin):
            return False
        parts = [*get_args(kind), *([origin] if isinstance(origin, type) else [])]
    return any(holds_arrays(part, seen | {kind}) for part in parts)


HOLDERS = [kind for kind in data_classes() if holds_arrays(kind)]


def test_classes_with_arrays_are_compared_by_identity() -> None:
    assert Network in HOLDERS
    assert [kind for kind in HOLDERS if kind.__eq__ is not object.__eq__] == []


def test_networks_are_compared_without_an_error() -> None:
    one, other = load_network("digits-mlp"), load_network("digits-mlp")
    assert one == one
    assert one != other
    assert len({one, other, one}) == 2
