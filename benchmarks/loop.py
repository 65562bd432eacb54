"""The network loop against the machine: its share of matrix products, and their rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

from memspice.jobs import Execution
from memspice.network.frames import multiply
from memspice.network.inference import run_inference
from memspice.network.mapping import map_network
from memspice.network.weights import load_network
from memspice.parameters import load_parameter_set
from memspice.solver.reduction import one_blas_thread

#: Side of the product by which the machine is rated, and how often it is tried each time.
_SIDE, _TRIES = 1024, 4


@dataclass
class Products:
    """Matrix products seen: operations (a multiplication and an addition are two) and time [s]."""

    operations: float = 0.0
    cpu_seconds: float = 0.0


@contextmanager
def counted_products() -> Iterator[Products]:
    """Watch :func:`memspice.network.frames.multiply` in threads begun meanwhile, by their own time.

    A profiler sees each call begin and end, with the factors; nothing is put in its place.  For one
    worker and one thread of BLAS.
    """
    found, before, begun = Products(), threading.getprofile(), [0.0]

    def watch(frame: FrameType, event: str, _: object) -> None:
        if frame.f_code is not multiply.__code__:
            return
        if event == "call":
            begun[0] = time.thread_time()
        elif event == "return":
            found.cpu_seconds += time.thread_time() - begun[0]
            rows, matrix = frame.f_locals["rows"], frame.f_locals["matrix"]
            found.operations += 2.0 * len(rows) * matrix.size

    threading.setprofile(watch)
    try:
        yield found
    finally:
        threading.setprofile(before)


def product_rate() -> float:
    """Operations a second of large float32 products on one thread, the best of some tries."""
    rng = np.random.default_rng(0)
    one, other = rng.random((2, _SIDE, _SIDE), dtype=np.float32)
    result, best = np.empty_like(one), np.inf
    with one_blas_thread():
        for _ in range(_TRIES):
            begun = time.thread_time()
            np.matmul(one, other, out=result)
            best = min(best, time.thread_time() - begun)
    return 2.0 * _SIDE**3 / best


def measure_loop(images: int, cycles: int, name: str = "cifar10-cnn") -> dict[str, Any]:
    """Run a network on one worker, between two ratings of the machine.

    The images are noise: what the loop does with a pixel does not depend on its value.

    Parameters
    ----------
    images, cycles : int
        What is run.
    name : str
        Of the network.

    Returns
    -------
    dict
        ``machine_rate`` and ``product_rate`` [1/s], of large products and of the loop's own;
        ``time_share``, processor time in products over all; ``share``, what the products would
        take at the machine's rate over all: the product of the two others.
    """
    network = load_network(name)
    mapped = map_network(network, load_parameter_set("fast-memristor"))
    pixels = np.random.default_rng(1).random((images, *network.architecture.input_shape))
    alone = Execution(workers=1)
    run_inference(mapped, pixels[:1], 1, 0, execution=alone)  # port reductions, and first calls
    rate = product_rate()
    with counted_products() as products:
        begun, cpu_begun = time.perf_counter(), time.process_time()
        run_inference(mapped, pixels, cycles, 0, execution=alone)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu_begun
    rate = max(rate, product_rate())
    return {
        "network": network.name,
        "images": images,
        "cycles": cycles,
        "seconds": seconds,
        "cpu_seconds": cpu,
        "operations": products.operations,
        "machine_rate": rate,
        "product_rate": products.operations / products.cpu_seconds,
        "time_share": products.cpu_seconds / cpu,
        "share": products.operations / rate / cpu,
    }
