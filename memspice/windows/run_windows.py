"""Many window jobs: from the cache, an engine or a cluster; failures become records, too."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

from memspice.jobs import EngineRequest, Failure, Runner, Simulation, run_jobs
from memspice.store import FAILED, JobRecord, RecordCodec, RunWriter
from memspice.windows.agreement import judge
from memspice.windows.fidelity import WindowJob
from memspice.windows.job_record import job_attributes
from memspice.windows.kept import Kept
from memspice.windows.outcome import outcome

#: Gives the records of some keys, as far as there are any.
StoredRecords = Callable[[Iterable[str]], Mapping[str, JobRecord]]


@dataclass(frozen=True)
class WindowRuns:
    """Window jobs through a runner, each kept in a store and taken from there the next time.

    One whose result is beyond a limit is run anew.

    Parameters
    ----------
    runner : Runner
        Where and how.
    keep : callable
        Stores a record that is finished.
    stored : callable
        Records of keys, as far as the store has them.
    waveforms : Kept
        Neurons whose waveforms records keep.
    """

    runner: Runner
    keep: Callable[[JobRecord], None] = lambda _: None
    stored: StoredRecords = lambda _: {}
    waveforms: Kept = Kept()

    @classmethod
    def of_store(cls, runner: Runner, writer: RunWriter | None, waveforms: Kept = Kept()) -> Self:
        """Runs that are kept in a run file, if there is one."""
        if writer is None:
            return cls(runner, waveforms=waveforms)
        return cls(runner, writer.add, writer.stored, waveforms)

    def run(
        self, jobs: Sequence[WindowJob], on_done: Callable[[JobRecord], None]
    ) -> list[JobRecord]:
        """Run those without a result in the store.

        Returns
        -------
        list of JobRecord
            In the order of the jobs, whatever the order of completion; see `JobRecord.failed`.

        Raises
        ------
        ConfigError, NetlistError, EngineNotFound
            What is about the run, not about one job: it stops the others.
        """
        known = self.stored([job.key for job in jobs])
        found = {
            job.key: known[job.key]
            for job in jobs
            if job.key in known and judge(job, outcome(known[job.key])).holds
        }
        for record in found.values():
            on_done(record)

        def keep(record: JobRecord) -> None:
            self.keep(record)
            on_done(record)

        missing = [job for job in jobs if job.key not in found]
        found |= {record.key: record for record in self._simulate(missing, keep)}
        return [found[job.key] for job in jobs]

    def _simulate(
        self, jobs: Sequence[WindowJob], on_done: Callable[[JobRecord], None]
    ) -> list[JobRecord]:
        """Records of jobs in their order, several at a time; failed or not."""
        return run_jobs(
            partial(_run, self.runner, self.waveforms),
            jobs,
            workers=self.runner.workers,
            on_done=lambda _, record: on_done(record),
            cancel=self.runner.cancel,
        )


def _run(runner: Runner, waveforms: Kept, job: WindowJob, stop: threading.Event) -> JobRecord:
    request = job.fidelity.request(job)
    if request is None:
        return job.fidelity.run(job)
    found = runner.run(window_simulation(job, request, waveforms), stop)
    return _failed_record(job, request.netlist, found) if isinstance(found, Failure) else found


def window_simulation(
    job: WindowJob, request: EngineRequest, waveforms: Kept = Kept()
) -> Simulation[JobRecord]:
    """Job of an engine as a value that any process can carry out."""
    # The name, with fidelity and outputs, the seed and the inputs are in the key.
    facts = (job.key, waveforms)
    return Simulation(
        name=job.name,
        request=request,
        identity=("window", facts, job.circuit, job.stimulus().row_voltage),
        evaluate=partial(job.fidelity.record, job, request.netlist, waveforms),
        codec=RecordCodec(),
        accept=lambda record: judge(job, outcome(record)).holds,
    )


def _failed_record(job: WindowJob, netlist: str, failure: Failure) -> JobRecord:
    """Record of a job without a result: what was asked, how often, and what was said."""
    facts: dict[str, str | int] = {
        "status": FAILED,
        "error": failure.reason,
        "attempts": failure.attempts,
    }
    return JobRecord(
        key=job.key,
        name=job.name,
        attributes={**job_attributes(job, 0.0), **facts},
        netlist=netlist,
        log=failure.log,
    )
