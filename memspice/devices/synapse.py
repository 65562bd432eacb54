"""Synapse devices: from weights to differential conductances, with the flaws of real cells."""

from __future__ import annotations

import numpy as np

from memspice.devices.drift import CellConditions
from memspice.errors import ConfigError
from memspice.quantities import quantity


class Synapse(CellConditions):
    """Programmable resistive cell between ``min_conductance`` and ``max_conductance``.

    Flaws are applied in this order: rounding to ``levels``, log-normal device-to-device spread
    (which may lead beyond the ends of the range), stuck cells; then age and temperature.
    """

    min_conductance: float = quantity("S", "Conductance of weight zero", gt=0)
    max_conductance: float = quantity("S", "Conductance of the largest weight", gt=0)
    levels: int = quantity("1", "Programmable levels, both ends included", ge=2)
    variation: float = quantity("1", "Sigma of ln(G), device to device", ge=0, default=0.0)
    stuck_on: float = quantity("1", "Share of cells stuck at the maximum", ge=0, le=1, default=0.0)
    stuck_off: float = quantity("1", "Share of cells stuck at the minimum", ge=0, le=1, default=0.0)

    @property
    def span(self) -> float:
        """Usable range of conductance, [S]."""
        return self.max_conductance - self.min_conductance


def differential_conductance(
    weight: np.ndarray, bound: float, synapse: Synapse, rng: np.random.Generator
) -> np.ndarray:
    """Conductances of the pairs (G+, G-) that stand for a weight matrix.

    A positive weight raises G+ by ``weight / bound * span`` and leaves G- at the minimum; a
    negative one the other way round.  So ``(G+ - G-) / span = weight / bound``.

    Parameters
    ----------
    weight : ndarray, shape (rows, outputs), [1]
        Within ``[-bound, bound]``.
    bound : float, [1]
        Weight that the full range of conductance stands for.
    synapse : Synapse
        Range, levels and flaws of the cells.
    rng : numpy.random.Generator
        Source of spread and stuck cells.

    Returns
    -------
    ndarray, shape (rows, 2 * outputs), [S]
        Columns alternate: G+ of output 0, G- of output 0, G+ of output 1, ...

    Raises
    ------
    ConfigError
        If the range is empty, more than all cells are stuck, or a weight is not finite or out of
        its bound.
    """
    if synapse.span <= 0:
        raise ConfigError(
            f"max_conductance = {synapse.max_conductance:g} S must exceed "
            f"min_conductance = {synapse.min_conductance:g} S"
        )
    if synapse.stuck_on + synapse.stuck_off > 1:
        raise ConfigError(
            f"stuck_on = {synapse.stuck_on:g} and stuck_off = {synapse.stuck_off:g} are shares of "
            "all cells: together they must be at most 1"
        )
    largest = float(np.max(np.abs(weight)))
    if not largest <= bound * (1 + 1e-9):
        raise ConfigError(
            f"a weight of {largest:g} exceeds the bound of {bound:g} that the conductance range "
            "stands for: clip the weights or raise the bound"
        )
    share = np.stack([np.maximum(weight, 0), np.maximum(-weight, 0)], axis=-1) / bound
    steps = synapse.levels - 1
    share = np.round(share * steps) / steps
    conductance = synapse.min_conductance + synapse.span * share.reshape(len(weight), -1)
    return _with_flaws(conductance, synapse, rng)


def _with_flaws(conductance: np.ndarray, synapse: Synapse, rng: np.random.Generator) -> np.ndarray:
    """Spread, stuck cells, age; each is drawn for every cell, so one does not shift the other."""
    spread = rng.standard_normal(conductance.shape)
    lot = rng.random(conductance.shape)
    conductance = conductance * np.exp(synapse.variation * spread)
    conductance = np.where(lot < synapse.stuck_on, synapse.max_conductance, conductance)
    stuck_off = (lot >= synapse.stuck_on) & (lot < synapse.stuck_on + synapse.stuck_off)
    return synapse.changed(np.where(stuck_off, synapse.min_conductance, conductance), rng)
