"""Where the closed form does not hold, no fidelity that rests on it answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from memspice.analysis.comparison import MARGIN
from memspice.circuits.closed_form_limits import (
    LATE,
    doubts,
    lateness,
    refusal,
    refuse_without_closed_form,
)
from memspice.circuits.reducible import obstacles
from memspice.errors import ConfigError
from memspice.experiment.cosim import CosimPlan, run_cosim
from memspice.network.batch import Window
from memspice.network.closed_form_check import closed_form_refusals
from memspice.network.inference import run_inference
from memspice.parameters import PARAMETER_SETS
from memspice.windows.agreement import judge
from memspice.windows.fidelity import window_jobs
from memspice.windows.outcome import outcome
from memspice.windows.reduced import Reduced
from tests.helpers import (
    FEEDBACK,
    changed,
    fidelity_of,
    near_stimulus,
    ngspice,
    simulate,
    small_layer,
)
from tests.settings import Setting

#: Each breaks one condition of the closed form of a spiking layer: reason, then values.
BROKEN: dict[str, tuple[str, dict[str, float | str]]] = {
    "bent cells": ("cells carry up to", {"sinh_cell.voltage_scale": 0.25}),
    "slow wires": ("wires charge with", {"array.wire_capacitance_col": 1e-6}),
    "charged wires": ("charging the wires takes", {"array.wire_capacitance_row": 1e-14}),
    "loose rows": (
        "of a bit line's voltage arrives at another",
        {"array.driver_resistance": 1e6, "sense.gain": 1.5},
    ),
    "slow amplifiers": (
        "sense stages settle so slowly",
        {"sense.swing": 900.0, "sense.supply": 1e3},
    ),
    "amplifiers at their rails": ("amplifiers of the sense", {"sense.output_resistance": 1e5}),
    "swing above supply": ("above sense.supply", {"sense.supply": 0.5}),
    "drive above supply": ("periphery.write_high = 1.62", {"periphery.supply_positive": 1.0}),
    "reset below supply": ("periphery.reset_voltage = 2", {"periphery.supply_negative": -1.0}),
    "reset too weak": ("a reset puts", {"periphery.reset_voltage": 0.1}),
    "edges longer than the reset": ("timing.edge =", {"timing.edge": 1e-7}),
    "no read level": ("a read gives", {"latch.compare_voltage": 0.3}),
    "series resistor of nothing": ("a read gives", {"neuron.series_resistance": 1e-9}),
    "slow read node": ("read nodes charge with", {"latch.node_capacitance": 1e-12}),
    "slow latch": ("latches charge with", {"latch.latch_resistance": 1e9}),
}


def setup(name: str, **options: Any) -> Setting:
    return Setting(network="digits-mlp", changes=BROKEN[name][1], **{"cycles": 1, **options})


@pytest.mark.parametrize("name", PARAMETER_SETS)
@pytest.mark.parametrize("network", ["digits-mlp", "cifar10-cnn"])
def test_shipped_sets_and_networks_hold(name: str, network: str) -> None:
    mapped = Setting(network=network, device=name).request().mapped
    shape = mapped.architecture.input_shape
    assert (
        closed_form_refusals(
            mapped.layers, np.linspace(0, 1, 2 * int(np.prod(shape))).reshape(2, *shape)
        )
        == {}
    )


@pytest.mark.parametrize("name", BROKEN)
def test_the_loop_refuses_with_the_reason(name: str) -> None:
    prepared = setup(name).request()
    with pytest.raises(ConfigError, match="layer dense1 has no closed form") as caught:
        run_inference(prepared.mapped, prepared.images.x, 1, 0)
    assert BROKEN[name][0] in str(caught.value)
    assert "use --fidelity full" in str(caught.value)


@pytest.mark.parametrize("name", ["bent cells", "slow latch"])
def test_every_command_refuses(name: str) -> None:
    reason = BROKEN[name][0]
    with pytest.raises(ConfigError, match=reason):
        setup(name, images=2).infer()
    for layer in ("dense1", "dense2"):
        with pytest.raises(ConfigError, match=reason):
            setup(name).simulate(layer, fidelity="surrogate")
    prepared = setup(name, images=2).request()
    with pytest.raises(ConfigError, match=reason):
        run_cosim(prepared, CosimPlan(), None, lambda *_: None)  # type: ignore[arg-type]
    window = Window("dense1", 0, 0)
    (job,) = window_jobs(
        prepared.mapped.layers[0], window, np.ones((1, 64)), fidelity_of("surrogate"), seed=0
    )
    with pytest.raises(ConfigError, match=reason):
        job.fidelity.run(job)


def test_what_reduced_refuses_the_surrogate_refuses() -> None:
    layer = small_layer(wire_capacitance_col=1e-13)
    rows = np.full((1, layer.rows), layer.array.read_voltage)
    (reason,) = obstacles(layer, rows)
    with pytest.raises(ConfigError) as caught:
        refuse_without_closed_form(layer, rows, "conv2")
    assert reason in str(caught.value)
    assert refusal(small_layer(), rows, "conv2") is None


@pytest.mark.parametrize(
    ("first", "words"),
    [("sense.swing", "amplifiers"), ("late", "settle so slowly")],
)
def test_an_accumulating_layer_has_the_conditions_of_its_sense_stages(
    first: str, words: str
) -> None:
    layer = small_layer(spiking=False)
    rows = np.full((1, layer.rows), layer.array.read_voltage)
    assert doubts(layer, rows) == []
    level = layer.sense.amplifier_level(layer.line_current(rows))
    values = {"swing": 0.9 * level} if first == "sense.swing" else {"bandwidth": 1e6}
    (reason,) = doubts(changed(layer, "sense", **values), rows)
    assert words in reason


def test_level_of_an_amplifier_by_hand() -> None:
    layer = small_layer()
    rows = np.full((1, layer.rows), layer.array.read_voltage)
    current = np.max(np.abs(layer.ports.transfer @ rows[0]))
    expected = current * (FEEDBACK + layer.sense.output_resistance)
    assert layer.sense.amplifier_level(layer.line_current(rows)) == pytest.approx(expected)


@pytest.mark.ngspice
@pytest.mark.parametrize("bandwidth", [1e9, 1e8])
def test_lateness_is_what_spice_shows(bandwidth: float) -> None:
    """Slow sense stages cost a hazard integral at most what is said, and not much less."""
    layer = changed(small_layer(), "sense", bandwidth=bandwidth)
    stimulus = near_stimulus(layer, cycles=1)
    hazard = np.exp(layer.log_hazard(layer.drive_voltage(stimulus.row_voltage)))
    found = simulate(layer, stimulus, "reduced").hazard
    off = float(np.max(np.abs(found / hazard - 1)))
    assert off < max(2 * lateness(layer), 1e-3)
    assert (lateness(layer) > LATE) == (off > LATE / 3)


@pytest.mark.ngspice
def test_the_simulation_of_a_refused_layer_is_void() -> None:
    """What the closed form cannot say is beyond a limit where SPICE says it."""
    prepared = setup("slow latch").request()
    layer = prepared.mapped.layers[0]
    job = window_jobs(layer, Window("dense1", 0, 0), np.ones((1, 64)), Reduced(ngspice()), seed=0)[
        0
    ]
    assert not judge(job, outcome(job.fidelity.run(job))).holds


def test_full_takes_no_inputs_out_of_a_loop_without_closed_form() -> None:
    """Scores 27 off the closed form once left with exit code 0."""
    values = setup("bent cells", tile=(128, 8))
    with pytest.raises(ConfigError, match="inputs of dense2 would come from the network loop, but"):
        values.simulate("dense2", fidelity="full")


@pytest.mark.ngspice
def test_scores_of_full_have_a_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memspice.experiment.simulate_layer.closed_form_refusals", lambda *_: {})
    bent = {"sinh_cell.voltage_scale": 0.03}
    values = Setting(network="digits-mlp", changes=bent, cycles=1, tile=(16, 4))
    result = values.simulate("dense2", fidelity="full")
    assert result.as_json()["scores"]["relative_deviation"] > MARGIN
    assert result.verdict.drive_deviation > MARGIN
    assert any("a drive or score is off" in note for note in result.as_json()["notes"])
