"""What the elimination needs and leaves alone: memory, threads, and joints beyond hope."""

from __future__ import annotations

import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_info, threadpool_limits

from memspice.errors import ConfigError
from memspice.solver import blocks
from memspice.solver.reduction import one_blas_thread, port_admittance

Array = NDArray[np.float64]


def typical(seed: int, shape: tuple[int, int]) -> Array:
    """Cells of 0.2 to 10 uS in siemens, the package's default range."""
    return np.random.default_rng(seed).uniform(0.2e-6, 10e-6, shape)


def reduced(cells: Array) -> Array:
    port = port_admittance(cells, 1.0, 1.0, 100.0)
    return np.block([[port.row_row, port.row_col], [port.row_col.T, port.col_col]])


def test_a_reduction_needs_a_few_blocks_of_the_size_of_the_array() -> None:
    cells = typical(10, (192, 192))
    tracemalloc.start()
    try:
        port_admittance(cells, 1.0, 1.0, 100.0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The result alone is four of them; a sparse factorisation needs hundreds.
    assert peak < 30 * cells.nbytes


def test_arrays_reduced_side_by_side_are_the_same_to_the_bit() -> None:
    cells = [typical(seed, (40, 30)) for seed in range(4)]
    alone = [reduced(each) for each in cells]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(reduced, cells))
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))


def blas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_the_last_to_need_one_blas_thread_lifts_the_limit() -> None:
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        first, second = one_blas_thread(), one_blas_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert blas_threads() == {1}
        second.__exit__(None, None, None)
        assert blas_threads() == before


@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_joint_that_cannot_be_solved_at_all_is_refused(width: int) -> None:
    # No array is known to get here; rounding might bring one that is about to be refused anyway.
    impedance = np.tile(np.eye(width), (2, 1, 1))
    admittance = np.tile(np.ones((width, width)) - np.eye(width) - (width == 1), (2, 1, 1))
    with pytest.raises(ConfigError, match="lower driver_resistance"):
        blocks._loaded(impedance, admittance)
