"""What is left out of a total: counts times prices, beside it and not in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memspice.analysis.left_out import LayerCounts, LeftOutPrices, left_out
from memspice.parameters import load_table

PRICES = load_table("left-out", "left_out", LeftOutPrices)
LAYER = LayerCounts(stages=64.0, events=512.0, spikes=100.0, cells=1e4, active=2e-6)


def test_each_price_is_paid_for_what_it_is_of() -> None:
    p = PRICES.values
    found = left_out(p, (LAYER, LAYER), latency=5e-6)
    square = p.supply_voltage**2
    assert found == pytest.approx(
        {
            "routing of spikes between tiles": 200 * p.spike_wire * square,
            "keeping spikes between layers": 1024 * p.kept_spike,
            "distribution of clocks": 1024 * p.clock_inputs * p.clock_input * square,
            "leakage of circuits that wait": 128 * 3e-6 * p.leakage,
            "bias and level generators": 128 / p.group * p.generators * 2e-6,
            "programming of the weights": 2e4 * p.write_pulses * p.write_energy / p.inferences,
        }
    )


def test_layers_add_up_and_nothing_costs_nothing() -> None:
    one, two = (left_out(PRICES.values, (LAYER,) * n, 5e-6) for n in (1, 2))
    assert two == pytest.approx({name: 2 * joule for name, joule in one.items()})
    nothing = LayerCounts(0.0, 0.0, 0.0, 0.0, 0.0)
    assert set(left_out(PRICES.values, (nothing,), 5e-6).values()) == {0.0}


def test_a_layer_that_always_works_leaks_nothing_beside_its_joules() -> None:
    busy = replace(LAYER, active=5e-6)
    assert left_out(PRICES.values, (busy,), 5e-6)["leakage of circuits that wait"] == 0.0


def test_prices_are_labelled_estimates() -> None:
    assert {value.label for value in PRICES.provenance} <= set("SRDA")
    assert all(value.source for value in PRICES.provenance)
