"""Maximum likelihood: laws of switching fitted to measured points, with what they are worth.

Confidence intervals are the range of a value over all laws whose ``-2 ln L`` is within 3.84 of the
least: those of the profile likelihood [1]_.  Laws are compared by the corrected Akaike criterion
``AICc`` [2]_, and each is judged by itself: by its deviance as a chi-square, or, where counts are
small and for times, by how often points drawn from the fitted law and fitted again are as far off.

References
----------
.. [1] D. J. Venzon and S. H. Moolgavkar, Appl. Stat. 37, 87 (1988).
.. [2] C. M. Hurvich and C.-L. Tsai, Biometrika 76, 297 (1989).
.. [3] J. Besag and P. Clifford, Biometrika 78, 301 (1991).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import chdtrc, chdtri

from memspice.analysis.points import SwitchingPoints
from memspice.analysis.statistics import LEVEL
from memspice.devices.switching_laws import LawQuantity, SwitchingLaw
from memspice.errors import ConfigError

#: Sets of points as far off that say enough of a law: the draws then end [3]_.
ENOUGH = 20
#: Rise of ``-2 ln L`` that ends a 95 % interval: quantile of chi-square with one degree.
RISE = float(chdtri(1, 0.05))
#: Most searches for one end of an interval, each from where the last one stopped.
_AGAIN = 6
_FREE = 1e-7  # distance from a bound, relative, within which a coordinate stands on it


@dataclass(frozen=True)
class FittedValue:
    """A value with its 95 % interval, in the unit of the quantity.

    An end is None where the points do not bound it.
    """

    quantity: LawQuantity
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, eq=False)
class FittedLaw:
    """A law with the parameters under which the points are likeliest.

    Parameters
    ----------
    law : SwitchingLaw
        The law.
    coordinates : ndarray
        Its parameters, in its own coordinates.
    misfit : float
        ``-2 ln L``; of counts the deviance.
    degrees : int
        Points less parameters.
    p_value : float
        Probability of points as far off if the law holds.
    judged_by : str
        How that was found.
    criterion : float
        ``AICc``, for comparing laws.
    values : tuple of FittedValue
        What it says, with intervals.
    """

    law: SwitchingLaw
    coordinates: np.ndarray
    misfit: float
    degrees: int
    p_value: float
    judged_by: str
    criterion: float
    values: tuple[FittedValue, ...]

    @property
    def rejected(self) -> bool:
        """Whether the points speak against the law."""
        return self.p_value <= LEVEL

    def value(self, name: str) -> float:
        """A reported value by name."""
        return next(item.value for item in self.values if item.quantity.name == name)


def fit_laws(
    points: SwitchingPoints,
    *,
    repeats: int = 499,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> list[FittedLaw]:
    """Fit laws to points, the one to choose first.

    Parameters
    ----------
    points : SwitchingPoints
        Of one device and direction.
    repeats : int
        Sets of points that are drawn where a bootstrap judges a law.
    seed : int
        Of those draws.
    progress : callable, optional
        Takes the number of laws done and of all.

    Returns
    -------
    list of FittedLaw
        By rising ``AICc``; laws with too many parameters for the points are left out.

    Raises
    ------
    ConfigError
        If there are too few points for any, or they cannot tell a law.
    """
    points.check()
    fitted = []
    for number, kind in enumerate(points.laws, start=1):
        law = kind(points.reference_time)
        if len(points) >= law.size + 2:
            fitted.append(fit_law(points, law, repeats=repeats, seed=[seed, number]))
        if progress:
            progress(number, len(points.laws))
    if not fitted:
        least = min(len(kind.bounds) for kind in points.laws) + 2
        raise ConfigError(f"{len(points)} points are too few for a law: give at least {least}")
    return sorted(fitted, key=lambda item: item.criterion)


def fit_law(
    points: SwitchingPoints, law: SwitchingLaw, *, repeats: int, seed: int | list[int] = 0
) -> FittedLaw:
    """One law with all that is said of it.

    Parameters
    ----------
    points : SwitchingPoints
        At least two more than the law has parameters.
    law : SwitchingLaw
        Which.
    repeats, seed
        Of the sets of points that are drawn where a bootstrap judges it.
    """
    misfit, best = best_coordinates(points, law)
    p_value, judged_by = _judge(points, law, best, repeats, np.random.default_rng(seed))
    count, size = len(points), law.size
    return FittedLaw(
        law=law,
        coordinates=best,
        misfit=misfit,
        degrees=count - size,
        p_value=p_value,
        judged_by=judged_by,
        criterion=misfit + 2 * size + 2 * size * (size + 1) / (count - size - 1),
        values=_values(points, law, best, misfit),
    )


def best_coordinates(
    points: SwitchingPoints, law: SwitchingLaw, start: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Least misfit and its coordinates, from one start or from all of the law's own."""
    middle, scale = points.start()
    starts = law.starts(middle, scale) if start is None else [start]
    found = [_descend(points, law, np.clip(begin, *_box(law)), scale) for begin in starts]
    return min(found, key=lambda item: item[0])


