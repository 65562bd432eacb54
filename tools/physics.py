"""What memspice computes today, written down; and what has changed since it was written down.

    .venv/bin/python tools/physics.py record tests/golden/physics.json
    .venv/bin/python tools/physics.py compare tests/golden/physics.json

Both run the same commands as a user would, so that modules may move between them.  On the machine
that recorded, NumPy's numbers (network loop, ``--flaws``, surrogate layers) must be the same to the
bit, and what SPICE says where the text of a netlist is the same; else spikes must be the same and
energies agree to 1e-6, which is what the order of a sum may change.  On another processor, or with
another NumPy or BLAS, NumPy's own sums are in another order, see ``ROUNDING``: whole numbers stay
the same.  ``compare`` ends with 1 and one line a difference where that is not so.  Four minutes on
two cores.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import h5py
import numpy as np
from threadpoolctl import threadpool_info

#: Relative difference of NumPy's numbers from machine to machine.  A sum of n terms in another
#: order differs by at most n ulp: the longest here is over the 2,048 inputs of a neuron, 4.5e-13.
#: (Between two processors the recorded numbers differed by 6e-16.)
ROUNDING = 1e-12
#: Relative difference of an energy that a sum in another order may make.
ENERGY_TOLERANCE = 1e-6
#: Of what is no energy: deviations from the closed form, themselves some 1e-4, and times.
OTHER_TOLERANCE = 1e-4
#: Neither physics nor kept from run to run; ``burst`` only repeats what the command asks for, and
#: ``classified`` is the number of its images.
PASSING = {
    "wall_seconds", "out", "versions", "jobs", "notes", "engine", "parameters", "burst", "command",
    "classified",
}  # fmt: skip

NUMPY = {
    "infer digits": "infer --network digits-mlp --images 120 --cycles 16",
    "infer digits, flaws": "infer --network digits-mlp --images 120 --cycles 8 --flaws",
    "infer cnn": "infer --network cifar10-cnn --images 8 --cycles 4",
    "infer cnn, flaws": "infer --network cifar10-cnn --images 4 --cycles 4 --flaws",
    **{
        f"surrogate {layer} {device}": (
            f"simulate-layer {layer} --network {network} --device {device} --fidelity surrogate "
            "--images 2 --cycles 4"
        )
        for network, layer in (("digits-mlp", "dense1"), ("cifar10-cnn", "conv2"))
        for device in ("ag-asi", "fast-memristor", "sot-mtj")
    },
}
_SPICE = "--images 1 --cycles 1"
SPICE = {
    **{
        f"reduced {device} {engine}": (
            f"simulate-layer dense1 --network digits-mlp --device {device} --engine {engine} "
            "--images 1 --cycles 4"
        )
        for device in ("ag-asi", "fast-memristor", "sot-mtj")
        for engine in ("ngspice", "vacask")
    },
    "full digits": f"simulate-layer dense2 --network digits-mlp --fidelity full {_SPICE}",
    "full conv1": f"simulate-layer conv1 --network cifar10-cnn --fidelity full {_SPICE} "
    "--tile 32x16",
    "characterize": "characterize --device fast-memristor --points 3 --events 64",
    "cosim digits": "cosim --network digits-mlp --images 8 --cycles 4",
}


@click.command()
@click.argument("what", type=click.Choice(["record", "compare"]))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def main(what: str, file: Path) -> None:
    """Record what the commands say in FILE, or compare it with that."""
    found = {name: run(command) for name, command in (NUMPY | SPICE).items()}
    found["machine"] = machine()
    if what == "record":
        file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        return
    recorded = json.loads(file.read_text(encoding="utf-8"))
    lines = list(differences(recorded, found))
    where = "this machine" if recorded.get("machine") == found["machine"] else "another machine"
    click.echo("\n".join([*lines, f"{len(lines)} differences from what {where} recorded"]))
    sys.exit(bool(lines))


def machine() -> dict[str, Any]:
    """What decides in which order NumPy adds: where it is the same, so is every bit."""
    libraries = [
        {name: library[name] for name in ("internal_api", "version", "architecture", "num_threads")}
        for library in threadpool_info()
        if library["user_api"] == "blas"
    ]
    return {"processor": _processor(), "numpy": np.__version__, "blas": libraries}


def _processor() -> str:
    """Model of the processor, as Linux names it; elsewhere its kind."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def run(command: str) -> dict[str, Any]:
    """Numbers that a command prints, and the hashes of its netlists."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "run.h5")
        where = {"cosim": ["--out", folder + "/cosim"], "simulate-layer": ["--out", str(out)]}
        words = command.split()
        done = subprocess.run(
            [sys.executable, "-m", "memspice", *words, "--json", *where.get(words[0], [])]
            + (["--no-cache"] if command in SPICE.values() else []),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise click.ClickException(f"{command}: {done.returncode}\n{done.stderr}")
        found = {"numbers": dict(leaves(json.loads(done.stdout)))}
        if out.exists():
            found["netlists"] = dict(netlists(out))
        return found


def leaves(content: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of an object of JSON, by its place in it."""
    if isinstance(content, dict):
        for name, value in content.items():
            if name not in PASSING:
                yield from leaves(value, f"{place}.{name}" if place else name)
    elif isinstance(content, list):
        for number, value in enumerate(content):
            yield from leaves(value, f"{place}[{number}]")
    else:
        yield place, content


def netlists(path: Path) -> Iterator[tuple[str, str]]:
    """Hash of each job's netlist in a run file."""
    with h5py.File(path) as file:
        for layer in file.values():
            for name, job in layer.items():
                if isinstance(job, h5py.Group) and "netlist" in job:
                    yield name, str(job["netlist"].attrs["sha256"])


def differences(recorded: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    """Lines that say what is no longer as it was recorded."""
    here = recorded.get("machine") == found["machine"]
    for name in sorted((recorded.keys() | found.keys()) - {"machine"}):
        if name not in recorded or name not in found:
            yield f"{name}: only {'recorded' if name in recorded else 'found'}"
            continue
        old, new = recorded[name], found[name]
        texts = old.get("netlists"), new.get("netlists")
        equal = name in NUMPY or (texts[0] is not None and texts[0] == texts[1])
        for place in sorted(old["numbers"].keys() | new["numbers"].keys()):
            values = old["numbers"].get(place), new["numbers"].get(place)
            if not same(place, *values, apart=(0.0 if here else ROUNDING) if equal else None):
                yield f"{name}: {place} was {values[0]}, is {values[1]}"


def same(place: str, old: Any, new: Any, *, apart: float | None) -> bool:
    """Whether a value is what it was, within ``apart``; None where SPICE solved another text."""
    if not isinstance(old, float) or not isinstance(new, float):
        return bool(old == new)
    if "joule" in place:
        return abs(new - old) <= (ENERGY_TOLERANCE if apart is None else apart) * abs(old)
    # What is no energy is a share, a deviation of one, or a time: of the order of 1 or below.
    return abs(new - old) <= (OTHER_TOLERANCE if apart is None else apart) * max(1.0, abs(old))


if __name__ == "__main__":
    main()
