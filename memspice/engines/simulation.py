"""One run of an engine, the same for all: a folder of its own, a process, and a whole answer."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from memspice.engines.base import Analysis, Transient
from memspice.engines.compiled import place_models
from memspice.engines.executable import check_banner
from memspice.engines.log_rules import Problem
from memspice.engines.process import run_process
from memspice.engines.results import (
    check_signals,
    describe_status,
    keep_failed,
    mark_deck,
    read_log,
    read_only_plot,
    to_waveforms,
    write_input,
)
from memspice.engines.run_folder import run_folder
from memspice.engines.waveforms import Waveforms
from memspice.errors import EngineError, EngineTimeout, NetlistError


@dataclass(frozen=True)
class Adapter:
    """Adapter of one engine: what tells its runs from those of another.

    Parameters
    ----------
    name : str
        For messages.
    input_name, raw_name : str
        Files that it reads and writes, in the folder of the run.
    tidy_log : callable
        What is left of its log when chatter is dropped.
    first_problem : callable
        What in a tidy log, with the deck beside it, makes the run worthless.
    spell : callable
        From its name of a signal to the one of `Waveforms.signals`.
    banner : re.Pattern
        Finds the version in what it says first.
    """

    name: str
    input_name: str
    raw_name: str
    tidy_log: Callable[[str], str]
    first_problem: Callable[[str, str], Problem | None]
    spell: Callable[[str], str]
    banner: re.Pattern[str]


@dataclass(frozen=True)
class Job:
    """A deck to run.

    Parameters
    ----------
    command : sequence of str
        Program and arguments; it runs in the folder of the run.
    deck : str
        Complete input.
    models : sequence of str
        Verilog-A models that the deck loads, see `place_models`.
    analysis : Transient or OperatingPoint
    save : sequence of str
        Signals asked for.
    timeout : float, [s]
    cancel : threading.Event or None
    banner : str
        Version that the program says it is.
    """

    command: Sequence[str]
    deck: str
    models: Sequence[str]
    analysis: Analysis
    save: Sequence[str]
    timeout: float
    cancel: threading.Event | None
    banner: str


def simulate(
    adapter: Adapter,
    job: Job,
    keep: Path | None,
    check: Callable[[Waveforms], None] | None = None,
) -> Waveforms:
    """Run a deck in a temporary folder and believe only a complete answer.

    Parameters
    ----------
    adapter : Adapter
    job : Job
    keep : Path, optional
        Folder to which the deck and the log of a failed run are copied.
    check : callable, optional
        Raises where the engine's answer is not what was asked for.

    Returns
    -------
    Waveforms

    Raises
    ------
    NetlistError, EngineError
        See `Engine.run`.
    """
    with run_folder() as folder:
        deck, mark = mark_deck(job.deck)
        try:
            write_input(folder / adapter.input_name, deck)
            place_models(folder, job.models, job.deck)
            waveforms = _answer(adapter, replace(job, deck=deck), mark, folder)
            check_signals(waveforms, job.save, adapter.name)
            if check is not None:
                check(waveforms)
        except (EngineError, NetlistError) as error:
            keep_failed(folder, adapter.input_name, keep, error)  # names the copy
            raise
    return waveforms


def _answer(adapter: Adapter, job: Job, mark: str, folder: Path) -> Waveforms:
    start = time.monotonic()
    try:
        status = run_process(job.command, folder, timeout=job.timeout, cancel=job.cancel)
    except EngineTimeout as error:
        log = adapter.tidy_log(read_log(folder, adapter.name))
        raise EngineTimeout(str(error), log) from None
    wall_seconds = time.monotonic() - start
    said = read_log(folder, adapter.name)
    check_banner(adapter.name, job.banner, said, adapter.banner)
    log = adapter.tidy_log(said)
    problem = adapter.first_problem(log, job.deck)
    if problem is not None:
        if problem.kind is NetlistError:
            raise NetlistError(problem.message)
        raise problem.kind(problem.message, log)
    if status != 0:
        raise EngineError(f"{adapter.name} ended with {describe_status(status)}", log)
    expected = "Transient Analysis" if isinstance(job.analysis, Transient) else "Operating Point"
    plot = read_only_plot(folder / adapter.raw_name, expected, mark, adapter.name, log)
    return to_waveforms(plot, job.analysis, adapter.spell, log, wall_seconds)
