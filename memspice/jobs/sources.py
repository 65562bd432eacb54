"""The code and the models that decide a result, as one hash."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import scipy

from memspice.engines.base import EngineInfo
from memspice.engines.osdi import find_compiler
from memspice.errors import EngineNotFound
from memspice.resources import resource_path

#: Modules and packages from which a netlist and what is read from its waveforms come.
_CODE = (
    ("quantities.py", "parameters", "solver", "devices", "circuits", "engines", "jobs")
    + ("analysis", "network", "windows", "experiment")
)  # fmt: skip
_MODELS = ("*.va", "*.vams", "*.lib")


@functools.cache
def sources_hash() -> str:
    """Hash of the source text of memspice, as far as it decides results, and of its models.

    The version alone would not do: who changes a line of an equation must not get the results of
    before.

    Returns
    -------
    str
        16 hexadecimal digits; computed once a process.
    """
    digest = hashlib.sha256()
    for name, path in _sources():
        content = path.read_bytes()
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def _sources() -> Iterator[tuple[str, Path]]:
    package = Path(__file__).resolve().parents[1]
    for part in _CODE:
        found = [package / part] if part.endswith(".py") else (package / part).rglob("*.py")
        for path in sorted(found):
            yield path.relative_to(package).as_posix(), path
    models = resource_path()
    for pattern in _MODELS:
        for path in sorted(models.glob(pattern)):
            yield f"models/{path.name}", path


def tools(info: EngineInfo | None) -> dict[str, str | bool]:
    """Everything installed that decides a result, with its version.

    Parameters
    ----------
    info : EngineInfo or None
        The engine; its path is left out, so that machines of one cluster may differ in it.

    Returns
    -------
    dict of str to str or bool
    """
    found: dict[str, str | bool] = {
        "memspice": sources_hash(), "numpy": np.__version__, "scipy": scipy.__version__
    }  # fmt: skip
    if info is not None:
        found |= {
            "engine": info.name,
            "version": info.version,
            "executable": info.sha256,
            "osdi": info.osdi,
            "klu": info.klu,
        }
        if info.osdi:
            with suppress(EngineNotFound):  # then it has nothing compiled to load
                found["compiler"] = find_compiler().version
    return found
