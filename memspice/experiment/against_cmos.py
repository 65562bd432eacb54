"""The energy of a co-simulation beside that of digital CMOS, each with what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from memspice.analysis.accounts import (
    Accounts,
    Ratios,
    assumption_changes,
    ratio_changes,
    ratio_range,
    total_range,
)
from memspice.analysis.assumed import circuit_constants
from memspice.analysis.cmos import (
    OPPONENTS,
    SCOPE_COMPONENTS,
    SCOPE_PARTS,
    SCOPES,
    CmosOperations,
    Converters,
    NeuronDecision,
    assumed_by_scope,
    by_scope,
    opponent_parts,
)
from memspice.circuits.bursts import delay
from memspice.circuits.energy_model import NETWORK_COMPONENTS
from memspice.experiment.cosim_state import CosimState
from memspice.experiment.operations import adds_half_width, workload
from memspice.experiment.request import Request
from memspice.experiment.results.against_cmos import (
    ChangedRatio,
    CmosComparison,
    EnergyRatio,
    EnergyTotal,
    RatioRange,
)
from memspice.experiment.scopes import (
    Interval,
    memristive_half_widths,
    opponent_half_widths,
    ratio_interval,
)
from memspice.network.mapping import MappedLayer
from memspice.parameters import SourcedParameters, load_table, load_values
from memspice.parameters.file import SourcedValue
from memspice.parameters.peripheries import BEHAVIOURAL, PERIPHERIES


@dataclass(frozen=True)
class CmosConstants:
    """Every constant of the digital side and of the converters, with its source."""

    operations: SourcedParameters[CmosOperations]
    decision: SourcedParameters[NeuronDecision]
    converters: SourcedParameters[Converters]
    #: Prices in the place of additions that were simulated.
    published: CmosOperations | None = None

    @property
    def provenance(self) -> tuple[SourcedValue, ...]:
        """Where all of them come from."""
        tables = (self.operations, self.decision, self.converters)
        return tuple(item for table in tables for item in table.provenance)


def load_cmos(periphery: str = BEHAVIOURAL) -> CmosConstants:
    """Constants as they are in ``models/``, of a neuron of the periphery's own transistors.

    Parameters
    ----------
    periphery : str
        One of `memspice.parameters.peripheries.PERIPHERIES`: where it has additions, too, they
        stand in the place of published ones.
    """
    digital = PERIPHERIES[periphery].digital
    operations = load_table("cmos-45nm", "cmos", CmosOperations)
    decision = load_table(digital, "decision", NeuronDecision)
    converters = load_table("cmos45_converters", "converters", Converters)
    own = load_values(digital, "cmos", optional=True)
    if not own:
        return CmosConstants(operations, decision, converters)
    values = operations.values.model_copy(update={name: v.value for name, v in own.items()})
    sources = tuple(own.get(value.name, value) for value in operations.provenance)
    priced = SourcedParameters(values, sources)
    return CmosConstants(priced, decision, converters, published=operations.values)


def quiescent(request: Request) -> float:
    """Energy that amplifiers of sense stages take without any signal, per inference, [J].

    Stages of transistors have no part in it.
    """
    held = delay(request.burst, request.mapped.share) > 0
    return request.cycles * sum(
        layer.positions * circuit.sense.idle_energy(circuit.outputs, circuit.schedule, held=held)
        for layer in request.mapped.layers
        if _amplified(layer)
        for circuit in layer.circuits
    )


def _amplified(layer: MappedLayer) -> bool:
    """Whether the sense stages are models of amplifiers: those have a constant gain."""
    return layer.circuits[0].sense.transimpedance is not None


def compare_with_cmos(
    request: Request,
    state: CosimState,
    constants: CmosConstants,
    layers: Mapping[str, Mapping[str, float]],
    converters: Mapping[str, Interval],
) -> CmosComparison:
    """Totals, scopes and ratios of a co-simulation; no ratio without what it rests on.

    Parameters
    ----------
    request, state
        The network and what was sampled of it.
    constants : CmosConstants
        Prices of the digital side.
    layers : mapping of str to mapping of str to float, [J]
        Of the memristive network, per inference, by layer and component.
    converters : mapping of str to (mean, half width), [J]
        Of each layer.
    """
    work, decision = workload(request, state), constants.decision.values
    operations = constants.operations.values
    components = {
        name: sum(layer[name] for layer in layers.values()) for name in NETWORK_COMPONENTS
    }
    amplified = sum(
        state.iterations[-1].energy[layer.name].components["sense"]
        for layer in request.mapped.layers
        if _amplified(layer)
    )
    accounts = Accounts(
        components, amplified, quiescent(request), work, operations, decision=decision.energy()
    )
    doubt = adds_half_width(request, state)
    own = _Side(
        accounts.own,
        memristive_half_widths(request, state, converters),
        _assumed(request, layers, constants),
    )
    halves = opponent_half_widths(operations, work, doubt, decision)
    digital = {name: _opponent(name, accounts, halves[name], constants) for name in OPPONENTS}
    changes = assumption_changes(accounts, decision, constants.published)
    return CmosComparison(
        total=_total(own, total_range(accounts, changes)),
        quiescent=accounts.quiescent,
        bit_lines=amplified - accounts.quiescent,
        memristive=own.energy,
        half_width=own.half,
        cmos={s: {n: digital[n].energy[s] for n in OPPONENTS} for s in SCOPES},
        ratios=_ratios(own, digital, accounts.ratios(), ratio_changes(accounts, changes)),
        assumed_fraction=own.assumed[SCOPES[-1]],
        device_source=request.mapped.parameter_set.device_source,
        workload=work,
        adds_half_width=doubt,
        transistors=components["sense"] - amplified,
    )


@dataclass(frozen=True)
class _Side:
    """Energy of a network by scope [J], its half width [J] and the share that is assumed [1]."""

    energy: Mapping[str, float]
    half: Mapping[str, float]
    assumed: Mapping[str, float]


def _assumed(
    request: Request, layers: Mapping[str, Mapping[str, float]], constants: CmosConstants
) -> dict[str, float]:
    """Share of the network's energy at each scope that is assumed: layers have their own blocks."""
    provenance = (*request.mapped.parameter_set.provenance, *constants.provenance)
    assumed, total = dict.fromkeys(SCOPES, 0.0), dict.fromkeys(SCOPES, 0.0)
    for layer in request.mapped.layers:
        blocks, parts = circuit_constants(layer.circuits[0]), layers[layer.name]
        shares = assumed_by_scope(parts, SCOPE_COMPONENTS, provenance, blocks)
        for scope, energy in by_scope(parts, SCOPE_COMPONENTS).items():
            assumed[scope] += shares[scope] * energy
            total[scope] += energy
    return {scope: assumed[scope] / total[scope] if total[scope] else 0.0 for scope in SCOPES}


