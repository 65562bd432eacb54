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
import hashlib
import io
import json
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import astuple, dataclass, replace
from functools import cache
from pathlib import Path

import nir
import numpy as np

from memspice.cli import exit_code, main
from memspice.engines.rawfile import read_raw
from memspice.errors import MemspiceError, StoreError
from memspice.inputs import printable
from memspice.jobs.cache import JobCache
from memspice.network.nir_import import import_nir
from memspice.network.weights import load_network
from memspice.parameters import load_parameter_set
from memspice.resources import resource_path
from memspice.store import RecordCodec, RunWriter
from tests.faults.mutators import VALUES, damage
from tests.nir_helpers import MARK
from tests.store_helpers import JOB, PROVENANCE, record, write
from tests.unit.test_rawfile import raw_bytes

#: Longest that a file may take, [s], and most memory beyond what is in use, [bytes].
PATIENCE, MEMORY = 100.0, 3 << 30
KEY = "ab" + "0" * 62
_CHUNK = 100


class Hang(BaseException):
    """No answer in time."""


class Refusal(Exception):
    """A clean refusal."""


@dataclass(frozen=True)
class Target:
    """A kind of file.

    Parameters
    ----------
    make : callable
        Makes a whole file in a folder; returns its path.
    read : callable
        Everything that commands take from it, as text; raises `MemspiceError` or `Refusal`.
    kinds : tuple of str
        Kinds of damage.
    sealed : bool
        Whether it carries a checksum.
    """

    make: Callable[[Path], Path]
    read: Callable[[Path], str]
    kinds: tuple[str, ...]
    sealed: bool


def run_command(*arguments: object) -> str:
    """Return what a command prints; raise `Refusal` where it fails cleanly."""
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = stop.code
    if code == 0:
        return out.getvalue().replace(str(arguments[2]), "PATH")
    if out.getvalue() or code not in (2, 5):
        raise AssertionError(f"code {code}, printed {out.getvalue()[:200]!r}")
    raise Refusal(err.getvalue().removeprefix("memspice: ").rstrip("\n"))


def make_run(folder: Path) -> Path:
    return write(folder / "run.h5", JOB, record(1, points=5))


def read_whole_run(path: Path) -> str:
    said = run_command("waves", "ls", path, "--json")
    for options in ("--json",), ("--csv",), ("--netlist",), ("--log",), ():
        said += run_command("waves", "show", path, JOB.name, *options)
    return said


def resume_run(path: Path) -> str:
    """What a resumed run stands on, and the file that it ends with."""
    with RunWriter.create(path, PROVENANCE, resume=True) as run:
        done = dict(run.finished)
        run.finish({"spikes": 2})
    return json.dumps(done) + read_whole_run(path)


def make_weights(folder: Path) -> Path:
    path = folder / "net.h5"
    path.write_bytes(resource_path("networks", "digits-mlp.h5").read_bytes())
    return path


def read_weights(path: Path) -> str:
    network = load_network(str(path))
    digest = hashlib.sha256()
    for layer in network.layers:
        for array in (layer.weight, layer.bias, layer.mean_input):
            digest.update(b"" if array is None else np.asarray(array).tobytes())
    return f"{network.architecture} {json.dumps(dict(network.provenance))} {digest.hexdigest()}"


