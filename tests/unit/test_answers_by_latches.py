"""Answers without a converter: latches compare the drives of the last layer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from memspice.errors import ConfigError
from memspice.experiment.against_cmos import load_cmos
from memspice.experiment.operations import comparison_energy, converter_energy
from memspice.network.inference import run_inference
from memspice.parameters import load_parameter_set
from tests.loop_helpers import SEED, every_window, make_images, make_mapped
from tests.settings import Setting

LATCHES = {"answer.kind": "latches"}


@pytest.mark.parametrize(("changes", "conversions", "comparisons"), [({}, 3, 0), (LATCHES, 0, 3)])
def test_an_answer_is_converted_or_compared(
    changes: dict[str, float | str], conversions: int, comparisons: int
) -> None:
    mapped, cycles = make_mapped(changes=changes), 4
    found = run_inference(
        mapped, make_images(2), cycles, SEED, burst=cycles, windows=every_window(mapped, 2)
    )
    state = cast(Any, SimpleNamespace(iterations=[SimpleNamespace(inference=found)]))
    request = cast(Any, SimpleNamespace(mapped=mapped, cycles=cycles, burst=cycles))
    prices = load_cmos().converters.values
    converted = converter_energy(request, state, prices)["dense4"][0]
    assert converted == pytest.approx(conversions * prices.output_conversion, rel=1e-12)
    stage = load_parameter_set("fast-memristor", LATCHES).answer
    one = stage.comparison_energy(2)
    assert 10e-15 < one < 100e-15
    compared = comparison_energy(request)
    assert compared["dense4"] == pytest.approx(comparisons * one, rel=1e-12)
    assert sum(compared.values()) == compared["dense4"]


def test_every_pair_is_compared() -> None:
    stage = load_parameter_set("fast-memristor", {**LATCHES, "answer.comparison": 1e-15}).answer
    assert [stage.comparison_energy(n) / 1e-15 for n in (1, 2, 10)] == pytest.approx([0, 1, 45])


def test_several_bursts_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"one burst, and 2 would .* answer\.kind=converter"):
        Setting("digits-mlp", cycles=8, burst=4, changes=LATCHES).request()
    Setting("digits-mlp", cycles=8, burst=8, changes=LATCHES).request()
    leaky = {"sense.charge_share": 0.3}
    Setting("digits-mlp", cycles=8, changes={**LATCHES, **leaky}).request()
