"""Stage E3 as a user's block, without Python: a table and a subcircuit, through the fidelities."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest

from memspice.analysis.energy import energy_balance
from memspice.analysis.sense_surface import measure_sense_surface, with_surfaces
from memspice.circuits.array_circuit import Stimulus
from memspice.circuits.blocks.sense_design import SenseNeeds
from memspice.circuits.energy_model import closed_form_energy
from memspice.circuits.layer import LayerCircuit
from memspice.engines import find_engine
from memspice.errors import ConfigError
from memspice.jobs import Execution, open_runner
from memspice.parameters import load_parameter_set
from memspice.windows.simulated import solver_options
from tests.helpers import simulate

pytestmark = [pytest.mark.ngspice, pytest.mark.slow]

OWN = Path(__file__).parents[1] / "data" / "own_sense.toml"
CYCLES, OUTPUTS, ROWS = 16, 4, 24
LINE = 150e-6  # S


def unmeasured_layer(
    path: Path = OWN, *, spread: float = 0.0, outputs: int = OUTPUTS, count: int = 1
) -> LayerCircuit:
    """Neurons on lines of so many times 150 uS, give or take a share; rows of 0.1 V."""
    chosen = load_parameter_set(str(path))
    ends = (count * LINE * (1 - spread), count * LINE * (1 + spread))
    needs = SenseNeeds(28e3 / count, 8e-6, ends, chosen.timing.settle, "own", "a test")
    cells = np.random.default_rng(1).uniform(2e-6, 10e-6, (ROWS, 2 * outputs))
    lines = count * LINE * np.linspace(1 - spread, 1 + spread, 2 * outputs)
    return LayerCircuit(
        conductances=(cells * lines / cells.sum(axis=0),),
        array=chosen.array,
        sense=chosen.sense.sized(needs),
        bias_voltage=1.2,
        write_limits=(0.0, 1.62),
        neuron=chosen.neuron,
        latch=chosen.latch,
        timing=chosen.timing,
        spiking=True,
    )


def own_layer(path: Path = OWN, spread: float = 0.0) -> LayerCircuit:
    """Four neurons whose sense stage is measured."""
    layer = unmeasured_layer(path, spread=spread)
    with open_runner(find_engine("ngspice"), Execution()) as runner:
        return with_surfaces([layer], partial(measure_sense_surface, runner=runner))[0]


@cache
def uneven_layer() -> LayerCircuit:
    """The same on lines that differ by 15 % either way."""
    return own_layer(spread=0.15)


@pytest.mark.vacask
@pytest.mark.parametrize(
    ("fidelity", "engine", "cycles"),
    [("reduced", "ngspice", CYCLES), ("full", "ngspice", 4), ("reduced", "vacask", 4)],
)
def test_surrogate_and_circuit_agree(fidelity: str, engine: str, cycles: int) -> None:
    """Over 64 events of a reduced deck; over fewer ones of the others."""
    layer, draws = uneven_layer(), np.random.default_rng(2)
    rows = 0.08 * (draws.random((cycles, ROWS)) < 0.35)
    stimulus = Stimulus(rows, draws.exponential(size=(cycles, OUTPUTS)))
    hazard = np.exp(layer.log_hazard(layer.drive_voltage(rows)))
    options = solver_options(layer.timing)
    found = simulate(layer, stimulus, fidelity, options, find_engine(engine))
    # the margin within which a spike may differ
    np.testing.assert_allclose(found.hazard, hazard, rtol=0.01)
    expected = hazard >= stimulus.thresholds
    assert 0.1 < expected.mean() < 0.9
    differ = found.spikes != expected
    assert (np.abs(hazard / stimulus.thresholds - 1)[differ] < 0.01).all()
    balance = energy_balance(found.power, layer.schedule, cycles)
    assert balance.closure < 1e-3
    energy = closed_form_energy(layer, rows, hazard, stimulus.thresholds)
    sense, crossbar = balance.components["sense"], balance.components["crossbar"]
    # What lines and wells keep from the cycle before is not the surrogate's: 1 % of a cycle.  The
    # other engine's steps are 0.7 % apart.
    np.testing.assert_allclose(sense, energy["sense"], rtol=0.02)
    assert sense.sum() == pytest.approx(energy["sense"].sum(), rel=0.01)
    # Lines are taken in turn; without what that relieves cells of, it would be 25 % more.
    assert crossbar.sum() == pytest.approx(energy["crossbar"].sum(), rel=0.01)


def test_a_block_that_floats_from_cycle_to_cycle_is_refused_with_the_number(tmp_path: Path) -> None:
    text = OWN.read_text(encoding="utf-8")
    # rs sets the drive to vbias; 0.1 ns of it do not
    for name, high in (("rs", "0.1e-9, 9.4e-9"), ("rsn", "9.4e-9, 0.1e-9")):
        short = high.replace("9.4e-9", "0.2e-9")
        assert f"{name} = [[{high}]]" in text
        text = text.replace(f"{name} = [[{high}]]", f"{name} = [[{short}]]")
    (tmp_path / "own_sense.lib").write_bytes(OWN.with_name("own_sense.lib").read_bytes())
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"own_sense depends on what the cycle before .* mV at"):
        own_layer(tmp_path / "own.toml")
