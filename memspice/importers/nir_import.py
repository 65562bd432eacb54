"""Networks in the Neuromorphic Intermediate Representation (NIR), through the package ``nir``.

NIR (Pedersen et al., Nat Commun 15, 8122 (2024), doi:10.1038/s41467-024-52259-9) describes
networks as graphs of nodes in continuous time.  None of its neurons is stochastic, so none is
memspice's: they are refused, or, where the caller says so, replaced (see
:mod:`memspice.importers.rate_match`).  One node is taken as it is: a ``Threshold`` whose metadata
says ``memspice_activation = "complementary-log-log"`` stands for a threshold with Gumbel noise,
``p = 1 - exp(-exp(v - threshold))``, which is what the device does.

What leads to one node is added up.  Weight layers that lead to the same neurons are therefore one
layer, of rows side by side; and a sum of spikes over a block, behind it a threshold below one, is
one spike where any of the block spikes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from memspice.errors import ConfigError, ShapeError
from memspice.importers.assembly import assemble_network
from memspice.importers.nir_graph import Node, ordered_nodes, read_graph
from memspice.importers.operations import (
    MOST,
    Addition,
    Averaging,
    Convolution,
    Flattening,
    FullProduct,
    Maximum,
    Operation,
    Replacement,
    Scaling,
    Step,
    StochasticNeurons,
    chained,
    real_array,
    refusal,
    shape_text,
    whole_pair,
)
from memspice.importers.rate_match import Integrators, LeakyNeurons
from memspice.network.weights import Network
from memspice.outputs import printable

#: Metadata of a Threshold node that is the device's stochastic neuron, and its value.
ACTIVATION_KEY, ACTIVATION = "memspice_activation", "complementary-log-log"

NeuronRule = Literal["exact", "stochastic"]


def import_nir(
    path: Path,
    *,
    input_shape: Sequence[int] | None = None,
    neurons: NeuronRule = "exact",
    time_step: float | None = None,
) -> Network:
    """Read a network from a NIR file.

    Parameters
    ----------
    path : Path
        File written by ``nir.write``.
    input_shape : sequence of int, optional
        (channels, height, width) instead of the shape of the Input node, with as many numbers.
    neurons : {"exact", "stochastic"}
        ``exact`` refuses every neuron that is not the device's; ``stochastic`` puts stochastic
        neurons in the place of IF, LIF and CubaLIF, with the same rate and slope of it at the rate
        that they have where they spike at typical inputs (:mod:`memspice.importers.typical`), and
        leaves out those of the last layer, which accumulates.  The provenance lists each change,
        rates before and after, and warnings.
    time_step : float, optional, [s]
        Time of the file's own units that one cycle stands for; needed for IF, LIF and CubaLIF.

    Returns
    -------
    Network
        Weights as in the file; see :func:`memspice.network.rounding.round_network`.

    Raises
    ------
    ConfigError
        If ``nir`` is not installed, a node cannot be mapped, or neurons in the place of others
        would not keep their rates: named, with the reason.
    DataError
        If the file is missing or corrupt, or a number in it is not finite.
    ShapeError
        If shapes in the file, or ``input_shape``, do not fit together.
    """
    try:
        return _import(path, input_shape, neurons, time_step)
    except ConfigError as error:
        if path.name in str(error):
            raise
        raise type(error)(f"{printable(str(path))}: {error}") from error


def _import(
    path: Path, input_shape: Sequence[int] | None, neurons: NeuronRule, time_step: float | None
) -> Network:
    """Network of a file; errors need not name the file."""
    graph, digest = read_graph(path)
    nodes = ordered_nodes(graph)
    stated = _stated_shape(nodes[0])
    flat = input_shape is not None and len(stated) == 1
    reader = _Reader(neurons, time_step)
    steps = reader.steps(nodes, [Flattening("the input")] if flat else [])
    network = assemble_network(path.stem, _shape(stated, input_shape), steps)
    provenance = {
        "imported_from": path.name,
        "sha256": digest,
        "neurons": neurons,
        "time_step": time_step,
        **network.provenance,
        "changes": [*network.provenance["changes"], *reader.changes],
    }
    return replace(network, provenance=provenance)


def _stated_shape(first: Node) -> tuple[int, ...]:
    """Shape of the Input node; empty where there is none, or it has none."""
    shape = first.node.input_type["input"] if first.kind == "Input" else None
    if shape is None:
        return ()
    sides = np.atleast_1d(shape)
    if (
        sides.dtype.kind not in "iuf"
        or sides.ndim > 1
        or not ((sides >= 1) & (sides <= MOST)).all()
    ):
        raise refusal(
            first.where,
            f"shape = {_short(shape)} is not one to three whole numbers from 1 to {MOST:,}",
            "export again",
        )
    return tuple(int(side) for side in sides)


def _shape(stated: tuple[int, ...], asked: Sequence[int] | None) -> Sequence[int]:
    if asked is None:
        if not stated:
            raise refusal("the graph", "the shape of its input is unknown", "give --input-shape")
        return stated
    if stated and int(np.prod(stated)) != int(np.prod(asked)):
        raise ShapeError(
            f"--input-shape {shape_text(asked)} does not fit the file's {shape_text(stated)}: "
            "give another order of the same number of inputs"
        )
    return asked


@dataclass
class _Reader:
    """Operations of nodes; ``changes`` says where they are not what the file describes."""

    neurons: NeuronRule
    time_step: float | None
    changes: list[str] = field(default_factory=list)

    def steps(self, nodes: Sequence[Node], front: Sequence[Operation]) -> list[Step]:
        """Steps of nodes in their order, behind those of the input, ``front``."""
        found = chained(front, 0)
        ends: dict[str, int] = {}  # number of what each node gives
        inner = [item for item in nodes if item.kind not in ("Input", "Output")]
        final = inner[-1].name if inner else ""
        by_name = {item.name: item for item in nodes}
        for item in nodes:
            given = [ends[name] for name in item.before] or [len(found)]
            if len(given) > 1:  # what leads to a node is added up
                found.append(Step(Addition(item.where), tuple(given)))
                given = [len(found)]
            made: list[Operation] = []
            if item.kind not in ("Input", "Output"):
                feeds = [by_name[name] for name in item.behind]
                feeder = by_name[item.before[0]] if len(item.before) == 1 else None
                made = self._operations(item, feeds, feeder, last=item.name == final)
            for operation in made:
                found.append(Step(operation, (given[0],)))
                given = [len(found)]
            ends[item.name] = given[0]
        return found

    def _operations(
        self, item: Node, behind: Sequence[Node], before: Node | None, *, last: bool
    ) -> list[Operation]:
        """Operations of a node, given those around it."""
        if _is_maximum(item, behind):
            return [_maximum(item.node, item.where)]
        if before is not None and _is_maximum(before, [item]):
            return []  # the threshold of the pool in front of it
        if item.kind in _PLAIN:
            return _PLAIN[item.kind](item.node, item.where)
        if item.kind in _READOUTS and last:
            return self._readout(item.node, item.where)
        if item.kind in _NEURONS:
            return self._neuron(item.node, item.where, last)
        raise refusal(item.where, *_ADVICE.get(item.kind, _UNKNOWN))

    def _readout(self, node: Any, where: str) -> list[Operation]:
        """Integrators at the end: their mean input, in the scale of their potential."""
        leaky = type(node).__name__ != "I"
        resistance = real_array(node.r, where, "r")
        if type(node).__name__ == "CubaLI":
            resistance = resistance * real_array(node.w_in, where, "w_in")
        leak = real_array(node.v_leak, where, "v_leak") if leaky else np.zeros(1)
        self.changes.append(
            f"{where}: scores are the mean input of the integrator over all cycles, "
            + ("at its stationary potential" if leaky else "per unit of time")
        )
        return [Scaling(where, resistance, leak)]

    def _neuron(self, node: Any, where: str, last: bool) -> list[Operation]:
        kind = type(node).__name__
        if kind == "Threshold" and node.metadata.get(ACTIVATION_KEY) == ACTIVATION:
            shift = -real_array(node.threshold, where, "threshold")
            found: list[Operation] = [Scaling(where, np.ones(1), shift)]
        elif kind == "Threshold" or self.neurons == "exact":
            raise refusal(where, *_DETERMINISTIC[kind == "Threshold"])
        else:
            found = [Replacement(where, self._law(node, where), last)]
        if last and self.neurons == "stochastic":
            self.changes.append(f"{where}: left out, because the last layer accumulates its input")
            return found
        return [*found, StochasticNeurons(where)]

    def _law(self, node: Any, where: str) -> Integrators:
        """Neurons of a node, in terms of their rate."""
        if self.time_step is None:
            raise refusal(
                where, "NIR neurons live in continuous time", "give the --time-step of one cycle"
            )
        names = _NEURONS[type(node).__name__]
        values = {name: real_array(getattr(node, name), where, name) for name in names}
        resistance = values.pop("w_in", np.ones(1)) * values.pop("r")
        ours = {_OURS[name]: value for name, value in values.items()}
        law = LeakyNeurons if "leak" in ours else Integrators
        try:
            return law(resistance=resistance, time_step=self.time_step, **ours)
        except ConfigError as error:
            raise refusal(
                where, str(error), "change it, or train with the device's activation"
            ) from error


def _convolution(node: Any, where: str) -> list[Operation]:
    weight = real_array(node.weight, where, "weight")
    settings = {
        name: whole_pair(getattr(node, name), where, name) for name in ("stride", "dilation")
    }
    padding = node.padding
    if isinstance(padding, str) and padding in ("same", "valid"):
        padding = np.array(weight.shape[2:]) // 2 if padding == "same" else (0, 0)
    image = None if node.input_shape is None else whole_pair(node.input_shape, where, "input_shape")
    bias = real_array(node.bias, where, "bias")
    pair = whole_pair(padding, where, "padding")
    groups = whole_pair(node.groups, where, "groups")[0]
    return [Convolution(where, weight, bias, padding=pair, groups=groups, image=image, **settings)]


def _affine(node: Any, where: str) -> list[Operation]:
    weight = real_array(node.weight, where, "weight")
    has_bias = type(node).__name__ == "Affine"
    bias = real_array(node.bias, where, "bias") if has_bias else np.zeros(weight.shape[:1])
    return [FullProduct(where, weight, bias)]


def _short(value: object) -> str:
    return printable(str(value))[:40]


def _scale(node: Any, where: str) -> list[Operation]:
    return [Scaling(where, real_array(node.scale, where, "scale"), np.zeros(1))]


def _pool(node: Any, where: str) -> list[Operation]:
    size, stride, padding = (
        whole_pair(getattr(node, name), where, name)
        for name in ("kernel_size", "stride", "padding")
    )
    average = Averaging(where, size, stride, padding)
    if type(node).__name__ == "AvgPool2d":
        return [average]
    return [average, Scaling(where, np.full(1, float(size[0] * size[1])), np.zeros(1))]


def _is_maximum(item: Node, behind: Sequence[Node]) -> bool:
    """Whether a sum of spikes goes into a threshold that any of them passes: a maximum of spikes.

    A ``Threshold`` gives one where its input exceeds it.
    """
    if item.kind not in ("SumPool2d", "AvgPool2d") or len(behind) != 1:
        return False
    threshold = behind[0]
    if threshold.kind != "Threshold" or ACTIVATION_KEY in threshold.node.metadata:
        return False
    one = 1.0
    if item.kind == "AvgPool2d":
        one /= float(np.prod(whole_pair(item.node.kernel_size, item.where, "kernel_size"))) or 1.0
    values = real_array(threshold.node.threshold, threshold.where, "threshold")
    return bool(np.all((values >= 0) & (values < one)))


def _maximum(node: Any, where: str) -> Operation:
    names = ("kernel_size", "stride", "padding")
    size, stride, padding = (whole_pair(getattr(node, name), where, name) for name in names)
    return Maximum(where, size, stride, padding)


def _flatten(node: Any, where: str) -> list[Operation]:
    # Writers differ in whether they count the batch as an axis: both mean all of the rest.
    if (
        np.size(node.start_dim) != 1
        or np.size(node.end_dim) != 1
        or (node.start_dim not in (0, 1) or node.end_dim not in (-1, 2, 3))
    ):
        raise refusal(
            where,
            f"flattens only the axes {_short(node.start_dim)} to {_short(node.end_dim)}",
            "flatten channels, rows and columns into one axis (start_dim 0, end_dim -1)",
        )
    return [Flattening(where)]


_PLAIN: dict[str, Callable[[Any, str], list[Operation]]] = {
    "Conv2d": _convolution,
    "Affine": _affine,
    "Linear": _affine,
    "Scale": _scale,
    "AvgPool2d": _pool,
    "SumPool2d": _pool,
    "Flatten": _flatten,
}
_READOUTS = ("I", "LI", "CubaLI")
_NEURONS = {
    "Threshold": (),
    "IF": ("r", "v_threshold", "v_reset"),
    "LIF": ("tau", "r", "v_leak", "v_threshold", "v_reset"),
    "CubaLIF": ("tau_mem", "r", "w_in", "v_leak", "v_threshold", "v_reset"),
}
_OURS = {
    "tau": "time_constant",
    "tau_mem": "time_constant",
    "v_leak": "leak",
    "v_threshold": "threshold",
    "v_reset": "reset",
}
_DETERMINISTIC = {
    False: (
        "a deterministic neuron with memory is not the stochastic one of memspice",
        "train with its activation 1 - exp(-exp(z)), or accept other neurons with "
        "--neurons stochastic",
    ),
    True: (
        "a step is not the activation 1 - exp(-exp(z)) of memspice's neuron",
        f"train with that, and say {ACTIVATION_KEY} = {ACTIVATION!r} in the node's metadata",
    ),
}
_UNKNOWN = ("memspice has no such layer", "use Conv2d, Affine, Linear, pooling, Flatten, Scale")
_INTEGRATOR = (
    "an integrator that is not the last node",
    "put a spiking neuron there; only the last layer accumulates",
)
_ADVICE = {
    "I": _INTEGRATOR,
    "LI": _INTEGRATOR,
    "CubaLI": _INTEGRATOR,
    "Conv1d": ("images here have rows and columns", "write it as a Conv2d"),
    "Delay": ("a cycle has no delays", "leave it out and train again"),
}
