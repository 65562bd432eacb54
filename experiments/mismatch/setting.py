"""Network and points of what drawn thresholds do to it."""

from __future__ import annotations

from collections.abc import Mapping

from energy_run import NETWORK as NETWORK
from energy_run import SIZE

CYCLES = SIZE["cycles"]
TRIM = {"periphery.trim_step": 5e-3, "periphery.trim_range": 0.5}
#: By their names: spread of a threshold times the root of its gate's area, [V m], and the trim.
POINTS: Mapping[str, Mapping[str, float]] = {
    "alike": {},
    "2 mV um": {"mismatch.area_spread": 2e-9},
    "2 mV um, trimmed": {"mismatch.area_spread": 2e-9, **TRIM},
    "3.5 mV um, trimmed": {"mismatch.area_spread": 3.5e-9, **TRIM},
}
