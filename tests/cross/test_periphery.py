"""Blocks of 45 nm transistors: the prototype's figures, two engines, and what corners do."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from benchmarks.periphery import Measured, bias, copier_figures, latch, reset, row_driver
from memspice.circuits.freepdk45 import CORNERS
from memspice.circuits.library import read_library
from memspice.circuits.processes import PROCESSES
from memspice.engines.vacask_words import value_text
from memspice.parameters import load_values
from memspice.resources import resource_path

BLOCKS = {
    "freepdk45": (
        *("sense_e3", "sense_e3_driven", "sense_copier", "sense_copier_driven"),
        *("sense_burst", "difference_copier", "charge_sum"),
        *("sense_burst_driven", "sense_burst_front", "sense_burst_sum"),
        *("row_driver", "level_driver", "latch", "reset", "bias"),
    ),
    "ihp-sg13g2": (
        *("sense_copier", "sense_copier_driven", "difference_copier", "charge_sum"),
        *("sense_burst_driven", "sense_burst_front", "sense_burst_sum", "row_driver", "latch"),
    ),
}


def figures(measured: list[Measured]) -> dict[str, float]:
    return {item.what: item.value for item in measured}


@pytest.mark.ngspice
@pytest.mark.vacask
@pytest.mark.parametrize("block", [row_driver, latch, reset])
def test_both_engines_measure_the_same(block: Callable[[str], list[Measured]]) -> None:
    here, there = figures(block("ngspice")), figures(block("vacask"))
    # The time of an edge is read between solver's points, which lie some ps apart.  An engine's
    # gmin of 1 pS takes 1 pW at each of some 50 junctions: 0.05 nW of what is idle.
    rel = {"rise": 0.03, "q": 0.03, "idle": 0.01}
    for what, value in here.items():
        close = max((each for part, each in rel.items() if part in what), default=5e-3)
        assert there[what] == pytest.approx(value, rel=close), what


@pytest.mark.ngspice
def test_resistance_and_reset_are_the_prototypes() -> None:
    assert figures(row_driver("ngspice"))["resistance"] == pytest.approx(63, rel=0.02)
    found = figures(reset("ngspice"))
    # 2 V on 1 Mohm for 5 ns are 20 fJ; what 4 fF of electrode keep goes there after the pulse.
    assert found["in the device"] == pytest.approx(20 + 0.5 * 4 * 4, rel=0.1)
    assert found["on the electrode"] == pytest.approx(1.997, abs=1e-3)
    assert found["in the periphery"] < 100  # fJ, the prototype's


@pytest.mark.ngspice
@pytest.mark.slow
def test_the_copier_takes_the_difference_and_leaves_what_lines_share() -> None:
    found = figures(copier_figures("ngspice"))
    gain = found["gain of a difference"]
    # kohm. What lines share comes through by the slope of the copier's current, a tenth of it;
    # without the copier an offset of the amplifier would count gain times the line's 70 uS.
    assert gain > 300
    assert found["gain of what lines share"] < gain / 8
    assert abs(found["drive an amplifier's offset"]) < 0.1 * gain * 1e3 * 70e-6
    assert abs(found["memory"]) < 1.0  # mV
    # a difference of 3 uA takes the drive to its ends, which are 5.5 V0 of 156 mV apart
    assert found["drive at 6 and 3 uA"] - found["drive at 3 and 6 uA"] > 5.5 * 0.156


@pytest.mark.ngspice
def test_the_generator_follows_the_corners() -> None:
    vtail, current = zip(*(bias("ngspice", corner) for corner in CORNERS), strict=True)
    nominal, slow, fast = vtail
    assert slow < nominal < fast  # slow PMOS want more gate drive, and get it
    # gm is 1/r for any transistors, and so is the current but for the slope of weak inversion
    assert max(current) / min(current) < 1.02


@pytest.mark.parametrize(
    ("process", "block"), [(process, block) for process, names in BLOCKS.items() for block in names]
)
def test_sizes_have_one_home(process: str, block: str) -> None:
    path = resource_path(process, "periphery.lib")
    header = read_library(path, PROCESSES[process]()).headers[block]
    sizes = load_values(f"{process}/periphery", block)
    # .subckt wants defaults; they are those of the table, in SPICE's suffixes
    assert set(header.parameters) == set(sizes)
    for name, text in header.parameters.items():
        assert re.fullmatch(r"[\d.]+[a-z]*", text)
        assert float(value_text(text, name)) == pytest.approx(sizes[name].value, rel=1e-12)
