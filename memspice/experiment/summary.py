"""Everything that a co-simulation found, put together as its result."""

from __future__ import annotations

import numpy as np

from memspice.analysis.left_out import LayerCounts, LeftOutPrices, left_out
from memspice.analysis.statistics import Proportion, accuracy
from memspice.circuits.blocks.row_driver import RowDriver
from memspice.experiment.against_cmos import CmosConstants, compare_with_cmos
from memspice.experiment.cosim_state import CosimState, Iteration
from memspice.experiment.merit import figures_of_merit
from memspice.experiment.operations import comparison_energy, converter_energy
from memspice.experiment.request import Request
from memspice.experiment.results.characterization import Characterization
from memspice.experiment.results.cosim import CosimResult, LayerWindows, Round, SpiceShare
from memspice.experiment.results.energy import Energy
from memspice.experiment.results.run import run_facts
from memspice.network.ann import ann_scores
from memspice.network.latency import busy, latency
from memspice.network.mapping import MappedLayer
from memspice.parameters import load_table
from memspice.store import JobRecord, Provenance, installed_versions
from memspice.windows.reduced import Reduced

#: What the joules of a summary leave out besides what `memspice.analysis.left_out` estimates.
EXCLUDED = (
    "gates of row drivers that are pulse sources (row_driver.kind = pulse)",
    "charge of word and bit lines where the set has no wire capacitance",
    "non-linearity of cells, although bias rows may stand at several times the read voltage",
    "on the CMOS side: registers, accumulators, routing, clocks of the adders, leakage of "
    "memories; a graded pooled input counts as one addition",
)


def excluded(driver: RowDriver) -> tuple[str, ...]:
    """Texts of `EXCLUDED` that hold for such row drivers: gates of some are counted."""
    gates = driver.pulse_energy(np.ones((1, 1)), 0.0).any()
    return EXCLUDED[1:] if gates else EXCLUDED


def left_out_joules(request: Request, state: CosimState, answer: float) -> dict[str, float]:
    """Estimates of what is left out of an inference that takes ``answer`` [s], by name, [J]."""
    rates = state.iterations[-1].inference.spike_rate
    counts = tuple(
        _counts(request, layer, rates.get(layer.name, 0.0)) for layer in request.mapped.layers
    )
    prices = load_table("left-out", "left_out", LeftOutPrices).values
    return left_out(prices, counts, answer)


def _counts(request: Request, layer: MappedLayer, rate: float) -> LayerCounts:
    """Counts of a layer whose neurons spike at a rate."""
    stages = layer.positions * layer.outputs
    return LayerCounts(
        stages=stages,
        events=stages * request.cycles,
        spikes=stages * request.cycles * rate,
        cells=sum(tile.size for part in layer.circuits for tile in part.conductances),
        active=busy(request.mapped, layer, request.cycles, request.burst),
    )


def ann_accuracy(request: Request) -> Proportion | None:
    """Accuracy of the network with the device's activation, without any circuit."""
    if request.images.y is None:
        return None
    return accuracy(ann_scores(request.network, request.images.x), request.images.y)


