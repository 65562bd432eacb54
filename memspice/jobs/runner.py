"""Simulations one by one: from the cache, or from an engine, tried again where that may help."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from memspice.engines.base import Engine
from memspice.errors import ConfigError, EngineError, NetlistError, StoreError
from memspice.jobs.attempts import Attempted, Failure, attempt
from memspice.jobs.cache import Entry, JobCache
from memspice.jobs.scheduler import Execution, Scheduler, open_scheduler
from memspice.jobs.simulation import Answer, EngineSource, Simulation, run_simulation
from memspice.jobs.sources import tools

Result = TypeVar("Result")


@dataclass
class Tally:
    """Counts of what became of the simulations, kept by any thread.

    ``counts`` has ``simulated``, ``cached``, ``failed`` and ``retried`` (attempts after a first);
    ``problems`` are things that a reader must know and that change no result.
    """

    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, **counts: int) -> None:
        """Add to the counts."""
        with self._lock:
            self.counts.update(counts)

    def tell(self, problem: str) -> None:
        """Keep a problem, once."""
        with self._lock:
            if problem not in self.problems:
                self.problems.append(problem)

    def as_json(self) -> dict[str, int]:
        """Every count, also those that are 0."""
        names = ("simulated", "cached", "failed", "retried")
        return {name: self.counts[name] for name in names}


class Runner:
    """Carries out simulations for any number of threads; `open_runner` makes it."""

    def __init__(
        self,
        source: EngineSource | None,
        execution: Execution,
        scheduler: Scheduler,
        cache: JobCache | None,
    ) -> None:
        self._source = source
        self._execution = execution
        self._scheduler = scheduler
        self._cache = cache
        self.workers = execution.workers or scheduler.workers
        self.cancel = execution.cancel
        self.tally = Tally()
        self._kept: list[str] = []

    @property
    def engine(self) -> Engine:
        """Engine that writes the netlists.

        Raises
        ------
        ConfigError
            If the runner was opened without one.
        """
        if self._source is None:
            raise ConfigError("fidelities full and reduced need an engine")
        return self._source.open()

    def run(self, simulation: Simulation[Result], stop: threading.Event) -> Result | Failure:
        """Carry out a simulation, or take its result from the cache.

        Parameters
        ----------
        simulation : Simulation
        stop : threading.Event
            Stops the engine when set.

        Returns
        -------
        Result, or Failure
            A failure if every attempt failed; it is not kept in the cache, and neither is a result
            that the simulation does not accept.

        Raises
        ------
        ConfigError, NetlistError, EngineNotFound
            What other jobs would meet, too; with a note that names the job.
        """
        key = self._key(simulation)
        found = self._cached(simulation, key)
        if found is not None:
            self.tally.add(cached=1)
            return found
        attempted = self._attempt(simulation, stop)
        self.tally.add(retried=attempted.attempts - 1)
        if isinstance(attempted.result, Failure):
            self.tally.add(failed=1)
            return attempted.result
        self.tally.add(simulated=1)
        if simulation.accept(attempted.result.result):
            self._keep(simulation, key, attempted.result)
        return attempted.result.result

    def forget(self) -> None:
        """Take out of the cache what this runner has put there: its run is not to be relied on."""
        if self._cache is not None:
            for key in self._kept:
                self._cache.drop(key)
        self._kept = []

    def _attempt(
        self, simulation: Simulation[Result], stop: threading.Event
    ) -> Attempted[Answer[Result]]:
        request, timeout = simulation.request, self._execution.timeout

        def call() -> Answer[Result]:
            return self._scheduler.call(
                run_simulation, request, simulation.evaluate, self._source, timeout, cancel=stop
            )

        try:
            return attempt(call, self._execution.retries, stop)
        except (ConfigError, NetlistError, EngineError) as error:
            error.add_note(f"The job that failed is {simulation.name}")
            raise

    def _key(self, simulation: Simulation[Any]) -> str:
        if self._cache is None or self._source is None:
            return ""
        return simulation.key(self._source.info)

    def _cached(self, simulation: Simulation[Result], key: str) -> Result | None:
        entry = self._cache.get(key) if self._cache else None
        if entry is None:
            return None
        try:
            found = simulation.codec.unpack(entry)
        except StoreError:  # as good as absent, like a damaged one
            return None
        return found if simulation.accept(found) else None

    def _keep(self, simulation: Simulation[Result], key: str, answer: Answer[Result]) -> None:
        """Put a result into the cache; a cache that cannot be written costs no result."""
        if self._cache is None or self._source is None or self._source.info is None:
            return
        content, info = simulation.codec.pack(answer.result), self._source.info
        again = {
            "request": simulation.request.as_json(),
            "tools": tools(info),
            "waveforms": answer.waveforms,
        }
        label = {"job": simulation.name, "engine": f"{info.name} {info.version}"}
        try:
            self._cache.put(key, Entry({**content.facts, "again": again}, content.arrays, label))
            self._kept.append(key)
        except StoreError as error:
            self.tally.tell(str(error))


@contextmanager
def open_runner(engine: Engine | None, execution: Execution) -> Iterator[Runner]:
    """Runner of simulations on one engine; leaves the cluster at the end.

    Parameters
    ----------
    engine : Engine or None
        None where nothing but surrogates will run.
    execution : Execution

    Yields
    ------
    Runner

    Raises
    ------
    ConfigError
        If `execution` makes no sense, Dask is missing or its scheduler does not answer.
    """
    execution.check()
    source = None if engine is None else EngineSource(engine.info, engine)
    with open_scheduler(execution.scheduler) as scheduler:
        yield Runner(source, execution, scheduler, JobCache() if execution.cache else None)
