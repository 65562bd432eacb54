"""Runs that are killed at a random moment and resumed, compared to the bit with one that was not.

``python -m tests.kill_helpers --runs 10`` does it ten times and prints what it saw.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from memspice.store import Column, read_run
from tests.cli_helpers import DIGITS

ROOT = Path(__file__).resolve().parents[1]
MEMSPICE = (sys.executable, "-c", "from memspice.cli.main import main; main()")
#: Eight jobs of a fraction of a second each.
LAYER = ("simulate-layer", "dense1", *DIGITS, "--images", "1", "--cycles", "2",
         "--tile", "33x20", "--json")  # fmt: skip
#: What differs between two runs of the same thing: wall-clock times, and how a run came to its end.
TIMES = {"wall_seconds", "jobs", "out"}


def content(path: Path) -> dict[str, Any]:
    """Everything of a run file but times, in types that compare to the bit."""
    with read_run(path) as run:
        made = run.provenance
        found: dict[str, Any] = {
            "status": run.status,
            "summary": timeless(run.summary),
            "made": (made.config, made.seed, dict(made.engine), dict(made.versions)),
        }
        for info in run.jobs():
            record = run.job(info.name)
            facts = {k: v for k, v in record.attributes.items() if k not in TIMES}
            found[record.name] = (
                record.key, facts, record.netlist, record.log, record.time.tobytes(),
                _columns(record.signals), _columns(record.events), dict(record.energy),
            )  # fmt: skip
    return found


def timeless(found: Any) -> Any:
    """A summary without ``TIMES``, at whatever depth."""
    if isinstance(found, dict):
        return {key: timeless(value) for key, value in found.items() if key not in TIMES}
    return [timeless(value) for value in found] if isinstance(found, list) else found


def _columns(columns: dict[str, Column] | Any) -> list[tuple[str, str, str, bytes]]:
    return [(k, unit, v.dtype.str, np.asarray(v).tobytes()) for k, (v, unit) in columns.items()]


def command(out: Path, *options: str) -> list[str]:
    """Command line of the run."""
    return [*MEMSPICE, *LAYER, "--out", str(out), *options]


def run_and_kill(out: Path, delay: float, options: Sequence[str] = ()) -> bool:
    """Kill a run some time [s] after its file appears; False if it had finished by then."""
    with subprocess.Popen(
        command(out, *options), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while not out.exists() and process.poll() is None:
            time.sleep(0.01)
        time.sleep(delay)
        process.kill()
        return process.wait() != 0


def time_whole(out: Path) -> float:
    """Let a run finish; return the time from when its file appears to its end, [s]."""
    with subprocess.Popen(
        command(out, "--no-cache"), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while not out.exists() and process.poll() is None:
            time.sleep(0.01)
        start = time.monotonic()
        process.wait()
    return time.monotonic() - start


def jobs_safe(out: Path) -> int:
    """Jobs that a killed run kept; every one of them must be readable."""
    with read_run(out) as run:
        return sum(bool(run.job(info.name).netlist) for info in run.jobs())


def resume(out: Path) -> int:
    """Finish a killed run; return how many jobs that took."""
    done = subprocess.run(
        command(out, "--no-cache", "--resume"), cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return int(json.loads(done.stdout)["jobs"]["simulated"])


def main() -> None:
    """Kill, resume and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    moments = random.Random(chosen.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        span = time_whole(folder / "whole.h5")
        whole = content(folder / "whole.h5")
        for number in range(chosen.runs):
            out = folder / f"run{number}.h5"
            delay = moments.uniform(0.0, span)
            killed = run_and_kill(out, delay, ["--no-cache"])
            safe = jobs_safe(out)
            ran = resume(out)
            same = content(out) == whole
            sys.stdout.write(
                f"run {number}: killed after {delay:.2f} s: {killed}; {safe} jobs safe, "
                f"{ran} run again; identical: {same}\n"
            )
            sys.stdout.flush()
            if not same or safe + ran != len(whole) - 3:
                sys.exit(1)


if __name__ == "__main__":
    main()