def _box(law: SwitchingLaw) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.array([item[:2] for item in law.bounds]).T
    return low, high


def _descend(
    points: SwitchingPoints, law: SwitchingLaw, begin: np.ndarray, scale: float
) -> tuple[float, np.ndarray]:
    """Go down from one start."""
    unit, (low, high) = law.units(scale), _box(law)
    best = begin
    for _ in range(3):  # again from where it stopped, until that is a minimum
        origin = best

        def misfit(step: np.ndarray, origin: np.ndarray = origin) -> float:
            return min(points.misfit(law, np.clip(origin + unit * step, low, high)), 1e12)

        limits = list(zip((low - origin) / unit, (high - origin) / unit, strict=True))
        found = minimize(
            misfit, np.zeros(law.size), method="SLSQP", bounds=limits,
            options={"maxiter": 300, "ftol": 1e-9},
        )  # fmt: skip
        best = np.clip(origin + unit * found.x, low, high)
        if misfit(np.zeros(law.size)) - found.fun < 1e-6:
            break
    return points.misfit(law, best), best


def _values(
    points: SwitchingPoints, law: SwitchingLaw, best: np.ndarray, misfit: float
) -> tuple[FittedValue, ...]:
    """Reported values with the ends of their intervals."""
    region = _Region(points, law, best, misfit)
    found = []
    for number, (quantity, value) in enumerate(zip(law.quantities, law.values(best), strict=True)):
        low, high = (region.end(number, sign) for sign in (-1.0, 1.0))
        found.append(FittedValue(quantity, float(value), low, high))
    return tuple(found)


