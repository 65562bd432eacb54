"""Runs that are killed at random moments and resumed, compared to the bit with one that was not.

``python -m tests.faults.kills --count 40`` does it 40 times for each command, and 40 times over a
finished result, which must stay whole. The last line of what it prints is the verdict.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli_helpers import DIGITS
from tests.kill_helpers import MEMSPICE, ROOT
from tests.kill_helpers import content as run_content

#: What differs between two runs of the same thing: times, and how jobs were carried out.
VARYING = {"wall_seconds", "jobs", "out"}
_COMMON = (*DIGITS, "--no-cache", "--json")


@dataclass(frozen=True)
class Case:
    """A command that is killed; ``folder`` says whether its ``--out`` is one."""

    name: str
    arguments: tuple[str, ...]
    folder: bool = False

    def out(self, place: Path) -> Path:
        """Its result in a folder."""
        return place / ("result" if self.folder else "run.h5")


CASES = (
    Case("simulate-layer", ("simulate-layer", "dense1", "--images", "1", "--cycles", "2",
                            "--tile", "33x20", *_COMMON)),
    Case("infer", ("infer", "--images", "200", "--cycles", "64", *_COMMON)),
    Case("infer reduced", ("infer", "--images", "2", "--cycles", "2", "--fidelity", "reduced",
                           *_COMMON)),
    Case("cosim", ("cosim", "--images", "2", "--cycles", "2", *_COMMON), folder=True),
)  # fmt: skip


@dataclass
class Count:
    """What became of some trials."""

    name: str
    trials: int = 0
    killed: int = 0
    survived: int = 0

    def line(self) -> str:
        """The same as a row of a table."""
        failed = self.trials - self.survived
        return f"{self.name:32} {self.trials:6} {self.killed:6} {self.survived:8} {failed:6}"


def content(out: Path) -> dict[str, Any]:
    """Everything of a result but times, in types that compare to the bit."""
    if out.is_dir():
        found: dict[str, Any] = {path.name: path.read_bytes() for path in out.glob("*.png")}
        summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
        page = (out / "report.html").stat().st_size > 0
        return {**found, "summary": steady(summary), "page": page,
                "store": content(out / "waveforms.h5")}  # fmt: skip
    found = run_content(out)
    return {**found, "summary": steady(found["summary"])}


def steady(found: Any) -> Any:
    """Return a result without what differs from run to run."""
    if isinstance(found, dict):
        return {key: steady(value) for key, value in found.items() if key not in VARYING}
    return [steady(value) for value in found] if isinstance(found, list) else found


def start(case: Case, out: Path, *options: str) -> subprocess.Popen[bytes]:
    """Start a command in a process of its own."""
    return subprocess.Popen(
        [*MEMSPICE, *case.arguments, "--out", str(out), *options],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def finish(case: Case, out: Path, *options: str) -> float:
    """Let a command end; return the time that it took, [s]."""
    began = time.monotonic()
    with start(case, out, *options) as process:
        _, said = process.communicate()
    assert process.returncode == 0, said.decode(errors="replace")
    return time.monotonic() - began


def kill_after(case: Case, out: Path, delay: float, *options: str) -> bool:
    """Kill a command some time [s] after its start; False if it had ended by then."""
    with start(case, out, *options) as process:
        try:
            process.communicate(timeout=delay)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return True
    return False


def trials(
    case: Case, place: Path, count: int, moments: random.Random, report: Callable[[str], None]
) -> tuple[Count, Count]:
    """Kill a command and resume it, and kill it over its finished result, so often each."""
    whole, other = case.out(place / "whole"), case.out(place / "over")
    for out in (whole, other):
        out.parent.mkdir()
    span = finish(case, whole)
    expected = content(whole)
    resumed = Count(f"{case.name}, resumed")
    for number in range(count):
        out = case.out(place / f"run{number}")
        out.parent.mkdir()
        delay = moments.uniform(0.3 * span, span)  # nothing happens while Python starts
        resumed.killed += kill_after(case, out, delay)
        if moments.random() < 0.5:
            kill_after(case, out, moments.uniform(0.3 * span, span), "--resume")
        finish(case, out, "--resume")
        left = [path.name for path in out.parent.iterdir()]
        good = content(out) == expected and left == [out.name]
        _note(resumed, good, f"killed after {delay:.2f} s", report)
    over = Count(f"{case.name}, over a result")
    finish(case, other, "--seed", "1")
    before = content(other)
    for _ in range(count):
        delay = moments.uniform(0.3 * span, 1.1 * span)
        killed = kill_after(case, other, delay)
        over.killed += killed
        found = content(other)
        _note(over, found == (before if killed else expected) or found == expected,
              f"killed after {delay:.2f} s", report)  # fmt: skip
        before = found
    finish(case, other)
    good = content(other) == expected and [p.name for p in other.parent.iterdir()] == [other.name]
    _note(over, good, "and nothing is left behind", report)
    return resumed, over


def _note(count: Count, good: bool, words: str, report: Callable[[str], None]) -> None:
    count.trials += 1
    count.survived += good
    report(f"{count.name}: {words}: {'good' if good else 'FAILED'}")


def run(count: int, seed: int, names: Sequence[str], report: Callable[[str], None]) -> list[Count]:
    """Kill the commands of some names, or all."""
    found: list[Count] = []
    for case in CASES:
        if names and case.name not in names:
            continue
        with tempfile.TemporaryDirectory(prefix="memspice-kills-") as place:
            found += trials(case, Path(place), count, random.Random(seed), report)
    return found


def main() -> None:
    """Kill, resume, compare, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=40, help="kills of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--case", action="append", default=[], choices=[c.name for c in CASES])
    parser.add_argument("--page", type=Path, help="Markdown file to add the table to")
    chosen = parser.parse_args()

    def report(line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    counts = run(chosen.count, chosen.seed, chosen.case, report)
    lines = [f"{'kill -9 of':32} trials killed survived failed", *(c.line() for c in counts)]
    sys.stdout.write("\n".join(lines) + "\n")
    if chosen.page:
        with chosen.page.open("a", encoding="utf-8") as file:
            file.write("\n# Kills\n\n" + "".join(f"    {line}\n" for line in lines))
    sys.exit(any(count.survived < count.trials for count in counts))


if __name__ == "__main__":
    main()
