"""Where the drive of a stage meets a neuron: of one sign they are wired, else named as ideal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from memspice.circuits.array_circuit import Stimulus
from memspice.circuits.blocks.subcircuit import SubcircuitStage
from memspice.circuits.energy_model import neuron_energy, neurons_of_layer
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.netlists import layer_deck
from memspice.circuits.port_array_circuit import PortArrayCircuit
from memspice.errors import ConfigError
from memspice.parameters import load_parameter_set
from tests.cross.test_burst_layer import PULSES, REST, ROWS, burst_layer, burst_stage
from tests.helpers import changed, small_layer, switched_set

DRAWS = np.ones((PULSES, 1))


def deck_of(layer: LayerCircuit) -> str:
    burst = PULSES if isinstance(layer.sense, SubcircuitStage) else 1
    rows = ROWS if burst > 1 else np.zeros((PULSES, layer.rows))
    draws = DRAWS.repeat(layer.outputs, axis=1)
    return str(layer_deck(layer, Stimulus(rows, draws, burst=burst), PortArrayCircuit()))


def level(text: str, name: str) -> float:
    """Value of a source of a deck."""
    line = next(line for line in text.splitlines() if line.startswith(f"V{name} "))
    return float(line.split()[-1])


def test_a_falling_drive_is_wired_to_a_neuron_that_it_writes() -> None:
    layer = burst_layer()
    text = deck_of(layer)
    assert "facing" not in text
    assert "Vshift0 drive0 held0 0" in text
    assert "Rload0" not in text
    # nothing moves the drive: the stage rests where the neuron has its bias voltage
    assert level(text, "sense_vrest") == 0.55
    assert level(text, "s0_vrest") == pytest.approx(0, abs=1e-12)
    assert layer.write_voltage(np.array(REST)) == pytest.approx(layer.bias_voltage)


def test_what_one_neuron_needs_more_is_a_source_of_its_own_in_its_bias_line() -> None:
    layer = replace(burst_layer(), trim=np.array([0.02]))
    text = deck_of(layer)
    # 20 mV more on the device are 20 mV less at the drive: the source takes them off
    assert level(text, "s0_vrest") == pytest.approx(0.02)
    assert level(text, "sense_vrest") == pytest.approx(level(deck_of(burst_layer()), "sense_vrest"))


def test_stages_side_by_side_share_the_current_of_their_neuron() -> None:
    layer = burst_layer()
    assert isinstance(layer.sense, SubcircuitStage)
    text = deck_of(replace(layer, sense=replace(layer.sense, multiplicity=3)))
    assert "Fothers0 drive0 0 Vshift0 2" in text


def test_a_table_that_says_another_rest_than_was_measured_is_refused() -> None:
    assert burst_stage().joined(REST + 0.4e-3).wired
    with pytest.raises(ConfigError, match=r"rest at 0\.439 V.*0\.44 V: say sense\.rest = 0\.439"):
        burst_stage().joined(REST + 1e-3)


@pytest.mark.parametrize("electrode", [1.6, 1.5])
def test_layers_have_the_bias_voltage_that_their_stage_rests_at(electrode: float) -> None:
    chosen = load_parameter_set("fast-memristor", periphery="freepdk45")
    falling = changed(chosen.neuron, "path", electrode_voltage=electrode)
    burst = chosen.sense.for_bursts(8)
    assert burst.bias_voltages(falling) == pytest.approx((electrode - 0.4319,) * 2)
    # no neuron that rises, and no stage whose drive is shifted, has anything to keep to
    rising = load_parameter_set("fast-memristor").neuron
    assert burst.bias_voltages(rising) == rising.rails
    assert chosen.sense.bias_voltages(falling) == falling.rails


@pytest.mark.parametrize("electrode", [0.0, -0.6])
def test_a_falling_drive_of_a_neuron_that_rises_is_turned_round_and_shifted(
    electrode: float,
) -> None:
    layer = changed(burst_layer("fast-memristor"), "driver", common_electrode=electrode)
    text = deck_of(layer)
    assert "Ideal: " in text
    assert "Xfacing0 facing drive0 facing0 difference" in text
    assert "ideal shift" in text
    # the stage rests at what it rests at, and the element puts out the bias voltage
    assert isinstance(layer.sense, SubcircuitStage)
    assert level(text, "shift0") == pytest.approx(-layer.bias_voltage - layer.sense.rest)
    assert level(text, "facing") == pytest.approx(layer.neuron.electrode)


def test_a_rising_drive_of_a_neuron_that_falls_is_turned_round() -> None:
    layer = small_layer(switched_set())
    text = deck_of(layer)
    assert level(text, "facing") == layer.neuron.electrode
    assert "Xfacing1 facing drive1 facing1 difference" in text
    assert "facing" not in deck_of(small_layer("fast-memristor"))


@pytest.mark.parametrize("layer", [burst_layer(), burst_layer("fast-memristor"), small_layer()])
def test_drives_and_write_voltages_are_each_others_inverse(layer: LayerCircuit) -> None:
    write = np.linspace(0.2, 1.5, 7)
    assert layer.write_voltage(layer.drive_for(write)) == pytest.approx(write)
    # the end of one is the end of the other
    slope = np.diff(layer.drive_for(write)) / np.diff(write)
    assert slope == pytest.approx(np.full(6, -1.0 if layer.sense.falls else 1.0))


def test_neurons_leak_as_long_again_while_their_stage_takes_in_a_burst() -> None:
    layer = burst_layer()
    values = (np.full((PULSES, 1), 1.2), np.zeros((PULSES, 1)), np.ones((PULSES, 1)))
    alone, waiting = neuron_energy(layer, *values), neurons_of_layer(layer, *values, PULSES)
    leakage = layer.neuron.path.leakage + layer.latch.leakage  # type: ignore[attr-defined]
    more = sum(waiting[name] - joules for name, joules in alone.items())
    assert more == pytest.approx(np.full(PULSES, leakage * layer.schedule.cycle))
