"""Damaged files of every kind, and what memspice makes of them.

``python -m tests.faults.mutate --count 10000 --out docs/faults.md`` damages files at random (the
seed is an option) and reads them as a command would.  Each ends in one of

* refused: one clean message that names the file, the documented exit code, within the limits;
* unchanged: accepted, and all that is printed equals that of the whole file;
* another file: accepted by a format that carries no checksum (TOML, NIR, raw data, an entry that
  was forged with a right checksum), because what it says now is as valid as before.

Anything else failed: a traceback, no answer in time, another answer from a file with a checksum.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from memspice.cli.failure import exit_code
from memspice.errors import MemspiceError
from memspice.outputs import printable
from tests.faults.mutators import damage
from tests.faults.targets import TARGETS, Refusal, Target, forge

#: Longest that a file may take, [s], and most memory beyond what is in use, [bytes].
PATIENCE, MEMORY = 100.0, 3 << 30
_CHUNK = 20


class Hang(BaseException):
    """No answer in time."""


OUTCOMES = ("refused", "unchanged", "another file", "failed")


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Raise `Hang` where the block takes longer."""

    def ring(*_: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def judge(target: Target, path: Path, whole: str) -> tuple[str, str]:
    """Outcome of reading a damaged file, and the words of a failure."""
    try:
        with alarm(PATIENCE):
            said = target.read(path)
    except (MemspiceError, Refusal) as error:
        return _judge_refusal(error, path)
    except Hang:
        return "failed", "no answer in time"
    except Exception as error:  # noqa: BLE001 - whatever rises here would be a traceback
        return "failed", f"{type(error).__name__}: {error}"
    if said == whole:
        return "unchanged", ""
    return ("failed", "accepted with another answer") if target.sealed else ("another file", "")


def _judge_refusal(error: Exception, path: Path) -> tuple[str, str]:
    message = str(error)
    if printable(message, lines=True) != message and isinstance(error, Refusal):
        return "failed", f"message with control characters: {message!r}"
    if not message or len(message) > 4000 or "Traceback" in message:
        return "failed", f"no clean message: {message[:300]!r}"
    if path.name not in message:
        return "failed", f"the message does not name {path.name}: {message[:300]!r}"
    if isinstance(error, MemspiceError) and exit_code(error) not in (2, 4, 5):
        return "failed", f"exit code {exit_code(error)}"
    return "refused", ""


@dataclass(frozen=True)
class Whole:
    """A whole file: where it lies in its folder, its bytes, and what is read from it."""

    place: Path
    content: bytes
    answer: str


@cache
def whole(name: str) -> Whole:
    """The file of a kind from which every damaged one is made."""
    target = TARGETS[name]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        path = target.make(folder)
        content = path.read_bytes()
        return Whole(path.relative_to(folder), content, target.read(path))


def trial(name: str, seed: int, number: int) -> tuple[str, str, str]:
    """Damage a file of a kind and read it; return outcome, kind of damage, words of a failure."""
    target, file = TARGETS[name], whole(name)
    rng = np.random.default_rng([seed, number, list(TARGETS).index(name)])
    kind = target.kinds[int(rng.integers(len(target.kinds)))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file.place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        done = forge(rng, path) if kind == "forge" else damage(rng, path, kind)
        outcome, words = judge(target, path, file.answer)
    return outcome, done, words


def mutate(numbers: Sequence[int], seed: int) -> tuple[dict[str, Counter[str]], list[str]]:
    """Damage and read a file for each number; return outcomes by kind, and what failed."""
    tallies: dict[str, Counter[str]] = {name: Counter() for name in TARGETS}
    failures = []
    for number in numbers:
        name = list(TARGETS)[number % len(TARGETS)]
        outcome, done, words = trial(name, seed, number)
        tallies[name][outcome] += 1
        if outcome == "failed":
            failures.append(f"{name}, {done}, number {number}: {words}")
    return tallies, failures


def table(tallies: Mapping[str, Counter[str]]) -> str:
    """Outcomes as a Markdown table."""
    lines = [f"| kind of file | trials | {' | '.join(OUTCOMES)} |", "|---|" + "---:|" * 5]
    total: Counter[str] = sum(tallies.values(), Counter())
    for name, found in [*tallies.items(), ("all", total)]:
        numbers = " | ".join(f"{found[outcome]:,}" for outcome in OUTCOMES)
        lines.append(f"| {name} | {found.total():,} | {numbers} |")
    return "\n".join(lines)


def page(tallies: Mapping[str, Counter[str]], seed: int, seconds: float, asked: int) -> str:
    """The page of the documents."""
    assert __doc__
    made = sum(found.total() for found in tallies.values())
    words = __doc__.partition("\n\n")[2].partition("\n\n")[2]
    intro = __doc__.split("\n\n")[0]
    return f"""# Damaged files

{intro}

`make faults` wrote this page: seed {seed}, {made:,} of {asked:,} files in {seconds / 60:.0f}
minutes. Each file is damaged at random (a byte, a bit, a block; an object, attribute, type, shape
or number of an HDF5 file; a word or line of a text) and read as the commands read it: `waves ls`
and `waves show` in every form, `--resume`, `--network`, `--device`, `convert`, the cache, reader of
raw data. Each trial ends in one of

{words.strip()}

{table(tallies)}

A file with a checksum is a run, a network file, or an entry of the cache. TOML, NIR and raw data
have none: a digit that becomes another within its range is another file, and is counted as such.
"""


def run() -> int:
    """Run from the command line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--out", type=Path)
    options.add_argument("--jobs", type=int, default=os.cpu_count())
    options.add_argument("--minutes", type=float, default=math.inf, help="begin no more after")
    chosen = options.parse_args()
    start, failed = time.monotonic(), 0
    tallies: dict[str, Counter[str]] = {name: Counter() for name in TARGETS}
    numbers = range(chosen.count)
    chunks = [numbers[first : first + _CHUNK] for first in range(0, chosen.count, _CHUNK)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(chosen.jobs, context, _limit_memory) as pool:
        waiting = [pool.submit(mutate, chunk, chosen.seed) for chunk in chunks]
        for done in as_completed(waiting):
            found, failures = done.result()
            for name, outcomes in found.items():
                tallies[name] += outcomes
            failed += len(failures)
            sys.stderr.writelines(f"FAILED {words[:600]}\n" for words in failures)
            if time.monotonic() - start > 60 * chosen.minutes:
                pool.shutdown(wait=True, cancel_futures=True)
                break
    sys.stdout.write(table(tallies) + "\n")
    if chosen.out:
        text = page(tallies, chosen.seed, time.monotonic() - start, chosen.count)
        chosen.out.write_text(text, encoding="utf-8")
    return 1 if failed else 0


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_memory() + MEMORY, resource.RLIM_INFINITY))


def _memory() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    sys.exit(run())
