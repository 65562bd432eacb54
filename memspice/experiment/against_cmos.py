"""The energy of a co-simulation beside that of digital CMOS, each with what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from memspice.analysis.accounts import (
    Accounts,
    Ratios,
    assumption_changes,
    ratio_changes,
    ratio_range,
    total_range,
)
from memspice.analysis.assumed import CIRCUIT_CONSTANTS
from memspice.analysis.cmos import (
    LIKE_FOR_LIKE,
    OPPONENTS,
    PAPERS,
    SCOPE_COMPONENTS,
    SCOPE_PARTS,
    SCOPES,
    CmosOperations,
    Converters,
    NeuronDecision,
    assumed_by_scope,
    opponent_parts,
)
from memspice.experiment.cosim import CosimState
from memspice.experiment.operations import adds_half_width, workload
from memspice.experiment.scopes import (
    Interval,
    memristive_half_widths,
    opponent_half_widths,
    ratio_interval,
)
from memspice.parameters import SourcedParameters, load_sourced
from memspice.parameters.file import SourcedValue
from memspice.windows.setup import Prepared


@dataclass(frozen=True)
class CmosConstants:
    """Every constant of the digital side and of the converters, with its source."""

    operations: SourcedParameters[CmosOperations]
    decision: SourcedParameters[NeuronDecision]
    converters: SourcedParameters[Converters]

    @property
    def provenance(self) -> tuple[SourcedValue, ...]:
        """Where all of them come from."""
        tables = (self.operations, self.decision, self.converters)
        return tuple(item for table in tables for item in table.provenance)


def load_cmos() -> CmosConstants:
    """Constants as they are in ``models/``."""
    return CmosConstants(
        load_sourced("cmos-45nm", "cmos", CmosOperations),
        load_sourced("cmos45_neuron", "decision", NeuronDecision),
        load_sourced("cmos45_converters", "converters", Converters),
    )


def quiescent(prepared: Prepared) -> float:
    """Energy that the sense stages of a network take without any signal, per inference, [J]."""
    return prepared.setup.cycles * sum(
        layer.positions * circuit.sense.idle_energy(circuit.outputs, circuit.schedule, held=False)
        for layer in prepared.mapped.layers
        for circuit in layer.circuits
    )


def comparison_json(
    prepared: Prepared,
    state: CosimState,
    constants: CmosConstants,
    components: Mapping[str, float],
    converters: Mapping[str, Interval],
) -> dict[str, Any]:
    """Totals, scopes and ratios of a summary; no ratio without what it rests on.

    Parameters
    ----------
    prepared, state
        The network and what was sampled of it.
    constants : CmosConstants
        Prices of the digital side.
    components : mapping of str to float, [J]
        Of the memristive network, per inference.
    converters : mapping of str to (mean, half width), [J]
        Of each layer.
    """
    work, decision = workload(prepared, state), constants.decision.values
    operations = constants.operations.values
    accounts = Accounts(components, quiescent(prepared), work, operations, decision.energy())
    doubt = adds_half_width(prepared, state)
    own = _Side(
        accounts.own,
        memristive_half_widths(prepared, state, converters),
        assumed_by_scope(
            components,
            SCOPE_COMPONENTS,
            (*prepared.mapped.parameter_set.provenance, *constants.provenance),
            CIRCUIT_CONSTANTS,
        ),
    )
    halves = opponent_half_widths(operations, work, doubt, decision)
    digital = {name: _opponent(name, accounts, halves[name], constants) for name in OPPONENTS}
    changes = assumption_changes(accounts, decision)
    table = _ratio_json(own, digital, accounts.ratios(), ratio_changes(accounts, changes))
    return {
        "energy_total_joule": _total_json(own, total_range(accounts, changes)),
        "assumed_fraction": own.assumed[SCOPES[-1]],
        "device_source": prepared.mapped.parameter_set.device_source,
        "sense_split_joule": {
            "quiescent": accounts.quiescent,
            "bit_lines": components["sense"] - accounts.quiescent,
        },
        "memristive_joule": own.energy,
        "memristive_ci95": {s: [e - own.half[s], e + own.half[s]] for s, e in own.energy.items()},
        "opponents": {name: opponent.words for name, opponent in OPPONENTS.items()},
        "cmos_baseline_joule": {s: {n: digital[n].energy[s] for n in OPPONENTS} for s in SCOPES},
        "ratio": {s: {n: table[s][n] for n in LIKE_FOR_LIKE} for s in SCOPES},
        PAPERS: {s: table[s][PAPERS] for s in SCOPES},
        "workload": asdict(work),
        "adds_half_width": doubt,
    }


@dataclass(frozen=True)
class _Side:
    """Energy of a network by scope [J], its half width [J] and the share that is assumed [1]."""

    energy: Mapping[str, float]
    half: Mapping[str, float]
    assumed: Mapping[str, float]


def _opponent(
    name: str, accounts: Accounts, half: Mapping[str, float], constants: CmosConstants
) -> _Side:
    opponent = OPPONENTS[name]
    parts = opponent_parts(opponent, accounts.operations, accounts.work, accounts.decision)
    assumed = assumed_by_scope(parts, SCOPE_PARTS, constants.provenance, opponent.constants)
    return _Side(accounts.opponent(name), half, assumed)


def _ratio_json(
    own: _Side, digital: Mapping[str, _Side], standing: Ratios, changed: Mapping[str, Ratios]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Each ratio, by scope and opponent, with all that must stand beside it."""
    table: dict[str, dict[str, dict[str, Any]]] = {}
    for scope, ratios in standing.items():
        relative = own.half[scope] / own.energy[scope]
        for name, ratio in ratios.items():
            side = digital[name]
            low, high = ratio_interval(ratio, relative, side.half[scope] / side.energy[scope])
            table.setdefault(scope, {})[name] = {
                "value": ratio,
                "low": low,
                "high": high,
                "sensitivity": ratio_range(standing, changed, scope, name),
                "assumed_fraction": own.assumed[scope],
                "opponent_assumed_fraction": side.assumed[scope],
            }
    return table


def _total_json(own: _Side, model: tuple[float, float]) -> dict[str, Any]:
    last = SCOPES[-1]
    total, half = own.energy[last], own.half[last]
    return {
        "value": total,
        "low": total - half,
        "high": total + half,
        "interval": "95 %, sampling of windows only",
        "model_low": model[0],
        "model_high": model[1],
    }
