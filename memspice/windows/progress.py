"""Counting the steps of some work."""

from __future__ import annotations

from collections.abc import Callable


def counted(progress: Callable[[int, int], None] | None, total: int) -> Callable[[int], None]:
    """Callback that takes numbers of finished steps, and tells how many are done.

    Parameters
    ----------
    progress : callable, optional
        Takes steps done so far and ``total``.
    total : int
        Steps to do.
    """
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if progress:
            progress(done, total)

    return advance
