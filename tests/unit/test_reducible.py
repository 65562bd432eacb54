"""When a layer may be reduced: each number by hand, each refusal with its reason."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from memspice.circuits.blocks.lone_cell import LoneCell
from memspice.circuits.blocks.transistor_cell import TransistorCell
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.reducible import (
    NEGLIGIBLE,
    charging_share,
    nonlinearity,
    obstacles,
    refuse_unless_reducible,
    wire_delay,
)
from memspice.devices.synapse_iv import CubicCell, SinhCell
from memspice.devices.transistor import AccessTransistor
from memspice.errors import ConfigError
from tests.helpers import FEEDBACK, changed, small_layer

IDEAL = {"wire_resistance_row": 0.0, "wire_resistance_col": 0.0, "driver_resistance": 0.0}
#: Both rows levels of a spiking layer, and a graded one.
SPIKES = np.array([[0.1, 0.0, 0.1, 0.0, 0.0, 0.1]])
GRADED = np.array([[0.1, 0.05, 0.1, 0.0, 0.0, 0.1]])


def cubic(**array: Any) -> LayerCircuit:
    return small_layer(cell=LoneCell(curve=CubicCell(cubic_coefficient=2.1)), **array)


def test_plain_layer_is_reducible() -> None:
    for layer in (small_layer(), small_layer(resistive=True)):
        assert nonlinearity(layer, GRADED) == 0.0
        assert wire_delay(layer) == 0.0
        assert charging_share(layer) == 0.0
    assert obstacles(small_layer(), GRADED) == []
    refuse_unless_reducible(small_layer(), GRADED, "dense1")


# --- bent cells -----------------------------------------------------------------------------------


def test_spikes_on_ideal_lines_meet_every_curve_at_one_point() -> None:
    layer = changed(cubic(**IDEAL), "sense", gain=1e9)
    # What is left falls over the sense stage: 20 kohm / 1e9 times some 10 uS.
    assert nonlinearity(layer, SPIKES) < 1e-8


def test_graded_rows_meet_the_curve_elsewhere() -> None:
    layer = changed(cubic(**IDEAL), "sense", gain=1e9)
    by_hand = 1 - (1 + 2.1 * 0.05**2) / (1 + 2.1 * 0.1**2)
    assert nonlinearity(layer, GRADED) == pytest.approx(by_hand, rel=1e-6)


def test_drivers_and_wires_move_the_point_by_at_most_the_bound() -> None:
    row, col, driver = 300.0, 500.0, 120.0
    layer = cubic(wire_resistance_row=row, wire_resistance_col=col, driver_resistance=driver)
    cells = layer.conductances[0] * (1 + 2.1 * 0.1**2)
    drop = cells.sum(axis=1).max() * (driver + 4 * row)
    drop += cells.sum(axis=0).max() * (6 * col + layer.sense.input_resistance)
    by_hand = 1 - (1 + 2.1 * (0.1 * (1 - drop)) ** 2) / (1 + 2.1 * 0.1**2)
    assert nonlinearity(layer, SPIKES) == pytest.approx(by_hand, rel=1e-9)


def test_rows_at_rest_bend_nothing() -> None:
    assert nonlinearity(cubic(), np.zeros((2, 6))) == 0.0


def test_bend_vanishes_with_the_scale_of_the_sinh() -> None:
    bends = [
        nonlinearity(small_layer(cell=LoneCell(curve=SinhCell(voltage_scale=scale))), GRADED)
        for scale in (0.25, 2.5, 25.0)
    ]
    # sinh(u)/u - 1 = u^2 / 6: a hundredth a step.
    assert bends[0] / bends[1] == pytest.approx(100, rel=0.02)
    assert bends[1] / bends[2] == pytest.approx(100, rel=0.01)


# --- wires that charge ----------------------------------------------------------------------------


def test_delay_by_hand() -> None:
    # 6 rows, 4 columns; word line: 4 cells behind the driver, segments of 10 ohm.
    layer = small_layer(
        wire_resistance_row=10.0, wire_resistance_col=20.0, driver_resistance=100.0,
        wire_capacitance_row=1e-15, wire_capacitance_col=2e-15,
    )  # fmt: skip
    word = 1e-15 * (110 + 120 + 130 + 140)
    bit = 2e-15 * 20 * (1 + 2 + 3 + 4 + 5 + 6)
    assert wire_delay(layer) == pytest.approx(word + bit + 2 * FEEDBACK * 6 * 2e-15)
    resistive = small_layer(
        resistive=True, wire_resistance_row=10.0, wire_resistance_col=20.0,
        driver_resistance=100.0, wire_capacitance_row=1e-15, wire_capacitance_col=2e-15,
    )  # fmt: skip
    assert wire_delay(resistive) == pytest.approx(word + bit + FEEDBACK * 6 * 2e-15)


def test_charging_share_by_hand() -> None:
    layer = small_layer(wire_capacitance_row=1e-12, driver_resistance=1e6)
    # The edge is short against 4 us: all of C V^2 is lost, 24 cells' worth of it.
    energy = layer.conductances[0].sum() * layer.schedule.rows.square_area
    assert charging_share(layer) == pytest.approx(24e-12 / energy, rel=1e-3)


def test_slow_ramps_lose_less() -> None:
    shares = [
        charging_share(changed(small_layer(wire_capacitance_row=1e-16), "timing", edge=edge))
        for edge in (1e-12, 1e-9, 1e-8)
    ]
    assert (np.diff(shares) < 0).all()
    # Far slower than the wires, twice their delay over the edge is lost.
    layer = changed(small_layer(wire_capacitance_row=1e-16), "timing", edge=1e-8)
    energy = layer.conductances[0].sum() * layer.schedule.rows.square_area
    by_hand = 24e-16 / energy * 2 * wire_delay(layer) / 1e-8
    assert shares[-1] == pytest.approx(by_hand, rel=1e-3)
    # An edge as long as the delay: the integral of i^2 R over a ramp of an RC, 2/e for both edges.
    layer = small_layer(wire_capacitance_row=1e-16)
    layer = changed(layer, "timing", edge=wire_delay(layer))
    energy = layer.conductances[0].sum() * layer.schedule.rows.square_area
    assert charging_share(layer) == pytest.approx(24e-16 / energy * 2 / math.e)


def test_published_wires_are_negligible() -> None:
    # 22 nm crosspoint, 0.2 fF/um: 0.016 fF a cell (DNN_NeuroSim_V1.3).
    for name in ("fast-memristor", "sot-mtj", "ag-asi"):
        layer = small_layer(name, wire_capacitance_row=0.016e-15, wire_capacitance_col=0.016e-15)
        assert obstacles(layer, SPIKES) == []


# --- refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        ({"cell": LoneCell(curve=SinhCell(voltage_scale=0.25))}, r"cells carry up to 0\.0\d+ more"),
        (
            {"cell": TransistorCell(
                access=AccessTransistor(
                    transconductance=1e-5, threshold_voltage=0.47, slope_factor=1.4
                ),
                gate_voltage=0.6,
            )},
            r"cells carry up to",
        ),
        ({"wire_capacitance_col": 1e-13}, r"wires charge with 24.* ns and need 166 ns"),
        ({"wire_capacitance_row": 1e-13}, r"charging the wires takes 0\.0\d+ of the array"),
    ],
)  # fmt: skip
def test_what_counts_is_refused_with_its_number(array: dict[str, Any], reason: str) -> None:
    layer = small_layer(**array)
    with pytest.raises(ConfigError, match=rf"layer conv2 cannot be reduced: .*{reason}"):
        refuse_unless_reducible(layer, GRADED, "conv2")


def test_coupled_bit_lines_are_refused() -> None:
    layer = small_layer(resistive=True, driver_resistance=1e5)
    assert layer.ports.coupling > NEGLIGIBLE
    with pytest.raises(ConfigError, match=r"of a bit line's voltage arrives at another one"):
        refuse_unless_reducible(layer, SPIKES, "conv2")


def test_limits_are_met_with_seven_time_constants() -> None:
    layer = small_layer(wire_capacitance_row=1e-16)
    needed = wire_delay(layer) * math.log(1 / NEGLIGIBLE)
    for factor, count in ((1.01, 0), (0.99, 1)):
        tight = changed(layer, "timing", settle=factor * needed)
        assert len(obstacles(tight, SPIKES)) == count
