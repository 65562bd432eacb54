"""Operating point of a wired crossbar of cells with a non-linear I-V curve.

Newton's method around the elimination of the linear crossbar: in each step a cell is its slope
dI/dV in parallel to the current source that makes up for the rest, and the crossbar of these is
solved exactly.  Wires, drivers and senses are linear, so any mean of two solutions obeys
Kirchhoff's laws with the mean of their cell currents; all that is left to converge is the
difference between those currents and the I-V curve.  With cells whose current rises with their
voltage the circuit's co-content is convex, and a step that does not lower it is cut short: Newton
then converges from anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from memspice.errors import ConfigError, ConvergenceError
from memspice.solver.array_checks import checked_conductance, checked_resistance
from memspice.solver.crossbar_solution import checked_sources
from memspice.solver.elimination import WiredArray
from memspice.solver.reduction import one_blas_thread
from memspice.solver.substitution import LinearCrossbar

Array = NDArray[np.float64]

#: A step is cut short until co-content falls at less than this share of its first rate, or rises
#: by no more.
_FLATTEST = 0.5
#: Halvings of one step: beyond them the I-V curve is not the integral of its slope.
_MOST_CUTS = 40
#: Residual that rounding alone leaves of the sums of the largest currents.
_ROUNDING = 1e-14


class RisingCurve(Protocol):
    """I-V curve of cells that differ in their conductance at 0 V."""

    def current(self, voltage: Array, conductance: Array) -> Array:
        """Current [A] at a voltage [V] across cells of a conductance [S] at 0 V."""
        ...

    def slope(self, voltage: Array, conductance: Array) -> Array:
        """Derivative of the current by the voltage [S]; never negative."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class NonlinearSolution:
    """Operating point of a crossbar of non-linear cells.

    ``inputs`` below is there only if the voltages had a second axis.

    Parameters
    ----------
    output_current : ndarray, shape (n_cols[, inputs]), [A]
        Out of each bit line into the sense resistance; positive for positive inputs.
    word_line_voltage, bit_line_voltage : ndarray, shape (n_rows, n_cols[, inputs]), [V]
        At the two terminals of each cell.
    device_current : ndarray, shape (n_rows, n_cols[, inputs]), [A]
        Through each cell from word line to bit line.
    residual : ndarray, shape () or (inputs,)
        Largest difference of a cell's current from its curve, by the largest cell current.
    steps : ndarray of int, shape () or (inputs,)
        Crossbars solved.
    """

    output_current: Array
    word_line_voltage: Array
    bit_line_voltage: Array
    device_current: Array
    residual: Array
    steps: NDArray[np.int64]


class _Point(NamedTuple):
    """Voltages and currents that obey Kirchhoff's laws, whatever the cells would let through."""

    output: Array
    word: Array
    bit: Array
    current: Array
    voltage: Array

    def towards(self, other: _Point, share: float) -> _Point:
        """Mean of two points, all of the other at a share of 1."""
        if share == 1.0:
            return other
        return _Point(*(own + share * (new - own) for own, new in zip(self, other, strict=True)))


@dataclass(frozen=True, eq=False)
class _WiredCells:
    """Cells between their wires, and when to be content."""

    curve: RisingCurve
    conductance: Array
    wires: tuple[float, float, float, float]
    tolerance: float
    most_steps: int

    def current(self, voltage: Array) -> Array:
        """Current of each cell by its curve."""
        with np.errstate(over="ignore", invalid="ignore"):
            found = np.asarray(self.curve.current(voltage, self.conductance), dtype=np.float64)
        return self._checked("current", found, "A")

    def slope(self, voltage: Array) -> Array:
        """Slope of each cell's curve."""
        with np.errstate(over="ignore", invalid="ignore"):
            found = np.asarray(self.curve.slope(voltage, self.conductance), dtype=np.float64)
        found = self._checked("slope", found, "S")
        if np.any(found < 0.0):
            raise ConfigError(
                f"a cell's current falls with its voltage (slope {found.min():.3g} S); only cells "
                f"whose current never falls have one operating point"
            )
        return found

    def _checked(self, name: str, found: Array, unit: str) -> Array:
        if found.shape != self.conductance.shape:
            raise ConfigError(
                f"{type(self.curve).__name__}.{name} has shape {found.shape} for cells of shape "
                f"{self.conductance.shape}; return one value for each cell"
            )
        if not np.all(np.isfinite(found)):
            raise ConvergenceError(
                f"a cell's {name} is not a finite number of {unit}; lower the source voltages, "
                f"or give a curve that can be computed up to them"
            )
        return found

    def linearised(self, voltage: Array, sources: Array) -> _Point:
        """Solve the crossbar of the tangents at the given cell voltages."""
        slope = self.slope(voltage)
        linear = LinearCrossbar(WiredArray.build(slope, *self.wires))
        rest = self.current(voltage) - slope * voltage
        output, state = linear.solve(sources[:, np.newaxis], rest[:, :, np.newaxis])
        return _Point(output[:, 0], *(part[:, :, 0] for part in state))


