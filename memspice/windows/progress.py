"""Telling how far some work has come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Progress(Protocol):
    """Whoever is told how far a run has come; any function of these three will do."""

    def __call__(self, stage: str, done: int, total: int, /) -> None:
        """Take note.

        Parameters
        ----------
        stage : str
            What is going on, in a few words; the count begins anew with each.
        done, total : int
            Steps done so far, and steps to do.
        """
        ...


def counted(progress: Progress | None, stage: str, total: int) -> Callable[[int], None]:
    """Callback that takes numbers of finished steps, and tells how many are done.

    Parameters
    ----------
    progress : Progress, optional
        Who is told.
    stage : str
        What is going on.
    total : int
        Steps to do.
    """
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if progress:
            progress(stage, done, total)

    return advance
