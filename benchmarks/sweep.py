"""One sweep beside as many single commands: the same numbers, and the time of both."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from memspice.errors import EngineError

#: The command line in a process of its own, as its user starts it.
_COMMAND = (sys.executable, "-m", "memspice")
#: Numbers of a point by their names in the JSON of ``simulate-layer``.
_SPIKES = {"spikes": "count", "spike_rate": "rate", "mismatches": "mismatches"}


def measure_sweep(
    wires: Sequence[float], seeds: int, cycles: int, layer: str = "dense1"
) -> dict[str, Any]:
    """Simulate a layer at every wire resistance and seed: in one command, and in as many.

    Nothing comes from the cache.

    Parameters
    ----------
    wires : sequence of float, [ohm]
        Resistances a cell.
    seeds : int
        How many, from 0.
    cycles : int
        Of one image, in ``reduced``.
    layer : str
        Of ``digits-mlp``, with models around the array.

    Returns
    -------
    dict
        ``points``, ``seconds`` of ``sweep`` and ``single``, their ``ratio``, and ``same``: whether
        the numbers are, to the bit.
    """
    common = ("--periphery", "behavioural", "--cycles", str(cycles), "--no-cache", "--json")
    vary = (f"wire-resistance={','.join(map(str, wires))}", f"seed=0..{seeds - 1}")
    begun = time.monotonic()
    swept = _run("sweep", layer, "--vary", vary[0], "--vary", vary[1], *common)
    middle = time.monotonic()
    single = [
        _run("simulate-layer", layer, "--wire-resistance", str(wire), "--seed", str(seed), *common)
        for wire, seed in product(wires, range(seeds))
    ]
    end = time.monotonic()
    rows = swept["points"]
    return {
        "points": len(rows),
        "cycles": cycles,
        "seconds": {"sweep": middle - begun, "single": end - middle},
        "ratio": (end - middle) / (middle - begun),
        "same": [_of_row(row) for row in rows] == [_of_command(found) for found in single],
    }


def _run(*arguments: str) -> dict[str, Any]:
    ended = subprocess.run([*_COMMAND, *arguments], capture_output=True, text=True, check=False)
    if ended.returncode:
        raise EngineError(f"memspice {' '.join(arguments)}: {ended.stderr}")
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def _of_row(row: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: row[name] for name in (*_SPIKES, "unlike_ideal", "energy_joule", "energy_closure")
    }


def _of_command(found: Mapping[str, Any]) -> dict[str, float]:
    spikes = found["spikes"]
    return {
        **{name: spikes[own] for name, own in _SPIKES.items()},
        "unlike_ideal": spikes["against_ideal"]["value"],
        "energy_joule": found["energy_total_joule"],
        "energy_closure": found["energy_closure"],
    }
