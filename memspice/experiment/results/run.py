"""What every run has besides its numbers: what it was made with, and which of its jobs failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self

from memspice.datasets import Images
from memspice.errors import IncompleteResults
from memspice.experiment.request import Request
from memspice.experiment.results.base import Result
from memspice.experiment.results.events import Events
from memspice.experiment.results.plain import APART, to_plain
from memspice.store import JobRecord, Provenance, RunWriter, place_notes
from memspice.windows.agreement import check_verdict

#: Failed jobs that a message names.
_NAMED = 5


@dataclass(frozen=True)
class DataFacts:
    """The images of a run: see `memspice.Images`."""

    name: str
    images: int
    lossless: bool | None
    source: str

    @classmethod
    def of(cls, images: Images) -> DataFacts:
        """Facts of images."""
        return cls(images.name, len(images), images.lossless, images.source)


@dataclass(frozen=True)
class FailedJob:
    """A simulation without a result: which, why, and how often it was tried."""

    job: str
    reason: str
    attempts: int


@dataclass(frozen=True)
class JobCounts:
    """Counts of what became of the jobs of a run; ``retried`` are attempts after a first."""

    total: int
    simulated: int
    cached: int
    failed: int
    retried: int


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class RunResult(Result):
    """Result of a run, with what it was made with.

    Parameters
    ----------
    network, device : str
        Names of network and parameter set.
    dataset : DataFacts
        Its images.
    fidelity : str
        ``surrogate``, ``reduced`` or ``full``.
    engine : mapping
        ``name``, ``version``, ``osdi``, ``klu`` and ``executable`` (a hash) of what simulated.
    seed, cycles, burst : int
        Of the draws; cycles of an image, and of a burst.
    notes : tuple of str
        Where the run is less than asked for, or other than names tell.
    jobs : JobCounts
        Simulations carried out.
    failures : tuple of FailedJob
        Those without a result; what depends on them is left out of everything else.
    doubts : tuple of str
        Numbers beyond a limit of the verdict, a sentence each: they are not to be relied on.
    wall_seconds : float, [s]
        What the run took.
    out : str or None
        Run file, if there is one.
    records : tuple of JobRecord
        Every job: netlist, log, events, energy, waveforms that were kept.
    provenance : Provenance
        Configuration, versions and command.
    """

    #: Tells the kinds of result apart in a run file.
    kind: ClassVar[str]

    network: str
    device: str
    dataset: DataFacts
    fidelity: str
    engine: Mapping[str, str | bool]
    seed: int
    cycles: int
    burst: int
    notes: tuple[str, ...]
    jobs: JobCounts
    failures: tuple[FailedJob, ...]
    doubts: tuple[str, ...]
    wall_seconds: float
    out: str | None
    records: tuple[JobRecord, ...] = field(metadata=APART)
    provenance: Provenance = field(metadata=APART)

    @property
    def fast_events(self) -> Events | None:
        """Closed form of the events of `records`, where the result holds it."""
        return None

    def check(self) -> None:
        """Fail where the result is less than it should be.

        Raises
        ------
        EngineError
            If a number is beyond a limit of the verdict.
        IncompleteResults
            If jobs failed; the message names some and says why.
        """
        check_verdict(self.doubts)
        check_complete(self.failures, self.jobs.total)

    def save(self, path: Path | str) -> None:
        """Write the run to an HDF5 file; `memspice.load` and ``memspice waves`` read it.

        Raises
        ------
        StoreError
            If the file exists, or cannot be written.
        """
        with RunWriter.create(path, self.provenance) as writer:
            for record in self.records:
                writer.add(record)
            self.finish(writer)

    def stored(self, writer: RunWriter | None) -> Self:
        """Result as it is once its run file, if there is one, is closed."""
        if writer is None:
            return self
        self.finish(writer)
        return replace(self, notes=(*self.notes, *place_notes(writer)), out=str(writer.place))

    def finish(self, writer: RunWriter) -> None:
        """Put the result into a run file that has its records, and close it."""
        result = {"kind": self.kind, **to_plain(self)}
        whole = not self.doubts and not self.failures
        writer.finish({**self.as_json(), "result": result}, "complete" if whole else "incomplete")

    def in_cycles(self) -> str:
        """Cycles in words, and bursts where there are any."""
        bursts = f" in bursts of {self.burst}" if self.burst > 1 else ""
        return f"{self.cycles} cycles{bursts}"

    def stored_rows(self) -> tuple[tuple[str, str], ...]:
        """Row of a table that says where the run is."""
        return (("stored in", f"{self.out}; see: memspice waves ls"),) if self.out else ()


def run_facts(request: Request, provenance: Provenance) -> dict[str, Any]:
    """What every result has of a request and of how its run was made."""
    return {
        "network": request.network.name,
        "device": request.mapped.parameter_set.name,
        "dataset": DataFacts.of(request.images),
        "engine": provenance.engine,
        "seed": request.seed,
        "cycles": request.cycles,
        "burst": request.burst,
        "out": None,
        "provenance": provenance,
    }


def failed_jobs(records: Iterable[JobRecord]) -> tuple[FailedJob, ...]:
    """Jobs without a result, in their order."""
    return tuple(
        FailedJob(record.name, str(record.attributes["error"]), int(record.attributes["attempts"]))
        for record in records
        if record.failed
    )


def check_complete(failures: Sequence[FailedJob], total: int) -> None:
    """Fail after everything else is done, if jobs did.

    Raises
    ------
    IncompleteResults
        If any job failed; the message names some and says why.
    """
    if not failures:
        return
    lines = [
        f"  {item.job} ({item.attempts} attempts): {item.reason}" for item in failures[:_NAMED]
    ]
    more = [f"  ... and {len(failures) - _NAMED} more"] if len(failures) > _NAMED else []
    raise IncompleteResults("\n".join([f"{len(failures)} of {total} jobs failed:", *lines, *more]))


def jobs_json(failures: Sequence[FailedJob], jobs: JobCounts) -> dict[str, Any]:
    """Jobs and failures as JSON has them."""
    return {"jobs": asdict(jobs), "failures": [asdict(item) for item in failures]}
