"""What the experiments on energy run, and ``make cifar-energy``: a network in bursts."""

from __future__ import annotations

NETWORK = "cifar10-skip"
#: Cycles of an image, and of a burst.
SIZE = {"cycles": 8, "burst": 8}
