"""What age and temperature make of a programmed conductance.

    G = G_programmed * (1 + age / t0)^-nu * exp(Ta (1 / T_ref - 1 / T))

``t0`` is the time from programming to the reference read, ``age`` the time since that read: the
law ``G(t) = G0 (t / t0)^-nu`` of phase-change cells with ``t = t0 + age``.  Resistive oxides do not
drift in that sense; their conductance diffuses, and its spread grows with the logarithm of time.
One inference is short against any age, so within a transient the conductance is constant.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from memspice.quantities import Parameters, quantity

Array = NDArray[np.float64]


class CellConditions(Parameters):
    """Age and temperature of the cells of an array; the defaults change nothing.

    ``activation_temperature`` is an activation energy over Boltzmann's constant: positive for
    conduction over a barrier (1160 K is 0.1 eV), negative for a metallic filament.
    """

    drift_exponent: float = quantity("1", "nu, exponent of the drift", default=0.0)
    reference_time: float = quantity("s", "t0, programming to reference read", gt=0, default=1.0)
    age: float = quantity("s", "Time since the reference read", ge=0, default=0.0)
    spread_per_decade: float = quantity(
        "1", "Sigma of ln(G) that a tenfold time adds, by diffusion", ge=0, default=0.0
    )
    activation_temperature: float = quantity(
        "K", "Ta, activation energy of the conductance over k", default=0.0
    )
    temperature: float = quantity("K", "Temperature of the cells", gt=0, default=300.0)
    reference_temperature: float = quantity(
        "K", "Temperature at which the cells were programmed", gt=0, default=300.0
    )

    @property
    def drift_factor(self) -> float:
        """Conductance after drift over the programmed one, [1]."""
        return math.exp(-self.drift_exponent * math.log1p(self.age / self.reference_time))

    @property
    def temperature_factor(self) -> float:
        """Conductance at the temperature over that at the reference temperature, [1]."""
        inverse = 1 / self.reference_temperature - 1 / self.temperature
        return math.exp(self.activation_temperature * inverse)

    @property
    def spread(self) -> float:
        """Sigma of ln(G) that diffusion has added since the reference read, [1].

        A random walk in the logarithm of time: the variance grows by ``spread_per_decade**2`` with
        every tenfold of ``1 + age / t0``.
        """
        return self.spread_per_decade * math.sqrt(math.log10(1 + self.age / self.reference_time))

    def changed(self, programmed: ArrayLike, rng: np.random.Generator) -> Array:
        """Conductances after their time and at their temperature.

        Parameters
        ----------
        programmed : array_like, any shape, [S]
            At the reference read and temperature.
        rng : numpy.random.Generator
            Source of the diffusion: one normal number a cell, at every age the same; none where
            cells do not diffuse.

        Returns
        -------
        ndarray, same shape, [S]
            The median of the spread is the drifted conductance.
        """
        values = np.asarray(programmed, np.float64) * self.drift_factor * self.temperature_factor
        if self.spread_per_decade == 0:
            return values
        return np.asarray(values * np.exp(self.spread * rng.standard_normal(values.shape)))
