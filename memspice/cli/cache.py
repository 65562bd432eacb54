"""``memspice cache``: what earlier simulations left behind, so that they need not run again."""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import partial
from typing import Any

import click

from memspice import cache
from memspice.cli.bar import shown_progress
from memspice.cli.options import json_option
from memspice.cli.output import emit_list, report_result
from memspice.errors import ConfigError

_SIZES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_DAY = 86400.0  # s


@click.group("cache")
def cache_group() -> None:
    """Look after the results that need not be simulated again.

    They lie in MEMSPICE_CACHE, or in memspice/jobs of the user's cache.
    """


@cache_group.command("ls")
@click.option("--limit", default=20, show_default=True, help="Most entries to list.")
@json_option
def list_entries(limit: int, as_json: bool) -> None:
    """List the results, the ones used last first."""
    store = cache.JobCache()
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


@cache_group.command("prune")
@click.option("--max-size", help="Keep this much, such as 500M or 2G: what was used last.")
@click.option("--older-than", type=float, help="Remove what was not used for so many days.")
@click.option("--all", "everything", is_flag=True, help="Remove all.")
@json_option
def prune(max_size: str | None, older_than: float | None, everything: bool, as_json: bool) -> None:
    """Remove results; they can be simulated again."""
    if everything == (max_size is not None or older_than is not None):
        raise ConfigError("say what to remove: --max-size, --older-than or both, or --all alone")
    store = cache.JobCache()
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


@cache_group.command("verify")
@click.option(
    "--rerun", default=0, show_default=True, help="Simulate so many again and compare, to the bit."
)
@click.option("--seed", default=0, show_default=True, help="Which ones are simulated again.")
@json_option
def verify(rerun: int, seed: int, as_json: bool) -> None:
    """Check that every result is what was once written."""
    with shown_progress(desc="verify") as progress:
        found = cache.check_cache(rerun=rerun, seed=seed, progress=progress)
    report_result(found, as_json=as_json, text=partial(_text, found))


def _text(found: cache.CacheCheck) -> str:
    """Counts, and every result that was simulated again."""
    lines = [f"{item.verdict:14} {item.job}  {item.reason}".rstrip() for item in found.again]
    return "\n".join([repr(found).splitlines()[0], *lines])


def _row(store: cache.JobCache, file: cache.CachedFile) -> dict[str, Any]:
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
