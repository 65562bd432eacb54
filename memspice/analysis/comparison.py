"""The pathwise rule: spikes of the same events, compared one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy  # its parts are imported when used

from memspice.errors import ShapeError

#: Largest distance ``|H / E - 1|`` at which two fidelities may disagree over a spike.
MARGIN = 0.01
#: Hazard integral that counts as certain, and more as the same: no draw ``E`` of 32 bits is above
#: 22.9, and the models of the circuits let no integral grow far beyond ``e^5`` = 148.
CERTAIN = 100.0
#: Hazard integral below which a relative difference is one of this.  Off by the margin, an integral
#: of 1 leaves ``0.01 / e``, 3.7 events in a thousand open, one of 0.1 leaves 0.9: neurons that
#: hardly switch, at the ends of their drives, are held to that, and not to a hundredth of nothing.
RARE = 0.1


@dataclass(frozen=True)
class PathwiseComparison:
    """Agreement of two simulations of the same events.

    ``worst_margin`` is the largest ``|H / E - 1|`` among the events over which they disagree, 0
    when there is none; ``hazard_deviation`` the largest difference of hazard integrals relative to
    the reference, those above ``CERTAIN`` taken as equal to it, a reference below ``RARE`` as that.
    Where the reference knows hazard integrals with a spread, ``expected`` disagreements follow from
    it; events ``apart``, of which it knows nothing, are none of the ``events``.
    """

    events: int
    mismatches: int
    worst_margin: float
    hazard_deviation: float
    expected: float = 0.0
    apart: int = 0

    @property
    def agrees(self) -> bool:
        """Whether every disagreement lies within the margin."""
        return self.worst_margin <= MARGIN


def compare_spikes(
    spikes: np.ndarray,
    reference_spikes: np.ndarray,
    hazard: np.ndarray,
    reference_hazard: np.ndarray,
    thresholds: np.ndarray,
    *,
    spread: float = 0.0,
    apart: np.ndarray | None = None,
) -> PathwiseComparison:
    """Compare two simulations event by event; all arrays have the same shape.

    Parameters
    ----------
    spikes, reference_spikes : ndarray of bool
        Whether the event ended with a spike.
    hazard, reference_hazard, thresholds : ndarray, [1]
        Hazard integrals of both, and the draws ``E``.
    spread : float, [1]
        Standard deviation of ``ln H`` about that of the reference.
    apart : ndarray of bool, optional
        Events that are counted, and not compared.

    Raises
    ------
    ShapeError
        If the shapes differ.
    """
    own = np.zeros(np.shape(spikes), bool) if apart is None else apart
    arrays = (spikes, reference_spikes, hazard, reference_hazard, thresholds, own)
    shapes = {np.shape(array) for array in arrays}
    if len(shapes) != 1:
        raise ShapeError(f"events to compare have different shapes: {sorted(shapes)}")
    compared = (array[~own] for array in map(np.asarray, arrays[:-1]))
    spikes, reference_spikes, hazard, reference_hazard, thresholds = compared
    differ = spikes != reference_spikes
    distance = np.maximum(
        np.abs(hazard / thresholds - 1), np.abs(reference_hazard / thresholds - 1)
    )
    apart = np.minimum(hazard, CERTAIN) - np.minimum(reference_hazard, CERTAIN)
    deviation = np.abs(apart) / np.clip(reference_hazard, RARE, CERTAIN)
    return PathwiseComparison(
        events=int(np.size(spikes)),
        mismatches=int(differ.sum()),
        worst_margin=float(np.max(distance[differ], initial=0.0)),
        hazard_deviation=float(np.max(deviation, initial=0.0)),
        expected=_expected(reference_hazard / thresholds, spread),
        apart=int(own.sum()),
    )


def _expected(ratio: np.ndarray, spread: float) -> float:
    """Disagreements to be expected where ``ln H`` is normal about that of a reference.

    Parameters
    ----------
    ratio : ndarray, [1]
        ``H / E`` of the reference.
    spread : float, [1]
        Standard deviation of ``ln H``.
    """
    if spread == 0:
        return 0.0
    distance = np.abs(np.log(np.maximum(ratio, np.finfo(float).tiny))) / spread
    return float(scipy.special.ndtr(-distance).sum())


def merge(comparisons: list[PathwiseComparison]) -> PathwiseComparison:
    """Comparison of all events of several."""
    return PathwiseComparison(
        events=sum(item.events for item in comparisons),
        mismatches=sum(item.mismatches for item in comparisons),
        worst_margin=max((item.worst_margin for item in comparisons), default=0.0),
        hazard_deviation=max((item.hazard_deviation for item in comparisons), default=0.0),
        expected=sum(item.expected for item in comparisons),
        apart=sum(item.apart for item in comparisons),
    )
