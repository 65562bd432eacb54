"""Energy without an engine: sampled windows in closed form, and an inference from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from memspice.analysis.extrapolation import LayerEnergy, extrapolate_layer
from memspice.circuits.energy_model import COMPONENTS
from memspice.network.batch import Window
from memspice.network.inference import InferenceResult
from memspice.network.mapping import MappedLayer
from memspice.windows.fidelity import window_jobs
from memspice.windows.surrogate import Surrogate


def per_cycle(energies: Sequence[Mapping[str, float]], cycles: float) -> dict[str, float]:
    """Energy [J] of all parts of a window together, of one cycle."""
    return {name: sum(item[name] for item in energies) / cycles for name in COMPONENTS}


def window_energies(
    layer: MappedLayer,
    windows: Sequence[Window],
    inference: InferenceResult,
    seed: int,
    burst: int = 1,
) -> list[dict[str, float]]:
    """Closed-form energy per cycle [J] of each window of a layer, by component."""
    energies = []
    for window in windows:
        inputs = inference.windows[window]
        jobs = window_jobs(layer, window, inputs, Surrogate(), seed=seed, burst=burst)
        energies.append(per_cycle([job.fidelity.run(job).energy for job in jobs], len(inputs)))
    return energies


def closed_form_layers(
    layers: Sequence[MappedLayer],
    windows: Mapping[str, Sequence[Window]],
    inference: InferenceResult,
    *,
    cycles: int,
    seed: int,
    burst: int = 1,
) -> dict[str, LayerEnergy]:
    """Energy of one inference by layer, from sampled windows in closed form.

    Parameters
    ----------
    layers : sequence of MappedLayer
        Of the network.
    windows : mapping of str to sequence of Window
        Sampled windows of every layer; two or more give an interval.
    inference : InferenceResult
        Run that kept the inputs of these windows.
    cycles, seed, burst : int
        Of that run.

    Returns
    -------
    dict of str to LayerEnergy
        The interval is that of sampling; no engine has a say in it.
    """
    found = {}
    for layer in layers:
        energies = window_energies(layer, windows[layer.name], inference, seed, burst)
        each = [(energy, energy) for energy in energies]
        found[layer.name] = extrapolate_layer(energies, each, layer.positions * cycles)
    return found
