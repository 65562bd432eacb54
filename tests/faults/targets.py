"""The kinds of file that commands read, whole, and everything that is taken from them."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

import nir
import numpy as np

from memspice.cli.main import main
from memspice.engines.rawfile import read_raw
from memspice.errors import StoreError
from memspice.importers.nir_import import import_nir
from memspice.jobs.cache import JobCache
from memspice.network.weights import load_network
from memspice.outputs import printable
from memspice.parameters import load_parameter_set
from memspice.resources import resource_path
from memspice.store import RecordCodec, RunWriter
from tests.faults.mutators import VALUES
from tests.nir_helpers import MARK
from tests.store_helpers import JOB, PROVENANCE, record, write
from tests.unit.test_rawfile import raw_bytes

KEY = "ab" + "0" * 62


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
    said = err.getvalue().removeprefix("memspice: ").rstrip("\n")
    expected = {"message": said, "exit_code": code} if "--json" in arguments else None
    if code not in (2, 5) or _error_printed(out.getvalue()) != expected:
        raise AssertionError(f"code {code}, printed {out.getvalue()[:200]!r}, said {said[:200]!r}")
    raise Refusal(said)


def _error_printed(text: str) -> dict[str, Any] | None:
    """Return what the object that is all a failed command prints says; None of nothing."""
    if not text:
        return None
    content = json.loads(text)
    assert set(content) == {"error"}, content
    content["error"].pop("kind")
    return dict(content["error"])


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
