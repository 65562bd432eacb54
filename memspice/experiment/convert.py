"""Networks from elsewhere: loaded, or trained in another framework and rounded onto cells."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from memspice.errors import ConfigError
from memspice.experiment.results.base import Result
from memspice.experiment.results.made_network import MadeNetwork
from memspice.experiment.results.table import Table
from memspice.importers.nir_import import import_nir
from memspice.importers.operations import shape_text
from memspice.network import weights
from memspice.network.programming import program_layer
from memspice.network.rounding import Rounding, round_network
from memspice.network.scales import chip_limits
from memspice.network.weights import Network
from memspice.parameters import load_parameter_set

#: Device whose limits the report of a conversion rests on, as that of the other runs.
DEFAULT_DEVICE = "fast-memristor"
#: Conductance levels of a cell where nobody says how many.
LEVELS = 32


@dataclass(frozen=True, eq=False, repr=False)
class Conversion(MadeNetwork, Result):
    """A network made of one of another framework, and what that cost it.

    Parameters
    ----------
    network, levels
        See `MadeNetwork`.
    roundings : tuple of Rounding
        What happened to the weights of each layer.
    biases : mapping of str to mapping
        By layer, how its biases fit onto cells of the default device.
    notes : tuple of str
        What a reader must know.
    """

    roundings: tuple[Rounding, ...]
    biases: Mapping[str, Mapping[str, Any]]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Object of ``convert --json``."""
        provenance = self.network.provenance
        return {
            "network": self.network.name,
            "input_shape": list(self.network.architecture.input_shape),
            "layers": [self._layer(number) for number in range(len(self.roundings))],
            "changes": provenance["changes"],
            "rates": provenance.get("rates"),
            "notes": list(self.notes),
        }

    def _layer(self, number: int) -> dict[str, Any]:
        name = list(self.biases)[number]
        rounding = asdict(self.roundings[number])
        outputs, fan_in = self.network.layers[number].weight.shape
        return {
            "name": name,
            "outputs": outputs,
            "fan_in": fan_in,
            "bound": rounding["bound"],
            "clipped": rounding["clipped"],
            "rounding_error": rounding["error"],
            "worst_neuron": rounding["worst_neuron"],
            "worst_neuron_error": rounding["worst_error"],
            "zeroed": rounding["zeroed"],
            **self.biases[name],
        }

    def columns(self) -> Mapping[str, Any]:
        """One row a layer."""
        layers = self.as_json()["layers"]
        return {name: [layer[name] for layer in layers] for name in layers[0]}

    def table(self) -> Table:
        """What rounding did to each layer."""
        rows = [(name, _rounding_text(item)) for name, item in self._named()]
        rows += [("changed", change) for change in self.network.provenance["changes"]]
        title = f"{self.network.name}, input {shape_text(self.network.architecture.input_shape)}"
        return Table(title, tuple(rows), self.notes)

    def _named(self) -> list[tuple[str, dict[str, Any]]]:
        return [(item["name"], item) for item in self.as_json()["layers"]]


def _rounding_text(item: Mapping[str, Any]) -> str:
    return (
        f"{item['outputs']} x {item['fan_in']}, bound {item['bound']:.3g}, "
        f"{100 * item['clipped']:.2f} % clipped, rounding {100 * item['rounding_error']:.2f} % "
        f"({100 * item['worst_neuron_error']:.2f} % in neuron {item['worst_neuron']}), "
        f"{100 * item['zeroed']:.2f} % became zero, biases within {item['bias_error']:.2g} "
        f"(neuron {item['bias_worst_neuron']})"
    )