class _Region:
    """Laws whose misfit is within ``RISE`` of the least, in coordinates scaled to about one."""

    def __init__(
        self, points: SwitchingPoints, law: SwitchingLaw, best: np.ndarray, misfit: float
    ) -> None:
        self._points, self._law, self._best, self._misfit = points, law, best, misfit
        self._low, self._high = _box(law)
        self._unit = law.units(points.start()[1])
        self._limits = (self._low - best) / self._unit, (self._high - best) / self._unit
        self._axes = _axes(self._rise, law.size)

    def _at(self, step: np.ndarray) -> np.ndarray:
        return np.asarray(np.clip(self._best + self._unit * step, self._low, self._high))

    def _rise(self, step: np.ndarray) -> float:
        """Misfit above the least; that is 0 at no step."""
        return min(self._points.misfit(self._law, self._at(step)) - self._misfit, 1e6)

    def end(self, number: int, sign: float) -> float | None:
        """Least (-1) or largest (+1) value of a reported quantity within the region.

        None where a coordinate stands at the end of its range, which is not the law's own.
        """
        log = self._law.quantities[number].positive

        def value(step: np.ndarray) -> float:
            found = self._law.values(self._at(step))[number]
            return math.log(max(found, 1e-300)) if log else float(found)

        step = self._snapped(self._extreme(lambda step: -sign * value(step)))
        if step is None or self._stands_outside(self._at(step)):
            return None
        return math.exp(value(step)) if log else value(step)

    def _extreme(self, cost: Callable[[np.ndarray], float]) -> np.ndarray | None:
        """Step of least cost within the region: the best that several searches find."""
        centre = np.zeros(self._law.size)
        slope = self._axes.T @ _gradient(cost, centre)
        size = max(float(np.linalg.norm(slope)), 1e-12)
        best, least = None, cost(centre) - 1e-9 * size
        for share in (1.0, 0.6, 0.2):
            wanted = self._axes @ (-share * math.sqrt(RISE) * slope / size)
            turned = np.linalg.solve(self._axes, np.clip(wanted, *self._limits))
            for _ in range(_AGAIN):  # a search stops at kinks, from where another goes on
                turned = self._search(cost, size, turned)
                step = np.asarray(self._axes @ turned)
                if self._rise(step) > RISE * 1.001 or not cost(step) < least - 1e-4 * size:
                    break
                best, least = step, cost(step)
            if best is not None and self._rise(best) > RISE * 0.99:
                break
        on_edge = np.any(self._room(centre) <= _FREE)
        return centre if best is None and on_edge else best

    def _search(
        self, cost: Callable[[np.ndarray], float], size: float, start: np.ndarray
    ) -> np.ndarray:
        """One search for the least cost within the region, in turned coordinates."""
        found = minimize(
            lambda turned: cost(self._axes @ turned) / size,
            start,
            method="SLSQP",
            constraints=[
                {"type": "ineq", "fun": lambda turned: RISE - self._rise(self._axes @ turned)},
                {"type": "ineq", "fun": lambda turned: self._room(self._axes @ turned)},
            ],
            options={"maxiter": 200, "ftol": 1e-7},
        )
        return np.asarray(found.x)

    def _snapped(self, step: np.ndarray | None) -> np.ndarray | None:
        """Put what is as good as at an end of its range there."""
        if step is None:
            return None
        low, high = self._limits
        step = np.where(step - low < 1e-6, low, step)
        return np.where(high - step < 1e-6, high, step)

    def _room(self, step: np.ndarray) -> np.ndarray:
        """How far coordinates are within their ranges."""
        return np.concatenate([step - self._limits[0], self._limits[1] - step])

    def _stands_outside(self, coordinates: np.ndarray) -> bool:
        """Whether a coordinate is at an end that only the search has."""
        near = _FREE * (1 + np.abs(coordinates))
        for item, value, margin in zip(self._law.bounds, coordinates, near, strict=True):
            at_low = value <= item.low + margin and not item.low_is_real
            at_high = value >= item.high - margin and not item.high_is_real
            if at_low or at_high:
                return True
        return False


def _gradient(function: Callable[[np.ndarray], float], at: np.ndarray) -> np.ndarray:
    """Central differences in unit coordinates."""
    steps = 1e-4 * np.eye(len(at))
    return np.array([(function(at + step) - function(at - step)) / 2e-4 for step in steps])


def _axes(misfit: Callable[[np.ndarray], float], size: int) -> np.ndarray:
    """Steps that each raise a misfit by about one; bounded where it is flat."""
    step = 0.02
    units = step * np.eye(size)
    curvature = np.empty((size, size))
    for i in range(size):
        for j in range(size):
            plus, minus = units[i] + units[j], units[i] - units[j]
            terms = misfit(plus) - misfit(minus) - misfit(-minus) + misfit(-plus)
            curvature[i, j] = terms / (4 * step**2)
    values, vectors = np.linalg.eigh(curvature / 2)
    return np.asarray(vectors / np.sqrt(np.maximum(values, 0.02)))


def _judge(
    points: SwitchingPoints,
    law: SwitchingLaw,
    best: np.ndarray,
    repeats: int,
    rng: np.random.Generator,
) -> tuple[float, str]:
    """Probability of points as far off, and how it was found."""
    statistic, worse = points.statistic(law, best), 0
    if points.is_chi_square(law, best):
        degrees = len(points) - law.size
        return float(chdtrc(degrees, statistic)), f"chi-square with {degrees} degrees"
    for done in range(1, repeats + 1):
        drawn = points.draw(law, best, rng)
        _, again = best_coordinates(drawn, law, best)
        worse += drawn.statistic(law, again) >= statistic
        if worse == ENOUGH:
            return worse / done, f"{done} sets of points drawn from it and fitted"
    return (1 + worse) / (1 + repeats), f"{repeats} sets of points drawn from it and fitted"
