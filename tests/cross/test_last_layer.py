"""A last layer on the transistors of `freepdk45`: drives and joules of the circuit and the surface.

Whether latches tell such drives apart is another test (`test_answer`).
"""

from __future__ import annotations

import numpy as np
import pytest

from memspice.analysis.energy import energy_balance
from memspice.analysis.sense_surface import OPTIONS, SenseConditions, with_surfaces
from memspice.analysis.shipped_surfaces import shipped_surface
from memspice.circuits.array_circuit import Stimulus
from memspice.circuits.blocks.sense_design import SenseNeeds
from memspice.circuits.energy_model import closed_form_energy
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.port_array_circuit import PortArrayCircuit
from memspice.circuits.power import event_values, layer_power
from memspice.circuits.sense_bench import ClockedStage
from memspice.circuits.sense_surface import SenseSurface
from memspice.engines import find_engine
from memspice.parameters import load_parameter_set
from tests.cross.test_burst_layer import solved

pytestmark = [pytest.mark.ngspice, pytest.mark.slow]

BURST, OUTPUTS, ROWS = 8, 2, 240
#: What the layer asks for, which is the stage's gain: its rows keep their voltage, [ohm].
GAIN = 438e3
#: Lines of less than a stage is for, and unlike in a pair: unused cells fill them, [S].
LINES = np.array([126e-6, 112e-6, 104e-6, 120e-6])


def shipped(stage: ClockedStage, conditions: SenseConditions) -> SenseSurface:
    found = shipped_surface(stage, conditions)
    assert found is not None, "make surfaces"
    return found


def last_layer() -> LayerCircuit:
    """Two outputs, of which the first has the more conductance in its plus line."""
    chosen = load_parameter_set("fast-memristor", periphery="freepdk45")
    settle, ends = chosen.timing.settle, (LINES.min(), LINES.max())
    needs = SenseNeeds(GAIN, 8e-6, ends, settle, "own", "a test", spiking=False)
    sense = chosen.sense.for_bursts(BURST).sized(needs)
    cells = np.random.default_rng(1).uniform(2e-6, 10e-6, (ROWS, 2 * OUTPUTS))
    layer = LayerCircuit(
        conductances=(cells * LINES / cells.sum(axis=0),),
        array=chosen.array.driven(sense.row_scale, sense.line_level),
        sense=sense,
        bias_voltage=0.0,
        write_limits=(-1.0, 1.0),
        neuron=chosen.neuron,
        latch=chosen.latch,
        timing=chosen.timing,
        spiking=False,
    )
    return with_surfaces([layer], shipped)[0]


def test_drives_of_the_circuit_are_scores() -> None:
    layer, draws = last_layer(), np.random.default_rng(2)
    rows = layer.array.read_voltage * (draws.random((BURST, ROWS)) < 0.4)
    stimulus = Stimulus(rows, np.ones((BURST, OUTPUTS)), burst=BURST)
    waves, array = solved(layer, stimulus, find_engine("ngspice"), OPTIONS), PortArrayCircuit()
    cycles = stimulus.laid_out().cycles
    drive = event_values(layer, stimulus, waves)["drive"]
    # a point of the surface is within 1.56 mV, half of the sag of eight writes as well
    surface = layer.held_drive(rows, BURST)
    np.testing.assert_allclose(drive, surface, atol=3e-3)
    assert (np.abs(surface) > 0.15).all()
    # lines of the array, the gain as it is stated (370 to 386 kohm over the currents)
    current = layer.line_current(rows).mean(axis=0)
    score = current[0::2] - current[1::2]
    assert drive[0, 0] - drive[0, 1] == pytest.approx(GAIN * (score[0] - score[1]), rel=0.05)
    # the circuit's own node, before anything is counted from where it rests
    written = cycles * layer.schedule.cycle - 150e-9
    held = [np.interp(written, waves.time, waves.voltage(f"held{n}")) for n in (0, 1)]
    assert held[0] > held[1] + 0.3
    balance = energy_balance(layer_power(layer, stimulus, array, waves), layer.schedule, cycles)
    assert balance.closure < 1e-3
    joules = closed_form_energy(layer, rows, drive, drive, BURST)
    assert balance.components["sense"].sum() == pytest.approx(joules["sense"].sum(), rel=0.02)
