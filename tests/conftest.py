"""What every test gets: strict floating point, no window, a seeded generator, an honest engine."""

from __future__ import annotations

import os
import shutil
import sys

import numpy as np
import pytest

# Before matplotlib is imported, and for the processes that tests start.
os.environ["MPLBACKEND"] = "Agg"
# Underflow is exact enough: exp(-1000) is 0.
np.seterr(divide="raise", over="raise", invalid="raise", under="ignore")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=20240607, help="seed of the rng fixture")


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Random generator; a failing test shows its seed, and --seed tries another."""
    seed = request.config.getoption("--seed")
    sys.stdout.write(f"rng seed: {seed}\n")
    return np.random.default_rng(seed)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail, and do not skip, what needs a missing ngspice: a green run has tested everything."""
    if item.get_closest_marker("ngspice") and shutil.which("ngspice") is None:
        pytest.fail("ngspice is not on the PATH; install it with: make setup", pytrace=False)
