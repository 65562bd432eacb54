"""How often intervals of ``memspice fit`` hold the truth: ``python -m tests.fit_coverage``.

Points are drawn from a known law and fitted; 95 % of the intervals of each value must hold what it
was.  Of 200 repeats 181 to 197 do in 99 % of such experiments, if the intervals are right.
"""

from __future__ import annotations

import argparse
import math
import sys

import numpy as np

from memspice.analysis.fitting import fit_law
from memspice.analysis.points import SwitchingCounts
from memspice.devices.switching_laws import (
    ExponentialLaw,
    IncubationLaw,
    MixedLaw,
    NeelBrownLaw,
    SwitchingLaw,
)

SEED = 11
WIDTHS = (1e-8, 1e-6, 1e-4)
TRIALS, VOLTAGES = 200, 10
_SCALE = 0.05  # V
#: Coordinates of the known laws, for a reference pulse of 1 us.
TRUTHS: dict[type[SwitchingLaw], tuple[float, ...]] = {
    ExponentialLaw: (1.2, math.log(_SCALE)),
    IncubationLaw: (1.2, math.log(_SCALE), 0.5),
    MixedLaw: (1.2, math.log(_SCALE), 1.0),
    NeelBrownLaw: (math.log(1e-9), math.log(40.0), 1.5, 1.5),
}


def planned(law: SwitchingLaw, truth: np.ndarray) -> SwitchingCounts:
    """Pulses of three lengths, each at ten voltages between P = 2 % and 98 %."""
    voltage, time = [], []
    grid = np.linspace(0.3, 2.0, 4001)
    for width in WIDTHS:
        chance = law.switching_probability(truth, grid, np.full(len(grid), width))
        ends = np.interp([0.02, 0.98], chance + 1e-12 * np.arange(len(grid)), grid)
        voltage.append(np.linspace(*ends, VOLTAGES))
        time.append(np.full(VOLTAGES, width))
    trials = np.full(VOLTAGES * len(WIDTHS), TRIALS)
    return SwitchingCounts(np.concatenate(voltage), np.concatenate(time), trials // 2, trials)


def held(kind: type[SwitchingLaw], repeats: int, seed: int = SEED) -> dict[str, int]:
    """Number of repeats whose interval holds the truth, by reported value."""
    law, truth = kind(WIDTHS[1]), np.array(TRUTHS[kind])
    plan, rng = planned(law, truth), np.random.default_rng(seed)
    known = law.values(truth)
    counts = dict.fromkeys((quantity.name for quantity in law.quantities), 0)
    for _ in range(repeats):
        found = fit_law(plan.draw(law, truth, rng), law, repeats=0)
        for value, true in zip(found.values, known, strict=True):
            low = -math.inf if value.low is None else value.low
            high = math.inf if value.high is None else value.high
            counts[value.quantity.name] += bool(low <= true <= high)
    return counts


def main() -> None:
    """Print the counts of every law."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=200)
    repeats = parser.parse_args().repeats
    for kind in TRUTHS:
        sys.stdout.write(f"{kind.name}: of {repeats} intervals hold {held(kind, repeats)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