def solve_nonlinear_crossbar(
    conductance: ArrayLike,
    curve: RisingCurve,
    voltage: ArrayLike,
    wire_resistance_row: float,
    wire_resistance_col: float,
    driver_resistance: float = 0.0,
    sense_resistance: float = 0.0,
    *,
    tolerance: float = 1e-12,
    most_steps: int = 60,
) -> NonlinearSolution:
    """Solve a crossbar of non-linear cells, column ends grounded through their sense resistance.

    Parameters
    ----------
    conductance : array_like, shape (n_rows, n_cols), [S]
        Of each cell at 0 V; row 0 is farthest from the outputs, column 0 nearest to the inputs.
    curve : RisingCurve
        What a cell of that conductance lets through.
    voltage : array_like, shape (n_rows,) or (n_rows, inputs), [V]
        Of the source of each row, for one or several inputs, each of which is solved by itself.
    wire_resistance_row : float, [ohm]
        Of the word-line segment before each cell, the first too.
    wire_resistance_col : float, [ohm]
        Of the bit-line segment after each cell, the last too.
    driver_resistance, sense_resistance : float, [ohm]
        Between source and first segment of each row, and between last segment and ground of
        each column.
    tolerance : float
        Largest residual, as in `NonlinearSolution`.
    most_steps : int
        Crossbars that may be solved for one input.

    Returns
    -------
    NonlinearSolution

    Raises
    ------
    ConfigError
        If a value is out of range as in `memspice.solver.crossbar_solution.solve_crossbar`, the
        tolerance is not between 1e-14 and 1, no step is allowed, or a cell's current falls with
        its voltage.
    ConvergenceError
        If the residual does not come down to the tolerance, or a current is not finite.
    ShapeError
        If an array is empty or of the wrong shape.

    Notes
    -----
    A step costs as much as one elimination of the crossbar.  Curves as steep as a sinh of
    ``V / V0`` take about ``V / V0`` steps, and four where V is twice V0.  Valid for cells at rest.

    Examples
    --------
    >>> class Ohmic:
    ...     def current(self, voltage, conductance):
    ...         return conductance * voltage
    ...
    ...     def slope(self, voltage, conductance):
    ...         return conductance
    >>> found = solve_nonlinear_crossbar([[1e-3]], Ohmic(), [1.0], 250.0, 250.0, 500.0)
    >>> round(found.output_current.item(), 12)
    0.0005
    """
    cells = checked_conductance(conductance)
    sources = checked_sources(voltage, len(cells))
    wires = (
        checked_resistance("wire_resistance_row", wire_resistance_row),
        checked_resistance("wire_resistance_col", wire_resistance_col),
        checked_resistance("driver_resistance", driver_resistance),
        checked_resistance("sense_resistance", sense_resistance),
    )
    if not _ROUNDING <= tolerance < 1.0:
        raise ConfigError(f"tolerance = {tolerance} is not between {_ROUNDING:g} and 1")
    if most_steps < 1:
        raise ConfigError(f"most_steps = {most_steps} is less than 1; allow at least one step")
    problem = _WiredCells(curve, cells, wires, tolerance, most_steps)
    with one_blas_thread():
        found = [_solve(problem, column) for column in sources.reshape(len(sources), -1).T]
    points, residuals, steps = zip(*found, strict=True)
    several = sources.ndim == 2
    output, word, bit, current, _ = (
        np.stack(parts, axis=-1) if several else parts[0] for parts in zip(*points, strict=True)
    )
    shape = sources.shape[1:]
    return NonlinearSolution(
        output_current=output,
        word_line_voltage=word,
        bit_line_voltage=bit,
        device_current=current,
        residual=np.reshape(residuals, shape),
        steps=np.reshape(steps, shape),
    )


def _solve(problem: _WiredCells, sources: Array) -> tuple[_Point, float, int]:
    """Newton's method for one input; return the point, its residual and the steps taken."""
    point = problem.linearised(np.zeros_like(problem.conductance), sources)
    for step in range(1, problem.most_steps + 1):
        residual = _residual(problem, point)
        if residual <= problem.tolerance:
            return point, residual, step
        target = problem.linearised(point.voltage, sources)
        point = point.towards(target, _share(problem, point, target))
    raise ConvergenceError(
        f"the cell currents still differ from their curve by {residual:.1e} of the largest after "
        f"{problem.most_steps} steps (tolerance {problem.tolerance:.1e}); raise most_steps or the "
        f"tolerance, or check that slope is the derivative of current"
    )


def _residual(problem: _WiredCells, point: _Point) -> float:
    """Largest deviation of a cell's current from its curve, by the largest current."""
    by_curve = problem.current(point.voltage)
    largest = float(np.max(np.abs(by_curve)))
    deviation = float(np.max(np.abs(by_curve - point.current)))
    return deviation / largest if largest > 0.0 else deviation


def _share(problem: _WiredCells, point: _Point, target: _Point) -> float:
    """Share of the step to the target after which the co-content is no longer falling steeply."""
    first = _rate(problem, point, target, 0.0)
    share = 1.0
    for _ in range(_MOST_CUTS):
        rate = _rate(problem, point, target, share)
        if rate <= _FLATTEST * abs(first):
            return share
        share *= 0.5
    raise ConvergenceError(
        "no part of a Newton step brings the cell currents nearer to their curve; check that "
        "slope is the derivative of current"
    )


def _rate(problem: _WiredCells, point: _Point, target: _Point, share: float) -> float:
    """Rate of the co-content along a step: residual currents times the step of the voltages.

    It rises along the step, from a value below zero.
    """
    here = point.towards(target, share)
    residual = problem.current(here.voltage) - here.current
    return float(np.sum(residual * (target.voltage - point.voltage)))
