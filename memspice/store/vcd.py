"""Spikes as a value change dump, which GTKWave and other viewers of digital signals open.

One scope a layer, in it one a job; in that a wire for each neuron (by its number in the layer), and
the phases of its cycles.  Events tell the cycle of a spike and no time within it: its wire is high
from the end of the cycle's read phase, when the latch holds it, to the end of the reset.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count, groupby

import numpy as np

from memspice.errors import ConfigError
from memspice.store.phases import PHASES, end_of, phases_of
from memspice.store.records import JobRecord

#: Unit of time [s]: fine enough for a phase of nanoseconds, and 63 bits of it are 106 days.
_TICK, _TICK_NAME = 1e-12, "1 ps"
#: First of the printable characters of which the short names of wires are made, and their number.
_FIRST, _SYMBOLS = 33, 94

#: When a wire is high: rise and fall [s] of each pulse.
_Pulses = Sequence[tuple[float, float]]
#: A job, and the short names of its wires.
_Wired = tuple[JobRecord, Mapping[str, str]]


def vcd_text(records: Sequence[JobRecord]) -> str:
    """Spikes of jobs as the text of a dump.

    Parameters
    ----------
    records : sequence of JobRecord
        Those without a column ``spike`` are left out.

    Raises
    ------
    ConfigError
        If none of them has one.
    """
    shown = [record for record in records if "spike" in record.events]
    if not shown:
        raise ConfigError("no job named here has spikes: a dump would be empty; try .npz or .csv")
    symbols = map(_symbol, count())
    wired = [(record, {name: next(symbols) for name in _pulses(record)}) for record in shown]
    lines = [f"$timescale {_TICK_NAME} $end", *_declarations(wired), "$enddefinitions $end"]
    lines += ["$dumpvars", *(f"0{s}" for _, names in wired for s in names.values()), "$end"]
    # Sorted: where one pulse ends as the next begins, the fall comes first.
    changes = sorted(change for record, names in wired for change in _changes(record, names))
    for time, group in groupby(changes, key=lambda change: change[0]):
        lines += [f"#{time}", *(f"{level}{symbol}" for _, symbol, level in group)]
    return "\n".join([*lines, f"#{max(_ticks(end_of(each.attributes)) for each in shown)}", ""])


def _declarations(wired: Iterable[_Wired]) -> Iterator[str]:
    for record, names in wired:
        scopes = record.name.split("/")
        yield from (f"$scope module {scope} $end" for scope in scopes)
        yield from (f"$var wire 1 {symbol} {name} $end" for name, symbol in names.items())
        yield from ("$upscope $end" for _ in scopes)


def _changes(record: JobRecord, names: Mapping[str, str]) -> Iterator[tuple[int, str, int]]:
    """Time [ticks], short name and new level of every edge."""
    for name, pulses in _pulses(record).items():
        for rise, fall in pulses:
            yield _ticks(rise), names[name], 1
            yield _ticks(fall), names[name], 0


def _pulses(record: JobRecord) -> dict[str, _Pulses]:
    facts, events = record.attributes, {name: each for name, (each, _) in record.events.items()}
    spiked = events["spike"] > 0
    spans = phases_of(facts, end_of(facts))
    phases = {name: [(s.start, s.stop) for s in spans if s.name == name] for name in PHASES}
    held = [(r[1], e[1]) for r, e in zip(phases["read"], phases["reset"], strict=True)]
    neurons: dict[str, _Pulses] = {
        f"neuron{facts['first_output'] + number}": [
            held[cycle] for cycle in events["cycle"][(events["neuron"] == number) & spiked]
        ]
        for number in np.unique(events["neuron"])
    }
    return phases | neurons


def _ticks(time: float) -> int:
    return round(time / _TICK)


def _symbol(number: int) -> str:
    """``!``, ``"``, ... and from the 95th on with more characters."""
    rest, digit = divmod(number, _SYMBOLS)
    return (_symbol(rest - 1) if rest else "") + chr(_FIRST + digit)
