"""What SPICE teaches the surrogate: gain and offset of the drive, scale of the hazard, energies."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from memspice.circuits.energy_model import COMPONENTS


def fit_line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Least-squares ``y = gain * x + offset``; a gain of one where ``x`` hardly varies.

    Parameters
    ----------
    x, y : ndarray, same shape
        Surrogate and SPICE.

    Returns
    -------
    tuple of float
        Gain and offset; 1 and 0 without any point.
    """
    x, y = x.ravel(), y.ravel()
    if x.size == 0:
        return 1.0, 0.0
    if np.var(x) <= 1e-12 * max(1.0, float(np.mean(x**2))):
        return 1.0, float(np.mean(y - x))
    centred = x - x.mean()
    gain = float(np.sum(centred * (y - y.mean())) / np.sum(centred**2))
    return gain, float(y.mean() - gain * x.mean())


def energy_ratios(measured: Mapping[str, float], modelled: Mapping[str, float]) -> dict[str, float]:
    """SPICE energy over closed-form energy per component; one where the model says zero.

    Parameters
    ----------
    measured, modelled : mapping of str to float, [J]
        Energies of the same windows.
    """
    return {name: measured[name] / modelled[name] if modelled[name] else 1.0 for name in COMPONENTS}