def make_nir(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    nodes = {
        "in": nir.Input({"input": np.array([12])}),
        "hidden": nir.Affine(rng.normal(size=(5, 12)), rng.normal(size=5)),
        "switch": nir.Threshold(np.zeros(5), metadata=MARK),
        "last": nir.Linear(rng.normal(size=(3, 5))),
        "out": nir.Output({"output": np.array([3])}),
    }
    names = list(nodes)
    graph = nir.NIRGraph(nodes, list(zip(names, names[1:], strict=False)), type_check=False)
    nir.write(folder / "net.nir", graph)
    return folder / "net.nir"


def read_nir(path: Path) -> str:
    network = import_nir(path)
    arrays = [array for layer in network.layers for array in (layer.weight, layer.bias)]
    if not all(np.isfinite(array).all() for array in arrays):
        raise AssertionError("a number is not finite")
    text = [str(network.architecture), *map(str, network.provenance["changes"])]
    if printable("".join(text)) != "".join(text):
        raise AssertionError(f"a name cannot be shown: {text}")
    return hashlib.sha256(b"".join(a.tobytes() for a in arrays)).hexdigest() + "".join(text)


def make_toml(folder: Path) -> Path:
    path = folder / "own.toml"
    path.write_bytes(resource_path("sot-mtj.toml").read_bytes())
    return path


def read_toml(path: Path) -> str:
    values = load_parameter_set(str(path))
    text = f"{values.name} {values.summary} {[astuple(value) for value in values.provenance]}"
    if printable(text) != text:
        raise AssertionError("a text cannot be shown")
    return text


def make_raw(folder: Path) -> Path:
    path = folder / "out.raw"
    path.write_bytes(raw_bytes(rows=np.random.default_rng(1).normal(size=(40, 2))))
    return path


def read_raw_file(path: Path) -> str:
    return "".join(
        f"{p.title}{p.plotname}{p.variables}{p.data.tobytes()!r}" for p in read_raw(path)
    )


def make_entry(folder: Path) -> Path:
    cache = JobCache(folder)
    cache.put(KEY, RecordCodec().pack(JOB))
    return cache.path(KEY)


def read_entry(path: Path) -> str:
    entry = JobCache(path.parents[1]).get(KEY)
    if entry is None:
        raise Refusal(f"{path.name} is as good as absent")
    try:
        found = RecordCodec().unpack(entry)
    except StoreError as error:
        raise Refusal(f"{path.name} is as good as absent") from error
    columns = {name: values.tobytes().hex() for name, (values, _) in found.signals.items()}
    return f"{found.attributes} {found.energy} {found.netlist} {found.time.tobytes()!r} {columns}"


def forge(rng: np.random.Generator, path: Path) -> str:
    """An entry with a right checksum and something else in it."""
    entry = JobCache(path.parents[1]).get(KEY)
    assert entry is not None
    facts, arrays = dict(entry.facts), dict(entry.arrays)
    name = list(facts)[int(rng.integers(len(facts)))]
    value = VALUES[int(rng.integers(18))]
    kind = int(rng.integers(5))
    if kind == 0:
        del facts[name]
    elif kind == 1:
        facts[name] = value if not isinstance(value, float) or np.isfinite(value) else "nan"
    elif kind == 2:
        arrays.pop(list(arrays)[int(rng.integers(len(arrays)))])
    elif kind == 3:
        arrays[list(arrays)[int(rng.integers(len(arrays)))]] = np.zeros((2, 3))
    else:
        facts["signals"] = {"v": value if isinstance(value, str) else 3}
    JobCache(path.parents[1]).put(KEY, replace(entry, facts=facts, arrays=arrays))
    return "forge"


TARGETS: Mapping[str, Target] = {
    "run file": Target(make_run, read_whole_run, ("bytes", "hdf5"), sealed=True),
    "resumed run": Target(make_run, resume_run, ("bytes", "hdf5"), sealed=True),
    "network file": Target(make_weights, read_weights, ("bytes", "hdf5"), sealed=True),
    "cache entry": Target(make_entry, read_entry, ("bytes",), sealed=True),
    "forged cache entry": Target(make_entry, read_entry, ("forge",), sealed=False),
    "NIR file": Target(make_nir, read_nir, ("bytes", "hdf5"), sealed=False),
    "TOML file": Target(make_toml, read_toml, ("bytes", "text", "text"), sealed=False),
    "raw data": Target(make_raw, read_raw_file, ("bytes",), sealed=False),
}
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


def page(tallies: Mapping[str, Counter[str]], seed: int, seconds: float) -> str:
    """The page of the documents."""
    assert __doc__
    words = __doc__.partition("\n\n")[2].partition("\n\n")[2]
    intro = __doc__.split("\n\n")[0]
    return f"""# Damaged files

{intro}

`make faults` wrote this page: seed {seed}, {seconds / 60:.0f} minutes. Each file is damaged at
random (a byte, a bit, a block; an object, attribute, type, shape or number of an HDF5 file; a word
or line of a text) and read as the commands read it: `waves ls` and `waves show` in every form,
`--resume`, `--network`, `--device`, `convert`, the cache, the reader of raw data. Each trial ends
in one of

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
    chosen = options.parse_args()
    start, failed = time.monotonic(), 0
    tallies: dict[str, Counter[str]] = {name: Counter() for name in TARGETS}
    numbers = range(chosen.count)
    chunks = [numbers[first : first + _CHUNK] for first in range(0, chosen.count, _CHUNK)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(chosen.jobs, context, _limit_memory) as pool:
        for found, failures in pool.map(mutate, chunks, [chosen.seed] * len(chunks)):
            for name, outcomes in found.items():
                tallies[name] += outcomes
            failed += len(failures)
            sys.stderr.writelines(f"FAILED {words[:600]}\n" for words in failures)
    sys.stdout.write(table(tallies) + "\n")
    if chosen.out:
        text = page(tallies, chosen.seed, time.monotonic() - start)
        chosen.out.write_text(text, encoding="utf-8")
    return 1 if failed else 0


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_memory() + MEMORY, resource.RLIM_INFINITY))


def _memory() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    sys.exit(run())