def _opponent(
    name: str, accounts: Accounts, half: Mapping[str, float], constants: CmosConstants
) -> _Side:
    opponent = OPPONENTS[name]
    parts = opponent_parts(opponent, accounts.operations, accounts.work, accounts.decision)
    assumed = assumed_by_scope(parts, SCOPE_PARTS, constants.provenance, opponent.constants)
    return _Side(accounts.opponent(name), half, assumed)


def _ratios(
    own: _Side, digital: Mapping[str, _Side], standing: Ratios, changed: Mapping[str, Ratios]
) -> dict[str, dict[str, EnergyRatio]]:
    """Each ratio, by scope and opponent, with all that must stand beside it."""
    table: dict[str, dict[str, EnergyRatio]] = {}
    for scope, ratios in standing.items():
        relative = own.half[scope] / own.energy[scope]
        for name, ratio in ratios.items():
            side = digital[name]
            low, high = ratio_interval(ratio, relative, side.half[scope] / side.energy[scope])
            ends = ratio_range(standing, changed, scope, name)
            table.setdefault(scope, {})[name] = EnergyRatio(
                value=ratio,
                low=low,
                high=high,
                sensitivity=RatioRange(*(ChangedRatio(**ends[end]) for end in ("low", "high"))),
                assumed_fraction=own.assumed[scope],
                opponent_assumed_fraction=side.assumed[scope],
            )
    return table


def _total(own: _Side, model: tuple[float, float]) -> EnergyTotal:
    last = SCOPES[-1]
    total, half = own.energy[last], own.half[last]
    interval = "95 %, sampling of windows only"
    return EnergyTotal(total, total - half, total + half, interval, *model)
