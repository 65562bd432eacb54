"""What the experiments on energy run, and ``make cifar-energy``: bursts on transistors."""

from __future__ import annotations

import memspice as ms

NETWORK = "cifar10-skip"
#: Cycles of an image, and of a burst.
SIZE = {"cycles": 8, "burst": 8}
#: Device that sense stages and neurons of transistors are drawn for, and that names them.
DEVICE = "fast-memristor"
PERIPHERY = "freepdk45"
#: Latches find the answer, so that nothing is converted.
ANSWER = {"answer.kind": "latches"}


def energy_chip(device: str) -> ms.Chip:
    """Chip of the network, on transistors where the device names them."""
    chosen = ms.load_device(device)
    return ms.Chip(NETWORK, chosen.change(**ANSWER) if chosen.periphery == PERIPHERY else chosen)
