"""Synapse devices: from weights to differential conductances, with the flaws of real cells."""

from __future__ import annotations

import numpy as np

from memspice.devices.drift import CellConditions
from memspice.errors import ConfigError
from memspice.quantities import quantity


class Synapse(CellConditions):
    """Programmable resistive cell between ``min_conductance`` and ``max_conductance``.

    Flaws are applied in this order: rounding to ``levels``, log-normal device-to-device spread
    (which may lead beyond the ends of the range), stuck cells; then age and temperature.  With
    ``pair_correction`` writing has shown which cells are stuck, and the other cell of the pair is
    programmed so that the difference is as near to the weight as it gets.
    """

    min_conductance: float = quantity("S", "Conductance of weight zero", gt=0)
    max_conductance: float = quantity("S", "Conductance of the largest weight", gt=0)
    levels: int = quantity("1", "Programmable levels, both ends included", ge=2)
    variation: float = quantity("1", "Sigma of ln(G), device to device", ge=0, default=0.0)
    stuck_on: float = quantity("1", "Share of cells stuck at the maximum", ge=0, le=1, default=0.0)
    stuck_off: float = quantity("1", "Share of cells stuck at the minimum", ge=0, le=1, default=0.0)
    pair_correction: int = quantity(
        "1", "1: a stuck cell is known, its partner programmed against it", ge=0, le=1, default=0
    )

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
    # Each flaw is drawn for every cell, so that one does not shift the other.
    spread = rng.standard_normal(share.shape)
    lot = rng.random(share.shape)
    on = lot < synapse.stuck_on
    off = ~on & (lot < synapse.stuck_on + synapse.stuck_off)
    if synapse.pair_correction:
        share = _against_stuck(share, on, off)
    steps = synapse.levels - 1
    programmed = synapse.min_conductance + synapse.span * np.round(share * steps) / steps
    conductance = programmed * np.exp(synapse.variation * spread)
    conductance[on], conductance[off] = synapse.max_conductance, synapse.min_conductance
    return synapse.changed(conductance.reshape(len(weight), -1), rng)


def _against_stuck(share: np.ndarray, on: np.ndarray, off: np.ndarray) -> np.ndarray:
    """Shares (..., 2) of pairs whose stuck cells are known: the nearest difference that is left."""
    stuck = np.where(on, 1.0, np.where(off, 0.0, share))
    wanted = share[..., 0] - share[..., 1]
    partners = np.stack([stuck[..., 1] + wanted, stuck[..., 0] - wanted], axis=-1)
    free = ~(on | off) & (on | off)[..., ::-1]
    return np.where(free, np.clip(partners, 0.0, 1.0), stuck)
