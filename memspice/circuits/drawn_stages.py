"""Transistors of the sense stages of a layer: all as they were measured, or as they were drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from memspice.circuits.library import Library
from memspice.circuits.mismatch import StageMismatch
from memspice.circuits.thresholds import threshold_parameter, with_thresholds


@dataclass(frozen=True, eq=False)
class AlikeStages:
    """Stages of which one is as good as another."""

    @property
    def residual(self) -> float:
        """Standard deviation of a circuit's drive about what `acting` makes of the surface, [V]."""
        return 0.0

    @property
    def energy_residual(self) -> float:
        """The same of its joules, relative, [1]."""
        return 0.0

    def part(self, outputs: slice) -> AlikeStages:
        """Those of some outputs."""
        del outputs
        return self

    def acting(
        self, currents: np.ndarray, conductances: np.ndarray, limits: tuple[float, float]
    ) -> np.ndarray:
        """Currents on which the nominal stage acts as those of the outputs do.

        Parameters
        ----------
        currents : ndarray, shape (..., outputs, 2), [A]
            Of plus and minus line of a stage, as into a short circuit at the line level.
        conductances : ndarray, shape (outputs, 2), [S]
            Of the lines.
        limits : tuple of float, [A]
            What the nominal stage was measured for: drawn ones go no further.

        Returns
        -------
        ndarray, shape (..., outputs, 2), [A]
        """
        del conductances, limits
        return currents

    def beyond(
        self, currents: np.ndarray, conductances: np.ndarray, limits: tuple[float, float]
    ) -> np.ndarray:
        """Where what they do is not known, (..., outputs); arguments as of `acting`."""
        del conductances, limits
        return np.zeros(currents.shape[:-1], bool)

    def relief(self, currents: np.ndarray, conductances: np.ndarray) -> np.ndarray:
        """Joules a row pulse, (..., outputs), that cells do not dissipate because of `acting`.

        Conductances (outputs, 2) [S] are of the layer's own cells.
        """
        del conductances
        return np.zeros(currents.shape[:-1])

    def library(self, library: Library | None) -> Library | None:
        """Text of the subcircuit as instances with `parameters` need it."""
        return library

    def parameters(self, output: int) -> Mapping[str, float]:
        """Parameters of an output's instance."""
        del output
        return {}


@dataclass(frozen=True, eq=False)
class DrawnStages(AlikeStages):
    """Stages whose transistors have thresholds of their own.

    Parameters
    ----------
    mismatch : StageMismatch
        What thresholds do.
    area_spread : float, [V m]
        That they were drawn with.
    thresholds : ndarray, shape (outputs, transistors), [V]
        Off the nominal ones; of stages side by side, which share lines and drive, the mean.
    count : int
        Stages side by side.
    """

    mismatch: StageMismatch
    area_spread: float
    thresholds: np.ndarray
    count: int = 1

    @staticmethod
    def drawn(
        mismatch: StageMismatch,
        area_spread: float,
        shape: tuple[int, int],
        rng: np.random.Generator,
    ) -> DrawnStages:
        """Draw those of so many outputs, and of so many stages side by side."""
        each = mismatch.thresholds(shape, area_spread, rng)
        return DrawnStages(mismatch, area_spread, each.mean(axis=1), shape[1])

    @property
    def residual(self) -> float:
        """Residual of one stage, over the root of how many share the drive."""
        return self.mismatch.residual_of(self.area_spread)[0] / math.sqrt(self.count)

    @property
    def energy_residual(self) -> float:
        """Likewise."""
        return self.mismatch.residual_of(self.area_spread)[1] / math.sqrt(self.count)

    def part(self, outputs: slice) -> DrawnStages:
        """Those of some outputs."""
        own = self.thresholds[outputs]
        return DrawnStages(self.mismatch, self.area_spread, own, self.count)

    def acting(
        self, currents: np.ndarray, conductances: np.ndarray, limits: tuple[float, float]
    ) -> np.ndarray:
        """By the three numbers of each."""
        acting = self.mismatch.acting(self.thresholds, currents, conductances)
        return np.asarray(np.clip(acting, *limits))

    def beyond(
        self, currents: np.ndarray, conductances: np.ndarray, limits: tuple[float, float]
    ) -> np.ndarray:
        """Whether the current of either line is below the least one, or beyond the limits."""
        low, high = max(limits[0], self.mismatch.least), limits[1]
        acting = self.mismatch.acting(self.thresholds, currents, conductances)
        return np.asarray(((acting < low) | (acting > high)).any(axis=-1))

    def relief(self, currents: np.ndarray, conductances: np.ndarray) -> np.ndarray:
        """By what each holds its lines off their level."""
        return self.mismatch.relief(self.thresholds, currents, conductances)

    def library(self, library: Library | None) -> Library | None:
        """With a parameter for each threshold."""
        assert library is not None, "transistors are those of a subcircuit"
        return with_thresholds(library, self.mismatch.transistors)

    def parameters(self, output: int) -> Mapping[str, float]:
        """Thresholds, [V]."""
        names = map(threshold_parameter, self.mismatch.transistors)
        return dict(zip(names, self.thresholds[output].tolist(), strict=True))
