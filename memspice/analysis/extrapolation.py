"""From sampled windows to the energy of one inference, with its confidence interval.

Many windows are evaluated in closed form, few of them in SPICE.  SPICE fixes one ratio per
component; what the ratios leave unexplained is the second part of the uncertainty, besides the
spread from window to window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from memspice.analysis.calibration import energy_ratios
from memspice.analysis.statistics import NORMAL_QUANTILE
from memspice.circuits.energy_model import COMPONENTS

Energies = Mapping[str, float]


@dataclass(frozen=True)
class LayerEnergy:
    """Energy of one layer per inference: components [J] and the 95 % half width of their sum."""

    components: dict[str, float]
    half_width: float

    @property
    def total(self) -> float:
        """Energy of the layer, [J]."""
        return sum(self.components.values())


def extrapolate_layer(
    modelled: Sequence[Energies],
    spice: Sequence[tuple[Energies, Energies]],
    windows_per_inference: float,
) -> LayerEnergy:
    """Energy of a layer from windows in closed form and in SPICE.

    Parameters
    ----------
    modelled : sequence of mapping, [J]
        Closed-form energy per cycle of each sampled window.
    spice : sequence of (measured, modelled), [J]
        Energy per cycle of the windows that went through SPICE, both ways.
    windows_per_inference : float
        Positions times cycles of one inference.

    Returns
    -------
    LayerEnergy
        The interval is infinite with fewer than two windows of either kind.
    """
    ratios = energy_ratios(_mean([a for a, _ in spice]), _mean([b for _, b in spice]))
    mean = _mean(modelled)
    components = {name: windows_per_inference * ratios[name] * mean[name] for name in COMPONENTS}
    calibrated = np.array([_calibrated(item, ratios) for item in modelled])
    left = np.array([sum(a[n] for n in COMPONENTS) - _calibrated(b, ratios) for a, b in spice])
    sampling = _half_width(calibrated, NORMAL_QUANTILE)
    model = _half_width(left, float(stdtrit(len(left) - 1, 0.975)) if len(left) > 1 else np.inf)
    return LayerEnergy(components, windows_per_inference * float(np.hypot(sampling, model)))


def _mean(energies: Sequence[Energies]) -> dict[str, float]:
    return {name: float(np.mean([item[name] for item in energies])) for name in COMPONENTS}


def _calibrated(energies: Energies, ratios: Mapping[str, float]) -> float:
    return sum(ratios[name] * energies[name] for name in COMPONENTS)


def _half_width(values: np.ndarray, quantile: float) -> float:
    if len(values) < 2:
        return np.inf
    return quantile * float(np.std(values, ddof=1)) / float(np.sqrt(len(values)))
