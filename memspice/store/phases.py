"""When the phases of a stored job begin and end: write, read and reset of every cycle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from memspice.circuits.bursts import delay

PHASES = ("write", "read", "reset")


@dataclass(frozen=True)
class PhaseSpan:
    """One phase of a cycle, from `start` to `stop`, both [s]."""

    name: str
    start: float
    stop: float


def phases_of(attributes: Mapping[str, Any], time_stop: float) -> list[PhaseSpan]:
    """Return the phases that a job's attributes describe, up to a time.

    A phase is described by ``write_start`` and ``write_stop`` (likewise ``read``, ``reset``), [s]
    from the start of a cycle, and is repeated every ``cycle_time`` [s] where that is given; in a
    ``burst``, or with a ``charge_share`` below 1, from the cycle on that follows its row pulses.

    Parameters
    ----------
    attributes : mapping
        Attributes of a job.
    time_stop : float, [s]
        No phase begins at or after it.

    Returns
    -------
    list of PhaseSpan
        Empty where the attributes describe none.
    """
    period = float(attributes.get("cycle_time", 0.0))
    cycles = int(np.ceil(time_stop / period)) if period > 0 else 1
    found = []
    for cycle in range(_delay(attributes), cycles):
        for name in PHASES:
            if f"{name}_start" in attributes and f"{name}_stop" in attributes:
                start = cycle * period + float(attributes[f"{name}_start"])
                stop = cycle * period + float(attributes[f"{name}_stop"])
                if start < time_stop:
                    found.append(PhaseSpan(name, start, min(stop, time_stop)))
    return found


def end_of(attributes: Mapping[str, Any]) -> float:
    """Return when the last cycle of a job's events ends, [s]."""
    cycles = int(attributes["cycles"]) + _delay(attributes)
    return cycles * float(attributes["cycle_time"])


def _delay(attributes: Mapping[str, Any]) -> int:
    return delay(int(attributes.get("burst", 1)), float(attributes.get("charge_share", 1.0)))
