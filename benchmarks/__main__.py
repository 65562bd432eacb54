"""``python -m benchmarks``: what ``make bench`` runs."""

from __future__ import annotations

from benchmarks.command import bench_command
from memspice.cli.main import run_command

if __name__ == "__main__":
    run_command(bench_command, None, "python -m benchmarks")