def cosim_result(
    request: Request,
    state: CosimState,
    constants: CmosConstants,
    transfer: Characterization,
    *,
    records: list[JobRecord],
    provenance: Provenance,
    wall_seconds: float,
) -> CosimResult:
    """Result of a co-simulation from what it has gathered.

    Parameters
    ----------
    request, state
        The network and what was sampled of it.
    constants : CmosConstants
        Prices of the digital side.
    transfer : Characterization
        P(V) of the neuron.
    records, provenance, wall_seconds
        See `RunResult`.
    """
    last, verdict = state.iterations[-1], state.verdict()
    converters = converter_energy(request, state, constants.converters.values)
    compared = comparison_energy(request)
    layers = {
        name: {**layer.components, "converter": converters[name][0]}
        for name, layer in last.energy.items()
    }
    for name, layer in layers.items():
        layer["logic"] += compared[name]
    components = {
        name: sum(layer[name] for layer in layers.values()) for name in next(iter(layers.values()))
    }
    against = compare_with_cmos(request, state, constants, layers, converters)
    answer = latency(request.mapped, request.cycles, request.burst)
    missing = left_out_joules(request, state, answer)
    merit = figures_of_merit(
        request.mapped, request.cycles, request.burst, against=against, left_out=missing
    )
    curve = [f"transfer curve: {doubt}" for doubt in transfer.doubts]
    engine = provenance.engine
    return CosimResult(
        **run_facts(request, provenance),
        fidelity=Reduced.name,
        notes=(
            *request.notes,
            *last.inference.notes,
            *_doubts(verdict.doubts),
            *curve,
            *state.problems,
        ),
        jobs=state.counts,
        failures=tuple(state.failures),
        doubts=(*verdict.doubts, *curve),
        wall_seconds=wall_seconds,
        records=tuple(records),
        latency=answer,
        ann_accuracy=ann_accuracy(request),
        accuracy=last.snn_accuracy,
        spike_rate=last.inference.spike_rate,
        energy=Energy(components, against.assumed_fraction, against.device_source),
        layers=layers,
        against_cmos=against,
        spice=_spice_share(state),
        verdict=verdict,
        settled=state.settled,
        rounds=tuple(
            _round(item, components["converter"] + sum(compared.values()))
            for item in state.iterations
        ),
        calibration=state.calibration,
        excluded=excluded(request.mapped.parameter_set.array.row_driver),
        left_out=missing,
        merit=merit,
        parameters=request.mapped.parameter_set.provenance,
        cmos_constants=constants.provenance,
        versions={**installed_versions(), str(engine["name"]): str(engine["version"])},
        transfer=transfer,
        request=request,
        state=state,
    )


def _doubts(doubts: list[str]) -> list[str]:
    """Why SPICE is not to be relied on, and what stands in its place."""
    instead = ["no number is calibrated by SPICE: energies and rates are those of the closed form"]
    return [*doubts, *instead] if doubts else []


def _spice_share(state: CosimState) -> SpiceShare:
    names = dict.fromkeys(job.window.layer for job in state.jobs)
    layers = {name: _layer_windows(state, name) for name in names}
    last = state.iterations[-1].comparison
    return SpiceShare(
        LayerWindows(
            windows=sum(item.windows for item in layers.values()),
            full_windows=sum(item.full_windows for item in layers.values()),
            events=last.events,
            mismatches=last.mismatches,
            worst_margin=last.worst_margin,
            closure_max=max(item.closure_max for item in layers.values()),
        ),
        layers,
        hazard_deviation=last.hazard_deviation,
        wall_seconds=sum(result.wall_seconds for result in state.outcomes),
    )


def _layer_windows(state: CosimState, name: str) -> LayerWindows:
    windows = {(job.window, job.fidelity) for job, _ in state.of_layer(name)}
    verdict = state.verdict(name)
    assert verdict.closure is not None
    return LayerWindows(
        windows=len(windows),
        full_windows=sum(fidelity.exact for _, fidelity in windows),
        events=verdict.pathwise.events,
        mismatches=verdict.pathwise.mismatches,
        worst_margin=verdict.pathwise.worst_margin,
        closure_max=verdict.closure,
    )


def _round(item: Iteration, counted: float) -> Round:
    rates = item.inference.spike_rate
    return Round(
        number=item.number,
        accuracy=item.snn_accuracy.value if item.snn_accuracy else None,
        energy=item.energy_total + counted,
        half_width=item.half_width,
        mean_rate=float(np.mean(list(rates.values()))) if rates else 0.0,
        mismatches=item.comparison.mismatches,
        worst_margin=item.comparison.worst_margin,
        windows=item.windows,
    )
