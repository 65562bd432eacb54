"""Crossbars of non-linear cells against ngspice's operating point, cells as B-sources."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from memspice.devices.synapse_iv import CubicCell, SinhCell
from memspice.solver.nonlinear_solution import RisingCurve, solve_nonlinear_crossbar

Array = NDArray[np.float64]
Wires = tuple[float, float, float, float]

# ngspice stops when its last step is below reltol (1e-9) of each voltage and current; Newton is
# quadratic, so what is left is smaller, but for rounding of currents of 1e-6 A on wires of 1 S.
TOLERANCE = 1e-6

#: Curve and its SPICE expression, with {g} for the conductance and {v} for the voltage.
CURVES: dict[str, tuple[RisingCurve, str]] = {
    "sinh": (SinhCell(voltage_scale=0.1), "{g}*0.1*sinh({v}/0.1)"),
    "cubic": (CubicCell(cubic_coefficient=20.0), "{g}*({v}+20*{v}*{v}*{v})"),
}


def build(conductance: Array, expression: str, voltage: Array, wires: Wires) -> str:
    """Write the deck: every cell a B-source, every segment, driver and sense a resistor."""
    row, col, driver, sense = wires
    rows, cols = conductance.shape
    lines = ["crossbar of B-source cells"]
    for i in range(rows):
        lines.append(f"Vin{i} in{i} 0 DC {float(voltage[i])!r}")
        lines.append(f"Rd{i} in{i} r{i} {driver!r}")
        for j in range(cols):
            before = f"w{i}_{j - 1}" if j else f"r{i}"
            after = f"b{i + 1}_{j}" if i + 1 < rows else f"c{j}"
            lines.append(f"Rw{i}_{j} {before} w{i}_{j} {row!r}")
            lines.append(f"Rb{i}_{j} b{i}_{j} {after} {col!r}")
            across = f"V(w{i}_{j},b{i}_{j})"
            current = expression.format(g=repr(float(conductance[i, j])), v=across)
            lines.append(f"B{i}_{j} w{i}_{j} b{i}_{j} I={current}")
    for j in range(cols):
        lines += [f"Rs{j} c{j} out{j} {sense!r}", f"Vout{j} out{j} 0 DC 0"]
    currents = " ".join(f"i(Vout{j})" for j in range(cols))
    lines += [
        ".options reltol=1e-9 abstol=1e-18 vntol=1e-12",
        ".control", "set numdgt=15", "op", f"print {currents}", "quit 0", ".endc", ".end",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def operating_point(deck: str, cols: int, folder: Path) -> Array:
    """Run ngspice; return the column currents, all of which must be there."""
    (folder / "deck.cir").write_text(deck)
    run = subprocess.run(
        ["ngspice", "-n", "-b", "deck.cir"],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "warning" not in (run.stdout + run.stderr).lower(), run.stdout + run.stderr
    found = {}
    for line in run.stdout.splitlines():
        name, equals, value = line.partition(" = ")
        if equals and name.startswith("i(vout"):
            found[name] = float(value)
    return np.array([found[f"i(vout{j})"] for j in range(cols)])


@pytest.mark.ngspice
@pytest.mark.parametrize("wires", [(1.06, 1.06, 120.0, 10.0), (500.0, 800.0, 1e3, 2e3)])
@pytest.mark.parametrize("shape", [(1, 1), (6, 8), (9, 4)])
@pytest.mark.parametrize("curve", CURVES)
def test_the_output_currents_are_those_of_ngspice(
    curve: str, shape: tuple[int, int], wires: Wires, tmp_path: Path
) -> None:
    rng = np.random.default_rng(sum(shape))
    conductance = rng.uniform(1e-6, 20e-6, shape)
    voltage = rng.uniform(0.1, 0.6, shape[0])
    cells, expression = CURVES[curve]
    expected = operating_point(build(conductance, expression, voltage, wires), shape[1], tmp_path)
    found = solve_nonlinear_crossbar(conductance, cells, voltage, *wires)
    assert found.output_current == pytest.approx(expected, rel=TOLERANCE)
    # The curve matters: ohmic cells of the same conductance would be far off.
    assert np.all(expected > 1.05 * linear_output(conductance, voltage, wires))


def linear_output(conductance: Array, voltage: Array, wires: Wires) -> Array:
    ohmic = CubicCell(cubic_coefficient=0.0)
    return solve_nonlinear_crossbar(conductance, ohmic, voltage, *wires).output_current
