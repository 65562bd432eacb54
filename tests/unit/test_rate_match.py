"""Stochastic neurons in the place of others: half rate and slope against the neurons' equations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from memspice.errors import ConfigError
from memspice.importers.rate_match import (
    MOST_TIME_CONSTANTS,
    Integrators,
    LeakyNeurons,
    RateMatch,
    logistic_match,
    ramp_match,
)

STEP = 1e-3  # s
LEAKY = {"resistance": 2.0, "leak": 0.1, "threshold": 1.0, "reset": -0.2}


def leaky(time_constant: np.ndarray, rate: float = 0.5, **values: Any) -> RateMatch:
    return LeakyNeurons(time_constant=time_constant, **values).match(rate)


def integrators(rate: float = 0.5, **values: Any) -> RateMatch:
    return Integrators(**values).match(rate)


def simulated_rate(x: float, time_constant: float | None, values: dict[str, float]) -> float:
    """Spikes per step of a neuron that is integrated in small steps, under a steady input.

    The interval between spikes is found to one part in 20,000.
    """
    small, potential, time = STEP / 20000, values["reset"], 0.0
    while potential < values["threshold"]:
        change = values["resistance"] * x
        if time_constant is not None:
            change = (values["leak"] - potential + change) / time_constant
        potential += small * change
        time += small
    return STEP / time


def of(values: dict[str, float]) -> dict[str, np.ndarray]:
    return {name: np.full(1, value) for name, value in values.items()}


def inputs_around(match: RateMatch, rate: float) -> tuple[float, float, float]:
    """Inputs where the device has a rate, and 2 % of it below and above, by its slope."""
    hazard = -np.log1p(-rate)
    middle = float((np.log(hazard) - match.shift[0]) / match.scale[0])
    off = 0.02 * rate / float(match.scale[0] * hazard * (1 - rate))
    return middle - off, middle, middle + off


@pytest.mark.parametrize("rate", [0.5, 0.2])
@pytest.mark.parametrize("ratio", [0.1, 0.5, 1.0, MOST_TIME_CONSTANTS])
def test_leaky_neuron_integrated_in_small_steps(ratio: float, rate: float) -> None:
    time_constant = STEP / ratio
    match = leaky(np.full(1, time_constant), rate, **of(LEAKY), time_step=STEP)
    inputs = inputs_around(match, rate)
    low, middle, high = (simulated_rate(x, time_constant, LEAKY) for x in inputs)
    # Euler's method with 20,000 steps: 1e-4.
    assert middle == pytest.approx(rate, abs=2e-4)
    # A central difference over 4 % of the rate: its error is of third order, 2 % at most.
    assert (high - low) / (0.04 * rate) == pytest.approx(1, abs=0.02)
    law = LeakyNeurons(time_constant=np.full(1, time_constant), **of(LEAKY), time_step=STEP)
    np.testing.assert_allclose(law.rate(np.array(inputs)), [low, middle, high], rtol=4e-4)


@pytest.mark.parametrize("rate", [0.5, 0.05])
def test_integrator_integrated_in_small_steps(rate: float) -> None:
    values = {"resistance": 800.0, "threshold": 1.0, "reset": -0.2}
    inputs = inputs_around(integrators(rate, **of(values), time_step=STEP), rate)
    found = [simulated_rate(x, None, values) for x in inputs]
    assert found == pytest.approx(np.array([0.98, 1.0, 1.02]) * rate, rel=4e-4)
    law = Integrators(**of(values), time_step=STEP)
    np.testing.assert_allclose(law.rate(np.array(inputs)), found, rtol=4e-4)


def test_rates_have_their_ends() -> None:
    law = LeakyNeurons(time_constant=np.full(1, 5 * STEP), **of(LEAKY), time_step=STEP)
    # The threshold is reached at x = 0.45.
    np.testing.assert_array_equal(law.rate(np.array([-1e9, 0.0, 0.4499, 1e9])), [0, 0, 0, 1])
    bare = Integrators(**of({"resistance": 800.0, "threshold": 1.0, "reset": -0.2}), time_step=STEP)
    np.testing.assert_array_equal(bare.rate(np.array([-1e9, 0.0, 1e9])), [0, 0, 1])


def test_slow_leaky_neuron_is_an_integrator() -> None:
    # Over the interval of two steps it leaks 2e-6 of the potential.
    slow = {**LEAKY, "leak": -0.2, "resistance": 2e6}
    slowly = leaky(np.full(1, 1e6 * STEP), **of(slow), time_step=STEP)
    bare = {name: slow[name] for name in ("threshold", "reset")}
    integrator = integrators(resistance=np.full(1, 2e6 / (1e6 * STEP)), **of(bare), time_step=STEP)
    np.testing.assert_allclose(slowly.scale, integrator.scale, rtol=1e-5)
    np.testing.assert_allclose(slowly.shift, integrator.shift, rtol=1e-5)


def test_curves_meet_at_half_and_differ_as_documented() -> None:
    x = np.linspace(-12, 12, 4801)
    logistic, ramp = 1 / (1 + np.exp(-x)), np.clip(x, 0, 1)
    for match, exact, largest in (
        (logistic_match(), logistic, 0.0664),
        (ramp_match(), ramp, 0.1512),
    ):
        ours = match.rate(x)
        middle = np.argmin(np.abs(exact - 0.5))
        assert ours[middle] == pytest.approx(0.5, abs=1e-12)
        slope = (ours[middle + 1] - ours[middle - 1]) / (exact[middle + 1] - exact[middle - 1])
        assert slope == pytest.approx(1, abs=1e-4)
        assert np.max(np.abs(ours - exact)) == pytest.approx(largest, abs=5e-4)


@pytest.mark.parametrize("sign", [1, -1])
def test_input_of_either_sign(sign: int) -> None:
    values = {**LEAKY, "resistance": sign * 2.0}
    match = leaky(np.full(1, 2 * STEP), **of(values), time_step=STEP)
    assert np.sign(match.scale[0]) == sign


def test_one_number_a_neuron() -> None:
    rng = np.random.default_rng(1)
    values = {name: value + 0.1 * rng.random(5) for name, value in LEAKY.items()}
    tau = STEP * (1 + rng.random(5))
    together = leaky(tau, **values, time_step=STEP)
    for k in range(5):
        alone = leaky(
            tau[k : k + 1], **{n: v[k : k + 1] for n, v in values.items()}, time_step=STEP
        )
        assert (together.scale[k], together.shift[k]) == (alone.scale[0], alone.shift[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"threshold": -0.2}, "a threshold 0 above the reset"),
        ({"resistance": 0.0}, "a resistance of 0"),
        ({"time_constant": 0.0}, "a time constant of 0 s must be positive"),
        ({"time_constant": 0.4 * STEP}, "above 2 time constants"),
        ({"time_step": 0.0}, "a time step of 0 s must be positive"),
        ({"time_step": float("nan")}, "a time step of nan s"),
    ],
)
def test_refusals(change: dict[str, float], message: str) -> None:
    values = {"time_constant": 2 * STEP, "time_step": STEP, **LEAKY, **change}
    step = values.pop("time_step")
    with pytest.raises(ConfigError, match=message):
        leaky(**of(values), time_step=step)
    if "time_constant" not in change:
        bare = {name: values[name] for name in ("resistance", "threshold", "reset")}
        with pytest.raises(ConfigError, match=message):
            integrators(**of(bare), time_step=step)
