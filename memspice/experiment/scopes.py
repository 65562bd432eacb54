"""How sure the energy of each scope of the comparison with CMOS is, and the work it is based on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import ndtri

from memspice.analysis.cmos import SCOPE_COMPONENTS, SCOPES
from memspice.analysis.extrapolation import LayerEnergy, extrapolate_layer
from memspice.circuits.energy_model import COMPONENTS
from memspice.experiment.cosim import CosimState, spice_energies
from memspice.experiment.setup import Prepared
from memspice.network.mapping import MappedLayer


def memristive_intervals(prepared: Prepared, state: CosimState) -> dict[str, list[float]]:
    """95 % interval [J] of the energy of one inference at each scope.

    A scope's own windows decide: the sense stages of ``system`` add nothing to the doubt about
    ``neuron``.
    """
    intervals = {}
    for scope, parts in _parts().items():
        layers = [_layer_energy(prepared, state, layer, parts) for layer in prepared.mapped.layers]
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


def _layer_energy(
    prepared: Prepared, state: CosimState, layer: MappedLayer, parts: Sequence[str]
) -> LayerEnergy:
    def kept(energies: Mapping[str, float]) -> dict[str, float]:
        return {name: energies[name] if name in parts else 0.0 for name in COMPONENTS}

    return extrapolate_layer(
        [kept(energies) for energies in state.modelled[layer.name].values()],
        [(kept(measured), kept(model)) for measured, model in spice_energies(state, layer)],
        layer.positions * prepared.setup.cycles,
    )


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
    return float(ndtri(0.975)) * float(np.sqrt(square))
