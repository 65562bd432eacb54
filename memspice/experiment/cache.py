"""The cache of results: what earlier simulations left behind, so that they need not run again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from memspice.errors import ConfigError, EngineError, StoreError
from memspice.experiment.results.base import Shown
from memspice.experiment.results.table import Table
from memspice.jobs import JobCache as JobCache
from memspice.jobs.again import Comparison, compare_again
from memspice.jobs.cache import CachedFile as CachedFile
from memspice.windows.progress import Progress, counted


@dataclass(frozen=True, eq=False, repr=False)
class CacheCheck(Shown):
    """Check of the cache: whether every result is what was once written.

    Parameters
    ----------
    entries : int
        Results that there are.
    damaged : tuple of str
        Files of those that are not what was written.
    again : tuple of Comparison
        What came of simulating some of them again.
    """

    entries: int
    damaged: tuple[str, ...]
    again: tuple[Comparison, ...]

    def as_json(self) -> dict[str, Any]:
        """Object that ``cache verify --json`` prints."""
        again = [vars(item) for item in self.again]
        return {"entries": self.entries, "damaged": list(self.damaged), "again": again}

    def check(self) -> None:
        """Refuse a cache in which something is not as it was.

        Raises
        ------
        EngineError
            If the engine gives something else now.
        StoreError
            If a file is damaged.
        """
        differing = [again for again in self.again if again.verdict == "differs"]
        if differing:
            raise EngineError(
                f"{len(differing)} results are not what the engine gives now, first "
                f"{differing[0].job} ({differing[0].key}): {differing[0].reason}; remove them all "
                "with `memspice cache prune --all`"
            )
        if self.damaged:
            raise StoreError(
                f"{len(self.damaged)} of {self.entries} results are damaged, first "
                f"{self.damaged[0]}; they are passed over, and written anew when needed"
            )

    def table(self) -> Table:
        """Counts."""
        verdicts = Counter(item.verdict for item in self.again)
        rows = tuple((verdict, f"{count} simulated again") for verdict, count in verdicts.items())
        return Table(f"{self.entries} results, {len(self.damaged)} damaged", rows)


def check_cache(*, rerun: int = 0, seed: int = 0, progress: Progress | None = None) -> CacheCheck:
    """Read every result of the cache, and simulate some of them again.

    Parameters
    ----------
    rerun : int
        How many are simulated again, and compared to the bit.
    seed : int
        Which ones.
    progress : Progress, optional
        Is told how far the reading is.

    Raises
    ------
    ConfigError
        If the number is negative.
    """
    if rerun < 0:
        raise ConfigError(f"rerun = {rerun} must be at least 0")
    store = JobCache()
    files = store.files()
    damaged = _damaged(store, files, progress)
    whole = [file for file in files if str(file.path) not in damaged]
    again = compare_again(store, whole, rerun, seed)
    return CacheCheck(len(files), tuple(damaged), tuple(again))


def _damaged(
    store: JobCache, files: Sequence[CachedFile], progress: Progress | None
) -> dict[str, None]:
    """Paths of the files that are not what was written, in their order."""
    advance, damaged = counted(progress, "verify", len(files)), dict[str, None]()
    for file in files:
        try:
            store.read(file)
        except StoreError:
            damaged[str(file.path)] = None
        advance(1)
    return damaged
