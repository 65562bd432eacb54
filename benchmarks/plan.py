"""What a bench measures: all of it, or as little as shows that it works."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.ladder import Rung
from benchmarks.layer import NUMPY
from benchmarks.peers import CONTENDERS
from memspice.engines import ENGINES


@dataclass(frozen=True)
class Plan:
    """What a bench measures.

    Parameters
    ----------
    name : str
        ``full`` or ``quick``.
    contenders, sizes : tuple
        Names, and sides of the crossbars, of the race.
    repeats : int
        Turns of everything that is short.
    limit : float, [s]
        Most processor time of a contender.
    rungs : tuple of Rung
        Runs of the fidelity ladder.
    ladder : tuple of int
        Size and cycles at which fidelities are compared.
    loop : tuple of (int, int)
        Images and cycles of each run of the network loop.
    bursts : tuple of int
        Images and cycles of a run in one burst, and of one cycle by cycle.
    workers : tuple of int
        Number, size and cycles of the windows for one and two workers.
    sweep : tuple of int
        Wire resistances, seeds and cycles of the points of a sweep, and of as many single commands.
    changed : tuple of int
        Size of a crossbar, and how many of its cells change.
    """

    name: str
    contenders: tuple[str, ...]
    sizes: tuple[int, ...]
    repeats: int
    limit: float
    rungs: tuple[Rung, ...]
    ladder: tuple[int, int]
    loop: tuple[tuple[int, int], ...]
    bursts: tuple[int, int]
    workers: tuple[int, int, int]
    sweep: tuple[int, int, int]
    changed: tuple[int, int]


def _rungs(sizes: tuple[int, ...], full: tuple[int, ...], cycles: int) -> tuple[Rung, ...]:
    """Every fidelity and engine at some sizes: `full` for one cycle, the others for many."""
    engines = tuple(ENGINES)
    return (
        *(Rung(NUMPY, "surrogate", size, cycles) for size in sizes),
        *(Rung(name, "reduced", size, cycles) for size in sizes for name in engines),
        *(Rung(name, "reduced", full[-1], 1) for name in engines),
        *(Rung(name, "full", size, 1) for size in full for name in engines),
    )


FULL = Plan(
    name="full",
    contenders=tuple(CONTENDERS),
    sizes=(8, 16, 32, 64, 128, 256, 512),
    repeats=3,
    limit=120.0,
    rungs=(
        *_rungs((8, 16, 32, 64, 128), (8, 16, 24, 32, 48, 64), 16),
        Rung("ngspice", "full", 32, 2),
        Rung("ngspice", "full", 32, 4),
        Rung("vacask", "full", 64, 16),
        # Not to end: to see that it does not.
        Rung("ngspice", "full", 128, 16, limit=600.0),
    ),
    ladder=(64, 16),
    loop=((50, 16), (100, 16), (200, 16)),
    bursts=(50, 16),
    workers=(6, 32, 8),
    sweep=(12, 5, 4),
    changed=(256, 16),
)
QUICK = Plan(
    name="quick",
    contenders=tuple(CONTENDERS),
    sizes=(8, 16),
    repeats=1,
    limit=20.0,
    rungs=(*_rungs((4, 8), (4, 8), 2), Rung("ngspice", "full", 4, 2)),
    ladder=(8, 2),
    loop=((1, 2),),
    bursts=(1, 2),
    workers=(2, 4, 1),
    sweep=(1, 2, 1),
    changed=(16, 1),
)
