"""How sure the energy of each scope of the comparison with CMOS is, from the sampled windows.

The intervals cover sampling only: not the assumptions, nor what is left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from memspice.analysis.cmos import (
    OPPONENTS,
    SCOPE_COMPONENTS,
    SCOPE_PARTS,
    SCOPES,
    CmosOperations,
    NeuronDecision,
    Workload,
    by_scope,
    opponent_parts,
)
from memspice.analysis.extrapolation import extrapolate_layer
from memspice.circuits.energy_model import COMPONENTS
from memspice.experiment.cosim import spice_energies
from memspice.experiment.cosim_state import CosimState
from memspice.experiment.request import Request

Interval = tuple[float, float]


def memristive_half_widths(
    request: Request, state: CosimState, converters: Mapping[str, Interval]
) -> dict[str, float]:
    """Half width of the 95 % interval of the energy of one inference at each scope, [J].

    A scope's own windows decide: the sense stages add nothing to the doubt about ``neuron``.

    Parameters
    ----------
    request, state
        The network and what was sampled of it.
    converters : mapping of str to (mean, half width), [J]
        Of each layer, per inference: they count at the last scope.
    """
    halves, mapped = {}, request.mapped.layers
    spice = {layer.name: spice_energies(state, layer) for layer in mapped}
    for scope, parts in _parts().items():
        layers = [
            extrapolate_layer(
                [_kept(energies, parts) for energies in state.modelled[layer.name].values()],
                [(_kept(found, parts), _kept(model, parts)) for found, model in spice[layer.name]],
                layer.positions * request.cycles,
            ).half_width
            for layer in mapped
        ]
        counted = [half for _, half in converters.values()] if "converter" in parts else []
        halves[scope] = math.hypot(*layers, *counted)
    return halves


def _parts() -> dict[str, tuple[str, ...]]:
    """Components of each scope, those of the scopes before it included."""
    return {
        scope: tuple(part for name in SCOPES[: number + 1] for part in SCOPE_COMPONENTS[name])
        for number, scope in enumerate(SCOPES)
    }


def _kept(energies: Mapping[str, float], parts: Sequence[str]) -> dict[str, float]:
    return {name: energies[name] if name in parts else 0.0 for name in COMPONENTS}


def opponent_half_widths(
    operations: CmosOperations, work: Workload, adds_half_width: float, decision: NeuronDecision
) -> dict[str, dict[str, float]]:
    """Half width at 95 % of the energy of each opponent, by scope, [J].

    The additions come from sampled windows, the spiking neuron from a simulation of some cycles;
    the work of the artificial network is counted, not sampled.
    """
    sampled = Workload(0.0, adds_half_width, 0.0, 0.0, 0.0)
    found = {}
    for name, opponent in OPPONENTS.items():
        adds = by_scope(opponent_parts(opponent, operations, sampled, 0.0), SCOPE_PARTS)
        neuron = work.events * decision.energy() * decision.half_width
        found[name] = {
            scope: math.hypot(adds[scope], neuron) if opponent.spiking else 0.0 for scope in SCOPES
        }
    return found


def ratio_interval(ratio: float, *relative: float) -> list[float]:
    """Interval of a ratio from the relative half widths of its two sides."""
    doubt = 1 + math.hypot(*relative)
    return [ratio / doubt, ratio * doubt]
