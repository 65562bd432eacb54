"""A whole co-simulation with its store, baseline and result: what ``make cifar-energy`` runs."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, replace

from memspice.datasets import Images
from memspice.engines import find_engine
from memspice.engines.base import Engine
from memspice.experiment.against_cmos import load_cmos
from memspice.experiment.characterize import characterize
from memspice.experiment.chip import Chip
from memspice.experiment.cosim import CosimPlan, check_images, run_cosim
from memspice.experiment.results.cosim import CosimResult
from memspice.experiment.run_options import RunOptions
from memspice.experiment.summary import cosim_result
from memspice.store import JobRecord
from memspice.windows.kept import Kept


def cosim(
    chip: Chip,
    images: Images,
    *,
    cycles: int = 32,
    burst: int | None = None,
    plan: CosimPlan = CosimPlan(),
    engine: Engine | str = "ngspice",
    keep: str | Iterable[int] = "sample",
    options: RunOptions = RunOptions(),
) -> CosimResult:
    """Energy of one inference: the network loop and SPICE teach each other until nothing moves.

    Parameters
    ----------
    chip : Chip
        Network and device.
    images : Images
        Two at least; with labels for an accuracy.
    cycles : int
        Of an image.
    burst : int, optional
        As of `Chip.run`.
    plan : CosimPlan
        How much goes through SPICE, and when it is enough.
    engine : Engine or str
        Circuit simulator.
    keep : {"sample", "all", "none"} or iterable of int
        Neurons whose waveforms the run file keeps, as of `Layer.simulate`.
    options : RunOptions
        As of `Chip.run`; the run file holds every window that went through SPICE.

    Raises
    ------
    MemspiceError
        As config, engine or store say; finished windows are in the run file.
    IncompleteResults
        If so many jobs failed that a number would rest on nothing.
    """
    simulator = find_engine(engine)
    request = chip.request(images, cycles=cycles, burst=burst, notes=options.notes)
    constants = load_cmos(request.mapped.parameter_set.periphery)
    check_images(request)
    started, records = time.monotonic(), list[JobRecord]()
    kept = Kept.of(keep)
    layers = request.mapped.layers
    kept.check("the network", max(layer.outputs for layer in layers))
    more = {"plan": asdict(plan)} | kept.as_config()
    provenance = request.provenance(more, simulator, options.command)
    with options.store(provenance) as writer:

        def store(record: JobRecord) -> None:
            records.append(record)
            if writer:
                writer.add(record)

        state = run_cosim(
            request,
            plan,
            simulator,
            store,
            kept=kept,
            stored=writer.stored if writer else lambda _: {},
            execution=options.execution,
            progress=options.progress,
        )
        # Nothing of a void run is kept, the curve beside it no more than its windows.
        cached = replace(options.execution, cache=options.execution.cache and state.verdict().holds)
        transfer = characterize(
            request.mapped.parameter_set,
            points=plan.transfer_points,
            events=plan.transfer_events,
            seed=request.seed,
            engine=simulator,
            execution=cached,
            progress=options.progress,
        )
        result = cosim_result(
            request,
            state,
            constants,
            transfer,
            records=records,
            provenance=provenance,
            wall_seconds=time.monotonic() - started,
        )
        return result.stored(writer)
