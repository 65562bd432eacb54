"""``memspice cache``: what earlier simulations left behind, so that they need not run again."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

from memspice.cli.bar import progress_bar
from memspice.cli.output import emit_list, report
from memspice.errors import ConfigError, EngineError, MemspiceError, StoreError
from memspice.jobs import JobCache
from memspice.jobs.again import Comparison, compare_again
from memspice.jobs.cache import CachedFile

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_SIZES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_DAY = 86400.0  # s


@click.group()
def cache() -> None:
    """Look after the results that need not be simulated again.

    They lie in MEMSPICE_CACHE, or in memspice/jobs of the user's cache.
    """


@cache.command("ls")
@click.option("--limit", default=20, show_default=True, help="Most entries to list.")
@_JSON
def list_entries(limit: int, as_json: bool) -> None:
    """List the results, the ones used last first."""
    store = JobCache()
    files = store.files()
    total = sum(file.size for file in files)
    rows = [_row(store, file) for file in files[:limit]]
    if as_json:
        content = {"folder": str(store.folder), "entries": len(files), "bytes": total, "last": rows}
        emit_list(json.dumps(content))
        return
    lines = [f"{store.folder}: {len(files)} results, {_megabytes(total)}"]
    for row in rows:
        when = datetime.fromtimestamp(row["used"]).isoformat(" ", "minutes")
        words = f"{row['engine']}  {row['job']}"
        lines.append(f"{row['key'][:12]}  {_megabytes(row['bytes']):>9}  {when}  {words}")
    if len(files) > limit:
        lines.append(f"... and {len(files) - limit} more; see --limit")
    emit_list("\n".join(lines))


@cache.command("prune")
@click.option("--max-size", help="Keep this much, such as 500M or 2G: what was used last.")
@click.option("--older-than", type=float, help="Remove what was not used for so many days.")
@click.option("--all", "everything", is_flag=True, help="Remove all.")
@_JSON
def prune(max_size: str | None, older_than: float | None, everything: bool, as_json: bool) -> None:
    """Remove results; they can be simulated again."""
    if everything == (max_size is not None or older_than is not None):
        raise ConfigError("say what to remove: --max-size, --older-than or both, or --all alone")
    store = JobCache()
    largest = float("inf") if max_size is None else _size(max_size)
    removed = store.prune(
        0.0 if everything else largest,
        float("inf") if older_than is None else _age(older_than),
    )
    size, left = sum(file.size for file in removed), store.files()
    rest = sum(file.size for file in left)
    if as_json:
        content = {"removed": len(removed), "bytes": size, "entries": len(left), "left": rest}
        emit_list(json.dumps(content))
        return
    emit_list(
        f"{len(removed)} results removed, {_megabytes(size)}; {len(left)} left, {_megabytes(rest)}"
    )


@cache.command("verify")
@click.option(
    "--rerun", default=0, show_default=True, help="Simulate so many again and compare, to the bit."
)
@click.option("--seed", default=0, show_default=True, help="Which ones are simulated again.")
@_JSON
def verify(rerun: int, seed: int, as_json: bool) -> None:
    """Check that every result is what was once written."""
    if rerun < 0:
        raise ConfigError(f"--rerun {rerun} must be at least 0")
    store = JobCache()
    files = store.files()
    found = _check(store, files, rerun, seed)
    report(found.as_json(), found.text, as_json=as_json, problem=found.problem())


@dataclass(frozen=True)
class _Verified:
    entries: int
    damaged: list[str]
    again: list[Comparison]

    def as_json(self) -> dict[str, Any]:
        again = [vars(item) for item in self.again]
        return {"entries": self.entries, "damaged": self.damaged, "again": again}

    def problem(self) -> MemspiceError | None:
        differing = [again for again in self.again if again.verdict == "differs"]
        if differing:
            return EngineError(
                f"{len(differing)} results are not what the engine gives now, first "
                f"{differing[0].job} ({differing[0].key}): {differing[0].reason}; remove them all "
                "with `memspice cache prune --all`"
            )
        if self.damaged:
            return StoreError(
                f"{len(self.damaged)} of {self.entries} results are damaged, first "
                f"{self.damaged[0]}; they are passed over, and written anew when needed"
            )
        return None

    def text(self) -> str:
        lines = [f"{self.entries} results, {len(self.damaged)} damaged"]
        lines += [f"{item.verdict:14} {item.job}  {item.reason}".rstrip() for item in self.again]
        return "\n".join(lines)


def _check(store: JobCache, files: Sequence[CachedFile], rerun: int, seed: int) -> _Verified:
    damaged, whole = [], []
    with progress_bar(total=len(files), desc="verify") as bar:
        for file in files:
            try:
                store.read(file)
                whole.append(file)
            except StoreError:
                damaged.append(str(file.path))
            bar.update()
    return _Verified(len(files), damaged, compare_again(store, whole, rerun, seed))


def _row(store: JobCache, file: CachedFile) -> dict[str, Any]:
    label = store.label(file)
    return {
        "key": file.key,
        "bytes": file.size,
        "used": file.used,
        "job": label.get("job", "damaged"),
        "engine": label.get("engine", "-"),
    }


def _megabytes(size: float) -> str:
    return f"{size / 1e6:.2f} MB"


def _size(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kMGT]?)B?", text)
    if not found:
        raise ConfigError(f"--max-size {text!r} must be a number of bytes such as 500M or 2G")
    return float(found[1]) * _SIZES[found[2]]


def _age(days: float) -> float:
    if not days >= 0:  # NaN fails too
        raise ConfigError(f"--older-than {days} days must be at least 0")
    return days * _DAY
