"""What a network that is imported does with typical inputs, and whether its rates are kept.

No images come with a file.  Typical inputs are a few images whose pixels are independent and
uniform between 0 and 1, and what the neurons of the file, each under steady input, make of them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from memspice.importers.operations import refusal
from memspice.importers.rate_match import Integrators, RateMatch
from memspice.network.architecture import Conv, Dense
from memspice.network.frames import layer_matrix, products

#: Images of random pixels that stand for typical inputs.
IMAGES = 16
_KEY = 0x7479706963616C
#: Largest reference rate, lowest of which 64 cycles draw some three spikes, and below which a rate
#: takes so many cycles to show that it deserves a warning; in spikes a cycle.
HIGHEST, LOWEST, FEW = 0.5, 0.05, 0.2
#: Largest mean difference of the rates before and after, as a share of the reference rate.
TOLERANCE = 1 / 3


def typical_images(shape: tuple[int, int, int]) -> np.ndarray:
    """Images (n, height, width, channels) of random pixels, always the same ones."""
    channels, height, width = shape
    rng = np.random.Generator(np.random.Philox(key=_KEY))
    return rng.random((IMAGES, height, width, channels), dtype=np.float32)


def weighted_inputs(
    weight: np.ndarray,
    bias: np.ndarray,
    kind: Conv | Dense,
    input_shape: tuple[int, int, int],
    state: np.ndarray,
) -> np.ndarray:
    """Inputs (n, height, width, outputs) of the neurons behind a weight layer."""
    matrix = layer_matrix(weight.T, bias, kind, input_shape)
    found = np.concatenate([block.copy() for _, block in products(state, kind, matrix)])
    sides = kind.sides(*state.shape[1:3]) if isinstance(kind, Conv) else (1, 1)
    return found.reshape(len(state), *sides, -1)


@dataclass(frozen=True)
class Rates:
    """Mean rates of a layer, in spikes a cycle: the file's neurons, and those in their place.

    ``rest`` without input, ``typical`` at :func:`typical_images`; ``reference`` is the rate at
    which rate and slope were made equal.
    """

    where: str
    reference: float
    rest_before: float
    rest_after: float
    typical_before: float
    typical_after: float

    def text(self) -> str:
        """The rates, to read."""
        return (
            f"at a rate of {self.reference:.3g} spikes a cycle; mean rates {self.rest_before:.3g} "
            f"-> {self.rest_after:.3g} without input, {self.typical_before:.3g} -> "
            f"{self.typical_after:.3g} at {IMAGES} images of random pixels"
        )

    def warning(self) -> str | None:
        """What to expect where spikes are rare."""
        if self.reference >= FEW:
            return None
        return (
            f"{self.where}: neurons that spike do so in {100 * self.reference:.2g} % of the "
            f"cycles, so scores of fewer than some {round(64 * FEW / self.reference)} cycles are "
            f"coarse; a time step {FEW / self.reference:.2g} times as long would do with 64"
        )

    def as_json(self) -> dict[str, object]:
        """The rates, for a file's provenance."""
        return asdict(self)


def reference_rate(rates: np.ndarray) -> float:
    """Mean rate of the events that have one, at most one half; that where there are none."""
    spiking = rates[rates > 0]
    return min(HIGHEST, float(spiking.mean())) if spiking.size else HIGHEST


def kept_rates(where: str, law: Integrators, x: np.ndarray, bias: np.ndarray) -> Rates:
    """Rates before and after a layer's neurons are replaced.

    Parameters
    ----------
    where : str
        The neurons, for messages.
    law : Integrators
        Neurons of the file, one number an output.
    x : ndarray, shape (..., outputs)
        Their inputs at typical images.
    bias : ndarray, shape (outputs,)
        Their inputs without input.

    Raises
    ------
    ConfigError
        If they never spike at typical images, too rarely for a device, or would not keep their
        rates; the message has the numbers.
    """
    before, rest = law.rate(x), law.rate(bias)
    reference = reference_rate(before)
    match: RateMatch = law.match(reference)
    after, rest_after = match.rate(x), match.rate(bias)
    found = [float(rates.mean()) for rates in (rest, rest_after, before, after)]
    rates = Rates(where, reference, *found)
    if not before.any():
        raise refusal(
            where,
            f"none of these neurons spikes at {IMAGES} images of random pixels between 0 and 1, so "
            "there is no rate to keep",
            "check the scale of inputs and thresholds, and the unit of --time-step",
        )
    if reference < LOWEST:
        raise refusal(
            where,
            f"neurons that spike do so in {100 * reference:.2g} % of the time steps of "
            f"{law.time_step:g} s, below {100 * LOWEST:g} %: too rarely for stochastic neurons",
            f"give a --time-step of about {law.time_step * 0.3 / reference:.2g} s, in the unit of "
            "the file's time constants",
        )
    worst = max(
        float(np.mean(np.abs(one - other))) for one, other in ((rest, rest_after), (before, after))
    )
    if worst > TOLERANCE * reference:
        raise refusal(
            where,
            f"stochastic neurons would not keep their rates {rates.text()}: the mean difference is "
            f"{worst:.2g}, above {100 * TOLERANCE:.0f} % of {reference:.2g}",
            "give another --time-step, or train with the device's activation",
        )
    return rates
