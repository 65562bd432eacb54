"""The network loop in one burst beside as many single cycles: images a second."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from memspice.jobs import Execution
from memspice.network.inference import run_inference
from memspice.network.mapping import map_network
from memspice.network.weights import load_network
from memspice.parameters import load_parameter_set


def measure_bursts(
    images: int, cycles: int, repeats: int, name: str = "cifar10-cnn"
) -> dict[str, Any]:
    """Run a network on one worker, cycle by cycle and in one burst, turn about.

    The images are noise: what the loop does with a pixel does not depend on its value.

    Parameters
    ----------
    images, cycles, repeats : int
        What is run; of the repeats the shortest counts.
    name : str
        Of the network.

    Returns
    -------
    dict
        ``cpu_seconds`` and ``images_per_second``, by cycles of a burst; ``ratio`` of the images a
        second in the burst to those without.
    """
    network = load_network(name)
    mapped = map_network(network, load_parameter_set("fast-memristor"))
    pixels = np.random.default_rng(1).random((images, *network.architecture.input_shape))
    alone = Execution(workers=1)
    run_inference(mapped, pixels[:1], 1, 0, execution=alone)  # port reductions, and first calls
    least = {1: np.inf, cycles: np.inf}
    for _ in range(repeats):
        for burst in least:
            begun = time.process_time()
            run_inference(mapped, pixels, cycles, 0, burst=burst, execution=alone)
            least[burst] = min(least[burst], time.process_time() - begun)
    return {
        "network": network.name,
        "images": images,
        "cycles": cycles,
        "cpu_seconds": {str(burst): seconds for burst, seconds in least.items()},
        "images_per_second": {str(burst): images / seconds for burst, seconds in least.items()},
        "ratio": least[1] / least[cycles],
    }
