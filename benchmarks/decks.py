"""Decks of windows, simulated one by one for what is not a run of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from memspice.engines.base import Engine
from memspice.experiment.request import Request
from memspice.experiment.results.run import check_complete, failed_jobs
from memspice.jobs import Execution, open_runner
from memspice.network.batch import Window
from memspice.network.inference import run_inference
from memspice.network.mapping import MappedNetwork
from memspice.windows.fidelity import WindowJob
from memspice.windows.outcome import Outcome, outcome
from memspice.windows.progress import Progress, counted
from memspice.windows.run_windows import WindowRuns


def run_decks(
    jobs: Sequence[WindowJob],
    engine: Engine,
    words: str,
    *,
    execution: Execution = Execution(),
    progress: Progress | None = None,
) -> list[Outcome]:
    """What decks end with, in their order.

    Parameters
    ----------
    jobs : sequence of WindowJob
        Of one engine.
    engine : Engine
        That one.
    words : str
        What is told of it.
    execution : Execution
        How decks are carried out.
    progress : Progress, optional
        Is told how far it is.

    Raises
    ------
    MemspiceError
        As the engine says.
    IncompleteResults
        If a deck has no result.
    """
    with open_runner(engine, execution) as runner:
        advance = counted(progress, words, len(jobs))
        records = WindowRuns(runner).run(jobs, lambda _: advance(1))
    check_complete(failed_jobs(records), len(jobs))
    return [outcome(record) for record in records]


def window_inputs(
    request: Request, mapped: MappedNetwork, windows: Sequence[Window]
) -> dict[Window, np.ndarray]:
    """Inputs of windows, (cycles, inputs) each, in the network loop of a chip."""
    loop = run_inference(
        mapped,
        request.images.x,
        request.cycles,
        request.seed,
        burst=request.burst,
        windows=windows,
        scored=False,
    )
    return {window: loop.windows[window] for window in windows}
