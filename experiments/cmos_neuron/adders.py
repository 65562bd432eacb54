"""Additions of random numbers by simulated adders: joules, and sums that must be right."""

from __future__ import annotations

from typing import Any

import numpy as np
from variants import SOLVER, TECHNOLOGY

import memspice as ms
from memspice import cmos, spice

#: Widths of the sums that the opponents form, and clock period [s] that their carries need.
ADDERS = {8: 1e-9, 16: 1e-9, 32: 2e-9}
ADDITIONS = 41


def measure_adder(engine: spice.Engine, bits: int, process: str) -> dict[str, Any]:
    """Energy of an addition; the first one, from rest, is left out.

    Raises
    ------
    ms.errors.IncompleteResults
        If a sum is wrong.
    """
    numbers = np.random.default_rng(bits).integers(0, 2**bits, (ADDITIONS, 2))
    # the longest carry there is
    numbers[1] = 2**bits - 1, 1
    adder = cmos.CmosAdder(TECHNOLOGY, bits, numbers, ADDERS[bits])
    deck = cmos.cmos_adder_deck(adder, cmos.process_transistors(process))
    analysis = spice.Transient(adder.stop, adder.period / 20)
    waves = engine.run(engine.write(deck), analysis, save=cmos.adder_signals(adder), options=SOLVER)
    sums, joules = cmos.adder_results(adder, waves)
    if (sums != adder.sums).any():
        raise ms.errors.IncompleteResults(
            f"an adder of {bits} bit, {process}: {np.sum(sums != adder.sums)} of {len(sums)} sums "
            "are not those of the arithmetic; slow its clock"
        )
    counted = joules[1:]
    return {
        "bits": bits,
        "process": process,
        "transistors": cmos.transistor_count(deck),
        "additions": len(counted),
        "energy_joule": float(counted.mean()),
        "standard_error_joule": float(counted.std(ddof=1) / np.sqrt(len(counted))),
        "period_second": adder.period,
    }
