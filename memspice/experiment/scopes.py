"""How sure the energy of each scope of the comparison with CMOS is, and the work it is based on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from memspice.analysis.cmos import SCOPE_COMPONENTS, SCOPES
from memspice.analysis.extrapolation import extrapolate_layer
from memspice.analysis.statistics import NORMAL_QUANTILE
from memspice.circuits.energy_model import COMPONENTS
from memspice.experiment.cosim import CosimState, spice_energies
from memspice.experiment.setup import Prepared


def memristive_intervals(prepared: Prepared, state: CosimState) -> dict[str, list[float]]:
    """95 % interval [J] of the energy of one inference at each scope.

    A scope's own windows decide: the sense stages of ``system`` add nothing to the doubt about
    ``neuron``.
    """
    intervals, mapped = {}, prepared.mapped.layers
    spice = {layer.name: spice_energies(state, layer) for layer in mapped}
    for scope, parts in _parts().items():
        layers = [
            extrapolate_layer(
                [_kept(energies, parts) for energies in state.modelled[layer.name].values()],
                [(_kept(found, parts), _kept(model, parts)) for found, model in spice[layer.name]],
                layer.positions * prepared.setup.cycles,
            )
            for layer in mapped
        ]
        total = sum(layer.total for layer in layers)
        half = float(np.sqrt(sum(layer.half_width**2 for layer in layers)))
        intervals[scope] = [total - half, total + half]
    return intervals


def _parts() -> dict[str, tuple[str, ...]]:
    """Components of each scope, those of the scopes before it included."""
    return {
        scope: tuple(part for name in SCOPES[: number + 1] for part in SCOPE_COMPONENTS[name])
        for number, scope in enumerate(SCOPES)
    }


def _kept(energies: Mapping[str, float], parts: Sequence[str]) -> dict[str, float]:
    return {name: energies[name] if name in parts else 0.0 for name in COMPONENTS}


def active_inputs(state: CosimState, layer: str) -> np.ndarray:
    """Inputs of a layer that are not zero, mean over the cycles of each sampled window."""
    windows = state.iterations[-1].inference.windows
    return np.array(
        [
            np.count_nonzero(inputs) / len(inputs)
            for window, inputs in windows.items()
            if window.layer == layer
        ]
    )


def adds_half_width(prepared: Prepared, state: CosimState) -> float:
    """Half width of the 95 % interval of the synaptic additions of one inference."""
    square = 0.0
    for layer in prepared.mapped.layers[1:]:
        active = active_inputs(state, layer.name)
        error = float(np.std(active, ddof=1)) / float(np.sqrt(len(active)))
        square += (layer.positions * layer.outputs * prepared.setup.cycles * error) ** 2
    return NORMAL_QUANTILE * float(np.sqrt(square))
