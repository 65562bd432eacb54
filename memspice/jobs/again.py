"""Results of the cache simulated once more, to see that the engine still says the same."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from memspice.engines import ENGINES, find_engine
from memspice.engines.base import Engine
from memspice.errors import EngineError, EngineNotFound, NetlistError, StoreError
from memspice.jobs.cache import CachedFile, Entry, JobCache
from memspice.jobs.simulation import EngineRequest, waveforms_hash
from memspice.jobs.sources import tools

Verdict = Literal["same", "differs", "not comparable"]


@dataclass(frozen=True)
class Comparison:
    """Comparison of a result of the cache with the same simulation once more."""

    key: str
    job: str
    verdict: Verdict
    reason: str = ""


def compare_again(
    cache: JobCache, files: Sequence[CachedFile], count: int, seed: int
) -> list[Comparison]:
    """Simulate some results again and compare the waveforms, one after the other.

    Parameters
    ----------
    cache : JobCache
    files : sequence of CachedFile
        Those to choose from; what no engine has made, such as port matrices, is left out.
    count : int
        How many; all, if there are fewer.
    seed : int
        Chooses them.

    Returns
    -------
    list of Comparison
        Not comparable is what another engine, or another version of it or of memspice, has made.

    Raises
    ------
    StoreError
        If a file cannot be read.
    """
    simulated = [file for file in files if not _computed(cache, file)]
    ordered = sorted(simulated, key=lambda file: file.key)
    chosen = random.Random(seed).sample(ordered, min(count, len(ordered)))
    return [_compare(file, cache.read(file)) for file in chosen]


def _computed(cache: JobCache, file: CachedFile) -> bool:
    """Whether NumPy has made an entry."""
    return str(cache.label(file).get("engine", "")).startswith("numpy ")


def _compare(file: CachedFile, entry: Entry) -> Comparison:
    try:
        job, name = str(entry.label["job"]), str(entry.label["engine"])
        again, engine = entry.facts["again"], _engine(name)
        made_with, waveforms = again["tools"], again["waveforms"]
        request = EngineRequest.from_json(again["request"])
    except (LookupError, TypeError, ValueError) as error:
        raise StoreError(f"{file.path} is no result of this memspice: {error}") from error
    if engine is None or made_with != tools(engine.info):
        return Comparison(file.key, job, "not comparable", f"made with another {name} or memspice")
    try:
        waves = engine.run(
            request.netlist, request.analysis, save=list(request.save), options=request.options
        )
    except (EngineError, NetlistError) as error:
        return Comparison(file.key, job, "differs", str(error).splitlines()[0])
    same = waveforms_hash(waves) == waveforms
    reason = "" if same else "other waveforms"
    return Comparison(file.key, job, "same" if same else "differs", reason)


def _engine(name: str) -> Engine | None:
    """Engine of a label such as ``ngspice 39.3``; None if there is none of that kind here."""
    kind = name.partition(" ")[0]
    try:
        return find_engine(kind) if kind in ENGINES else None
    except EngineNotFound:
        return None