def convert(
    model: Any,
    *,
    input_shape: Sequence[int] | None = None,
    neurons: Literal["exact", "stochastic"] = "exact",
    time_step: float | None = None,
    levels: int = LEVELS,
    clip_sigma: float | None = None,
) -> Conversion:
    """Make a network of one that was trained in another framework.

    Parameters
    ----------
    model : str, Path or torch.nn.Sequential
        File of NIR, or a trained model of PyTorch.
    input_shape : sequence of int, optional
        (channels, height, width) of the images; a file of NIR may say it itself.
    neurons : {"exact", "stochastic"}
        ``exact`` refuses other neurons than the device's; ``stochastic`` puts the device's in the
        place of some, with the same rate and slope, and lists each change.
    time_step : float, optional, [s]
        Time that one cycle stands for, for neurons of NIR with time constants.
    levels : int
        Conductance levels of a cell.
    clip_sigma : float, optional
        Clip weights beyond so many standard deviations of their layer.

    Returns
    -------
    Conversion
        Its ``network`` is for `memspice.Chip`.

    Raises
    ------
    ConfigError
        If a part cannot be mapped, or its library is not installed: named, with the reason.
    DataError
        If a file is missing or corrupt, or a number is not finite.
    ShapeError
        If shapes do not fit together.
    """
    if isinstance(model, str | Path):
        raw = import_nir(Path(model), input_shape=input_shape, neurons=neurons, time_step=time_step)
    else:
        raw = _from_torch(model, input_shape, neurons)
    network, roundings = round_network(raw, levels, clip_sigma)
    parameter_set = load_parameter_set(DEFAULT_DEVICE, crossbar={"synapse.levels": levels})
    steps = list(network.architecture.shapes())
    programmed = {
        step.name: program_layer(
            layer, step.name, chip_limits(parameter_set, spiking=step.number < len(steps))
        )
        for step, layer in zip(steps, network.layers, strict=True)
    }
    return Conversion(
        network,
        levels,
        roundings,
        {name: item.biases_json() for name, item in programmed.items()},
        (
            *network.provenance.get("warnings", ()),
            *(note for item in programmed.values() for note in item.notes),
        ),
    )


def _from_torch(model: Any, input_shape: Sequence[int] | None, neurons: str) -> Network:
    if input_shape is None:
        raise ConfigError("a model of PyTorch does not say what it takes: give input_shape")
    network: Network = _torch_importer().import_sequential(model, input_shape, neurons=neurons)
    return network


def _torch_importer() -> Any:
    """Module that needs PyTorch."""
    try:
        return importlib.import_module("memspice.importers.torch_sequential")
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ConfigError(
            "models of PyTorch need it: install the extra with pip install 'memspice[train]'"
        ) from error


def switching_probability() -> Any:
    """Activation of the device, ``1 - exp(-exp(z))``, as a ``torch.nn.Module`` to train with.

    Raises
    ------
    ConfigError
        If PyTorch is not installed.
    """
    return _torch_importer().SwitchingProbability()


def from_torch(model: Any, input_shape: Sequence[int], *, levels: int = LEVELS) -> Network:
    """Make a network of a trained ``torch.nn.Sequential``; see `convert`.

    Parameters
    ----------
    model : torch.nn.Sequential
        With ``memspice.physics.switching_probability()`` where the neurons are.
    input_shape : sequence of int
        (channels, height, width) of the images.
    levels : int
        Conductance levels of a cell.

    Raises
    ------
    ConfigError
        If a module cannot be mapped: named, with the reason and what to try.
    """
    return convert(model, input_shape=input_shape, levels=levels).network


def load_network(source: str | Path) -> Network:
    """Load a network that comes with memspice, or one from a file.

    Parameters
    ----------
    source : str or Path
        A name such as ``digits-mlp``, a ``.h5`` file of memspice, or a ``.nir`` file, whose weights
        are rounded onto 32 levels (`convert` says what that costs).

    Raises
    ------
    ConfigError
        If the name is unknown.
    DataError
        If the file is missing, corrupt, or does not fit its own architecture.
    """
    if Path(source).suffix == ".nir":
        return convert(source).network
    return weights.load_network(str(source))
