"""``memspice cosim``: the network loop and SPICE teach each other until nothing moves any more.

1. Run the network with surrogates; keep the inputs of sampled windows of every layer.
2. Run some of those windows through SPICE.
3. Compare spikes event by event and energies component by component.
4. Fit what differs, put it back into the surrogates, and go on with other windows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from memspice.analysis.calibration import fit_line
from memspice.analysis.comparison import CERTAIN
from memspice.analysis.extrapolation import extrapolate_layer
from memspice.analysis.statistics import accuracy, accuracy_moved
from memspice.engines.base import Engine
from memspice.errors import ConfigError, IncompleteResults
from memspice.experiment.cosim_state import CosimState, Iteration
from memspice.experiment.request import Request
from memspice.experiment.results.run import JobCounts, failed_jobs
from memspice.experiment.simulate_layer import whole_windows
from memspice.jobs import Execution, open_runner
from memspice.network.batch import Window
from memspice.network.inference import InferenceResult, run_inference
from memspice.network.mapping import MappedLayer
from memspice.network.switching import Calibration
from memspice.store import JobRecord
from memspice.windows.agreement import judge
from memspice.windows.closed_form import per_cycle, window_energies
from memspice.windows.fidelity import WindowJob, window_jobs
from memspice.windows.full import Full
from memspice.windows.kept import Kept
from memspice.windows.outcome import Outcome
from memspice.windows.progress import Progress, counted
from memspice.windows.reduced import Reduced
from memspice.windows.run_windows import StoredRecords, WindowRuns
from memspice.windows.surrogate import Surrogate, surrogate_events

#: Smallest hazard integral that the calibration looks at: one switch in a thousand attempts.
_FITTED_HAZARD = 1e-3


@dataclass(frozen=True)
class CosimPlan:
    """Plan of a co-simulation: how much goes through SPICE, and when it is enough.

    Per iteration and layer ``spice_windows`` windows of ``spice_cycles`` cycles run in ``reduced``,
    in each of them ``spice_outputs`` outputs, whole decks, of a wider layer; ``model_windows`` are
    evaluated in closed form.  The very first window, which is to be looked at, has
    ``showcase_cycles`` and ``showcase_outputs``.  ``full_windows`` windows of the smallest layer
    run cell by cell, once, as ``full_outputs`` outputs on a crossbar of their own.  Cycles of a
    window are filled up to whole bursts.  The transfer curve P(V) beside it has
    ``transfer_points`` voltages of ``transfer_events`` write attempts.  The loop is settled when
    energy moves by less than ``energy_tolerance``, rates by less than ``rate_tolerance`` and
    accuracy by no more than chance explains: spikes near their thresholds change answers both ways.

    The defaults are for transistors, of which an output takes seconds a burst of eight: many
    windows of one deck say more than few of many, and two rounds of a network with nine spiking
    layers have 1,500 events.
    """

    spice_windows: int = 10
    spice_cycles: int = 4
    spice_outputs: int = 1
    model_windows: int = 48
    full_windows: int = 2
    full_cycles: int = 2
    full_outputs: int = 2
    showcase_cycles: int = 16
    showcase_outputs: int = 12
    max_iterations: int = 4
    transfer_points: int = 5
    transfer_events: int = 32
    energy_tolerance: float = 0.01
    rate_tolerance: float = 0.002


def check_images(request: Request) -> None:
    """Refuse a single image, which gives no confidence interval, and a network without spikes."""
    if len(request.images.x) < 2:
        raise ConfigError("images = 1 gives no confidence interval: use at least 2")
    if not any(layer.spiking for layer in request.mapped.layers):
        raise ConfigError(
            f"network {request.network.name} has no spiking layer, so nothing to calibrate: "
            "simulate-layer runs its circuits"
        )


def run_cosim(
    request: Request,
    plan: CosimPlan,
    engine: Engine,
    keep: Callable[[JobRecord], None],
    *,
    kept: Kept = Kept(),
    stored: StoredRecords = lambda _: {},
    execution: Execution = Execution(),
    progress: Progress | None = None,
) -> CosimState:
    """Iterate between network loop and SPICE until settled.

    Parameters
    ----------
    request : Prepared
        Network, images, settings.
    plan : CosimPlan
        How much goes through SPICE.
    engine : Engine
        Circuit simulator.
    keep : callable
        Receives each finished record, to store it.
    kept : Kept
        Neurons whose waveforms records keep.
    stored : callable, optional
        Gives the records of keys, from an earlier run of the same thing.
    execution : Execution
        How decks are carried out.
    progress : Progress, optional
        Is told how far it is.

    Raises
    ------
    ConfigError
        If there are too few images or SPICE windows for a confidence interval.
    IncompleteResults
        If so many jobs of a layer failed that it has no confidence interval.
    """
    execution.check()
    if plan.spice_windows < 2 or plan.model_windows < 2:
        raise ConfigError("a confidence interval needs at least 2 windows of either kind")
    check_images(request)
    state = CosimState()
    with open_runner(engine, execution) as runner:
        _iterate(request, plan, WindowRuns(runner, keep, stored, kept), state, progress)
    state.counts = JobCounts(len(state.known), **runner.tally.as_json())
    state.problems = runner.tally.problems
    if not state.verdict().holds:
        runner.forget()
    return state


def _iterate(
    request: Request,
    plan: CosimPlan,
    runs: WindowRuns,
    state: CosimState,
    progress: Progress | None,
) -> None:
    for number in range(plan.max_iterations):
        chosen = _choose(request, plan, number)
        inference = _infer(request, state, chosen, number, progress)
        jobs = _spice_jobs(request, plan, chosen, inference, number, engine=runs.runner.engine)
        advance = counted(progress, f"iteration {number + 1}: SPICE windows", len(jobs))
        _simulate(state, jobs, runs, advance)
        _check_windows(state, request)
        holds = state.verdict().holds
        if holds:
            _calibrate(state, request)
        else:
            state.calibration.clear()
        for layer in request.mapped.layers:
            windows = chosen[layer.name]
            energies = window_energies(layer, windows, inference, request.seed, request.burst)
            # By window: one that few images bring up again must not count as another sample.
            state.modelled.setdefault(layer.name, {}).update(zip(windows, energies, strict=True))
        if not holds:
            # The first round's loop is the only one that SPICE has taught nothing.
            first = state.iterations[0].inference if state.iterations else inference
            state.iterations.append(_summarise(request, state, first, number))
            break
        state.iterations.append(_summarise(request, state, inference, number))
        if _settled(state.iterations, plan, request.images.y):
            state.settled = True
            break


def _choose(request: Request, plan: CosimPlan, number: int) -> dict[str, list[Window]]:
    """Windows of each layer in one iteration; the first of them go through SPICE."""
    images, chosen = len(request.images.x), {}
    for layer in request.mapped.layers:
        rng = np.random.default_rng([request.seed, layer.number, 7])
        total = images * layer.positions
        order = rng.permutation(total) if total < 10**7 else rng.integers(total, size=10**5)
        start = number * plan.model_windows
        picked = np.take(order, range(start, start + plan.model_windows), mode="wrap")
        chosen[layer.name] = [
            Window(layer.name, *map(int, divmod(event, layer.positions)))
            for event in dict.fromkeys(picked.tolist())
        ]
    return chosen


def _infer(
    request: Request,
    state: CosimState,
    chosen: dict[str, list[Window]],
    number: int,
    progress: Progress | None,
) -> InferenceResult:
    images = request.images.x
    stage = f"iteration {number + 1}: network loop"
    return run_inference(
        request.mapped,
        images,
        request.cycles,
        request.seed,
        burst=request.burst,
        windows=[window for windows in chosen.values() for window in windows],
        calibration=state.calibration,
        progress=counted(progress, stage, len(images)),
    )


def _spice_jobs(
    request: Request,
    plan: CosimPlan,
    chosen: dict[str, list[Window]],
    inference: InferenceResult,
    number: int,
    *,
    engine: Engine,
) -> list[WindowJob]:
    seed, burst, layers = request.seed, request.burst, request.mapped.layers
    jobs = []
    for layer in layers:
        for index, window in enumerate(chosen[layer.name][: plan.spice_windows]):
            showcase = number == 0 and layer is layers[0] and index == 0
            cycles = plan.showcase_cycles if showcase else plan.spice_cycles
            outputs = plan.showcase_outputs if showcase else plan.spice_outputs
            inputs = _first_bursts(inference.windows[window], cycles, burst)
            decks = window_jobs(layer, window, inputs, Reduced(engine), seed=seed, burst=burst)
            jobs += _some(decks, outputs, seed)
    if number == 0:
        smallest = min(layers, key=lambda layer: layer.rows * layer.outputs)
        narrow = smallest.on_narrow_tiles(plan.full_outputs)
        for window in chosen[smallest.name][: plan.full_windows]:
            inputs = _first_bursts(inference.windows[window], plan.full_cycles, burst)
            decks = window_jobs(narrow, window, inputs, Full(engine), seed=seed, burst=burst)
            jobs += _some(decks, plan.full_outputs, seed)
    return jobs


def _some(jobs: list[WindowJob], outputs: int, seed: int) -> list[WindowJob]:
    """Jobs of a window that follow one another, round the end, and have at least so many outputs.

    What SPICE fixes is a ratio, for which no window must be whole; the first job is drawn.
    """
    window = jobs[0].window
    rng = np.random.default_rng([seed, jobs[0].layer.number, window.image, window.position])
    first = int(rng.integers(len(jobs)))
    found: list[WindowJob] = []
    for job in jobs[first:] + jobs[:first]:
        if sum(len(other.outputs) for other in found) < outputs:
            found.append(job)
    return sorted(found, key=lambda job: job.outputs.start)


def _first_bursts(inputs: np.ndarray, cycles: int, burst: int) -> np.ndarray:
    """Inputs of as few whole bursts as have so many cycles."""
    return inputs[: math.ceil(cycles / burst) * burst]


def _simulate(
    state: CosimState,
    jobs: Sequence[WindowJob],
    runs: WindowRuns,
    advance: Callable[[int], None],
) -> None:
    """Run jobs, the longest first, and add them to the state in their given order."""
    jobs = [job for job in jobs if job.name not in state.known]
    state.known |= {job.name for job in jobs}
    order = sorted(jobs, key=_cost, reverse=True)
    found = {record.name: record for record in runs.run(order, lambda _: advance(1))}
    records = [found[job.name] for job in jobs]
    whole, outcomes = whole_windows(jobs, records)
    state.jobs += whole
    state.outcomes += outcomes
    state.verdicts += [judge(job, found) for job, found in zip(whole, outcomes, strict=True)]
    state.failures += failed_jobs(records)


def _check_windows(state: CosimState, request: Request) -> None:
    """Refuse to go on where failures left a layer without a sample."""
    for layer in request.mapped.layers:
        windows = {job.window for job, _ in state.of_layer(layer.name) if not job.fidelity.exact}
        if state.failures and len(windows) < 2:
            raise IncompleteResults(
                f"layer {layer.name} has {len(windows)} SPICE windows after {len(state.failures)} "
                f"jobs failed, and needs 2 for a confidence interval; the first to fail was "
                f"{state.failures[0].job}: {state.failures[0].reason}"
            )


def _cost(job: WindowJob) -> float:
    """Rough run time: neurons and cycles, and in ``full`` every cell."""
    cells = job.circuit.rows * job.circuit.outputs if job.fidelity.exact else 0
    return len(job.inputs) * (job.circuit.outputs + cells)


def _calibrate(state: CosimState, request: Request) -> None:
    """Fit drive and hazard of every spiking layer to all SPICE events so far."""
    for layer in request.mapped.layers:
        pairs = state.of_layer(layer.name)
        circuit = layer.circuits[0]
        modelled = np.concatenate([surrogate_events(job)["drive"].ravel() for job, _ in pairs])
        measured = np.concatenate([result.drive.ravel() for _, result in pairs])
        low, high = circuit.write_limits
        inside = (modelled > low + 1e-6) & (modelled < high - 1e-6)
        gain, offset = fit_line(modelled[inside], measured[inside])
        if not layer.spiking:
            state.calibration[layer.name] = Calibration(gain, offset)
            continue
        expected = np.concatenate(
            [job.circuit.log_hazard(result.drive).ravel() for job, result in pairs]
        )
        hazard = np.concatenate([result.hazard.ravel() for _, result in pairs])
        # Below it hardly any device switches, and an integral may drown in the solver's tolerance;
        # what is certain, as of some neurons that differ, is bounded in the circuit's models.
        fitted = inside & (hazard > _FITTED_HAZARD) & (expected < np.log(CERTAIN))
        slope, shift = fit_line(expected[fitted], np.log(hazard[fitted]))
        state.calibration[layer.name] = Calibration(gain, offset, slope, shift)


def spice_energies(
    state: CosimState, layer: MappedLayer
) -> list[tuple[dict[str, float], dict[str, float]]]:
    """Energy per cycle of each SPICE window, measured and in closed form.

    Of a window of which only some outputs were simulated, as much in proportion to all.
    Windows in ``full`` are left out: each has its twin in ``reduced`` and is no sample of its own.
    """
    windows: dict[Window, list[tuple[WindowJob, Outcome]]] = {}
    for job, result in state.of_layer(layer.name):
        if not job.fidelity.exact:
            windows.setdefault(job.window, []).append((job, result))
    pairs = []
    for members in windows.values():
        # Cycles of all outputs that were simulated: as many as of a whole window.
        cycles = float(len(members[0][0].inputs))
        cycles *= sum(len(job.outputs) for job, _ in members) / layer.outputs
        twins = [replace(job, fidelity=Surrogate()) for job, _ in members]
        measured = per_cycle([result.energy for _, result in members], cycles)
        pairs.append((measured, per_cycle([job.fidelity.run(job).energy for job in twins], cycles)))
    return pairs


def _summarise(
    request: Request, state: CosimState, inference: InferenceResult, number: int
) -> Iteration:
    """State after a round; where SPICE is not to be relied on, its energies do not count."""
    verdict, energy = state.verdict(), {}
    for layer in request.mapped.layers:
        modelled = list(state.modelled[layer.name].values())
        alone = [(item, item) for item in modelled]
        energy[layer.name] = extrapolate_layer(
            modelled,
            spice_energies(state, layer) if verdict.holds else alone,
            layer.positions * request.cycles,
        )
    labels = request.images.y
    return Iteration(
        number=number + 1,
        inference=inference,
        snn_accuracy=None if labels is None else accuracy(inference.scores, labels),
        energy=energy,
        comparison=verdict.pathwise,
        windows=len({(job.window, job.fidelity) for job in state.jobs}),
    )


def _settled(iterations: Sequence[Iteration], plan: CosimPlan, labels: np.ndarray | None) -> bool:
    if len(iterations) < 2:
        return False
    old, new = iterations[-2], iterations[-1]
    energy = abs(new.energy_total / old.energy_total - 1)
    rates = new.inference.spike_rate
    rate = max(abs(rates[name] - old.inference.spike_rate[name]) for name in rates)
    if energy >= plan.energy_tolerance or rate >= plan.rate_tolerance:
        return False
    return labels is None or not accuracy_moved(old.inference.scores, new.inference.scores, labels)
