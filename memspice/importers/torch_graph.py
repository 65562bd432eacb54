"""What the modules of a PyTorch model take from each other, followed by ``torch.fx``."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx, nn

from memspice.importers.operations import Addition, Flattening, Joining, Operation, refusal


@dataclass(frozen=True, eq=False)
class Call:
    """A module, or an operation that has none, and the numbers of what it takes, as of `Step`.

    ``last`` tells what gives the scores.
    """

    where: str
    takes: tuple[int, ...]
    module: nn.Module | None
    operation: Operation | None
    last: bool


def is_sequential(module: nn.Module) -> bool:
    """Whether its forward() is that of nn.Sequential, also in a subclass."""
    return isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward


def calls(model: nn.Module) -> list[Call]:
    """Calls of a model in their order.

    Modules of PyTorch, and those without modules of their own, are calls; the ``forward()`` of
    others is followed through ``torch.cat``, ``torch.flatten`` and sums.

    Raises
    ------
    ConfigError
        If a module has hooks, a ``forward()`` cannot be followed, or does something else.
    """
    if not is_sequential(model) and not any(True for _ in model.children()):
        model = nn.Sequential(model)
    for path, module in model.named_modules():
        if module._forward_hooks or module._forward_pre_hooks:
            raise refusal(
                f"module {path or 'model'} ({type(module).__name__})",
                "hooks change what it computes (the older weight_norm and spectral_norm use them)",
                "remove them, and fold what they do into the weights",
            )
    return list(_calls(model, _traced(model)))


class _Tracer(fx.Tracer):
    """Follows the forward() of every module that has modules and is not PyTorch's own."""

    def is_leaf_module(self, module: nn.Module, _name: str) -> bool:
        if is_sequential(module):
            return False
        own = type(module).__module__.startswith("torch.nn") or not any(
            True for _ in module.children()
        )
        return own


def _traced(model: nn.Module) -> fx.Graph:
    try:
        return _Tracer().trace(model)
    except (fx.proxy.TraceError, TypeError, ValueError, RuntimeError, AttributeError,
            LookupError, NotImplementedError) as error:  # fmt: skip
        words = str(error).partition("\n")[0][:200]
        raise refusal(
            f"the forward() of {type(model).__name__}",
            f"it cannot be followed ({words})",
            "write it with modules, torch.cat and torch.flatten alone, or give an nn.Sequential",
        ) from error


def _calls(model: nn.Module, graph: fx.Graph) -> Iterator[Call]:
    numbers: dict[fx.Node, int] = {}
    nodes = list(graph.nodes)
    result = nodes[-1].args[0]
    count = 0
    for node in nodes[:-1]:
        if node.op == "placeholder" and not numbers:
            numbers[node] = 0
            continue
        if node.op == "placeholder" or not isinstance(result, fx.Node):
            raise refusal(
                f"the forward() of {type(model).__name__}",
                "it takes or gives several tensors",
                "give a model of one image and its scores",
            )
        module = model.get_submodule(str(node.target)) if node.op == "call_module" else None
        name = f"module {node.target} ({type(module).__name__})" if module else _name(node)
        found = None if module else _operation(node, name)
        taken = list(node.args[0]) if isinstance(found, Joining) else node.all_input_nodes
        if isinstance(found, Addition):
            taken = list(node.args)
        if not all(isinstance(each, fx.Node) for each in taken) or not taken:
            raise refusal(name, "it takes something that is no tensor", "use modules for it")
        count += 1
        numbers[node] = count
        yield Call(name, tuple(numbers[each] for each in taken), module, found, node is result)


def _name(node: fx.Node) -> str:
    return f"function {getattr(node.target, '__name__', node.target)} ({node.name})"


def _operation(node: fx.Node, name: str) -> Operation:
    """Operation of a call that is no module's."""
    settings: dict[str, Any] = dict(node.kwargs)
    rest = node.args[1:]
    if node.target in (torch.cat, torch.concat):
        if settings.get("dim", rest[0] if rest else 0) not in (1, -3):
            raise refusal(name, "it joins another axis than the channels", "use dim=1")
        return Joining(name)
    if node.target in (operator.add, operator.iadd, torch.add, "add", "add_") and not settings:
        return Addition(name)
    if node.target in (torch.flatten, "flatten"):
        start = settings.get("start_dim", rest[0] if rest else 0)
        end = settings.get("end_dim", rest[1] if len(rest) > 1 else -1)
        if start != 1 or end not in (-1, 3):
            raise refusal(
                name,
                f"flattens the axes {start} to {end}",
                "flatten everything but the batch: torch.flatten(x, 1)",
            )
        return Flattening(name)
    raise refusal(
        name,
        "a forward() of its own may do with tensors torch.cat, torch.flatten and sums",
        "use a module of nn for it",
    )
