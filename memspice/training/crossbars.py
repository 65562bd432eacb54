"""Crossbars in the training loop: the weights as the circuits of an inference compute them."""

from __future__ import annotations

from collections import deque

import numpy as np
import torch

from memspice.devices.activation import Activation
from memspice.errors import ConfigError, DataError
from memspice.network.ann import with_mean_inputs
from memspice.network.effective import effective_layer
from memspice.network.mapping import map_network
from memspice.network.weights import Network, WeightLayer
from memspice.parameters import load_parameter_set, load_table
from memspice.training.config import Hardware
from memspice.training.model import DeviceNetwork, Flaws


class Crossbars:
    """Hardware that a model is put on, again and again, with other flaws each time.

    Parameters
    ----------
    hardware : Hardware
        Parameter set, its changes, tiles.
    images : ndarray, shape (n, channels, height, width), [1]
        Training images in [0, 1]: they give the mean levels of the rows, for the trim.

    Raises
    ------
    ConfigError, DataError
        If there is no such parameter set, or no activation was fitted to SPICE for it.
    """

    def __init__(self, hardware: Hardware, images: np.ndarray) -> None:
        self._hardware, self._images = hardware, images
        self.parameter_set = load_parameter_set(hardware.device, hardware.changes)
        self.activation = load_activation(self.parameter_set.name)
        self._latest: deque[tuple[Flaws, ...]] = deque(maxlen=hardware.pool)

    def draw(self, model: DeviceNetwork, seed: int) -> tuple[Flaws, ...]:
        """Flaws of each stage of a folded model, once its weights are programmed.

        ``seed`` is of all flaws, as in :func:`~memspice.network.mapping.map_network`.
        """
        held = Network(model.architecture, held_layers(model), {}, span=model.span)
        network = with_mean_inputs(held, self._images)
        mapped = map_network(network, self.parameter_set, self._hardware.tile, seed)
        found = [effective_layer(layer, self.activation) for layer in mapped.layers]
        return tuple(
            stage.flaws_of(
                *(
                    torch.from_numpy(values).float()
                    for values in (layer.weight, layer.bias, layer.low, layer.high)
                )
            )
            for stage, layer in zip(model.stages(), found, strict=True)
        )

    def latest(self) -> list[list[tuple[torch.Tensor, ...]]]:
        """Crossbars that steps choose from at present, as plain tuples: each with its stages."""
        return [[tuple(flaws) for flaws in stages] for stages in self._latest]

    def restore(self, latest: list[list[tuple[torch.Tensor, ...]]]) -> None:
        """Choose from crossbars that another run had as its :meth:`latest`."""
        self._latest.clear()
        self._latest += [tuple(Flaws(*flaws) for flaws in stages) for stages in latest]

    def step(self, model: DeviceNetwork, number: int) -> None:
        """Put a model on crossbars for a step of an epoch: each layer on one of the latest drawn.

        Were they the same for several steps, training would follow their flaws.
        """
        if number % self._hardware.refresh == 0:
            for _ in range(1 if number else self._hardware.pool):
                self._latest.append(self.draw(model, int(torch.randint(2**31, ()))))
        for stage, drawn in zip(model.stages(), zip(*self._latest, strict=True), strict=True):
            stage.flaws = drawn[int(torch.randint(len(drawn), ()))]


def load_activation(name: str) -> Activation:
    """Activation that SPICE gave the neurons of a parameter set.

    Raises
    ------
    ConfigError
        If none was fitted.
    """
    try:
        return load_table(f"activation-{name}", "activation", Activation).values
    except DataError as error:
        raise ConfigError(
            f"no activation was fitted to parameter set {name}: run memspice characterize "
            f"--device {name} --fit models/activation-{name}.toml"
        ) from error


def held_layers(model: DeviceNetwork) -> tuple[WeightLayer, ...]:
    """Weights that a folded model would program, float64; on levels where it is quantised."""
    layers = []
    with torch.no_grad():
        for stage in model.stages():
            weight, bias = (values.double().numpy() for values in stage.held())
            matrix = weight.reshape(len(weight), -1)
            bound = stage.bound or float(np.abs(matrix).max())
            if stage.levels:  # float32 misses the levels, and the bound, by rounding
                step = bound / (stage.levels - 1)
                matrix = np.clip(np.round(matrix / step) * step, -bound, bound)
            layers.append(WeightLayer(matrix, bias, bound))
    return tuple(layers)
