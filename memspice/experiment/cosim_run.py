"""A whole co-simulation with its store, baseline and summary: what ``make cifar-energy`` runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from memspice.analysis.transfer import Characterization
from memspice.engines import find_engine
from memspice.experiment.against_cmos import load_cmos
from memspice.experiment.characterize import characterize
from memspice.experiment.cosim import CosimPlan, CosimState, check_images, run_cosim
from memspice.experiment.summary import summary_json
from memspice.jobs import Execution
from memspice.store import Provenance, RunWriter
from memspice.windows.reduced import Reduced
from memspice.windows.setup import Prepared, Setup, engine_record, prepare, run_config

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class CosimRun:
    """Result of a co-simulation: its state, its summary and the neuron's transfer curve."""

    prepared: Prepared
    state: CosimState
    transfer: Characterization
    summary: dict[str, Any]


def cosimulate(
    setup: Setup,
    plan: CosimPlan,
    out: Path,
    *,
    transfer_points: int = 9,
    transfer_events: int = 128,
    command: str = "",
    resume: bool = False,
    progress: Progress,
) -> CosimRun:
    """Run a co-simulation and store every SPICE window of it in ``out``.

    Parameters
    ----------
    setup, plan
        Network, images, how much goes through SPICE, and how that is carried out.
    out : Path
        HDF5 file of waveforms, netlists and events; replaced when it exists.
    transfer_points, transfer_events : int
        Size of the transfer curve P(V) measured beside it.
    command : str
        Command line, for the provenance.
    resume : bool
        Go on with the windows in ``out``, instead of replacing them.
    progress : callable
        Called with what is going on, steps done and steps to do.

    Raises
    ------
    MemspiceError
        As config, engine or store say; finished windows are in ``out``.
    IncompleteResults
        If so many jobs failed that a number would rest on nothing.
    """
    started = time.monotonic()
    engine = find_engine(setup.engine)
    Reduced(engine).check_burst(setup.burst)
    constants = load_cmos()
    prepared = prepare(setup)
    check_images(prepared)
    provenance = Provenance(
        config=run_config(prepared, {"plan": _content(plan)}),
        seed=setup.seed,
        engine=engine_record(engine.info),
        command=command,
    )
    with RunWriter.create(out, provenance, resume=resume, overwrite=not resume) as writer:
        state = run_cosim(prepared, plan, engine, writer.add, progress, writer.stored)
        # Nothing of a void run is kept, the curve beside it no more than its windows.
        kept = plan if state.verdict().holds else replace(plan, cache=False)
        transfer = characterize(
            prepared.mapped.parameter_set,
            transfer_points,
            transfer_events,
            setup.seed,
            engine,
            kept,
            lambda done, total: progress("transfer curve", done, total),
        )
        seconds = time.monotonic() - started
        summary = summary_json(prepared, state, constants, engine.info, seconds)
        summary |= {"jobs": state.counts, "failures": state.failures}
        curve = [f"transfer curve: {doubt}" for doubt in transfer.doubts]
        summary["notes"] = [*summary["notes"], *curve, *state.problems]
        doubts = [*summary["verdict"]["doubts"], *curve]
        summary["verdict"] |= {"holds": not doubts, "doubts": doubts}
        writer.finish(summary, "incomplete" if doubts or state.failures else "complete")
    return CosimRun(prepared, state, transfer, summary)


def _content(plan: CosimPlan) -> dict[str, object]:
    """What of a plan decides a result: not how it is carried out."""
    how = {field.name for field in fields(Execution)}
    return {name: value for name, value in asdict(plan).items() if name not in how}
