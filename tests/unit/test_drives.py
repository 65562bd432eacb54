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
from tests.cross.test_burst_layer import PULSES, ROWS, burst_layer, burst_stage, resting
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


@pytest.mark.parametrize("bias", [0.95, 1.2])
def test_a_falling_drive_is_wired_to_a_neuron_that_it_writes(bias: float) -> None:
    layer = burst_layer(bias)
    text = deck_of(layer)
    assert "facing" not in text
    assert "Vshift0 drive0 held0 0" in text
    assert "Rload0" not in text
    # the line that moves the drive as a whole puts it where the neuron has its bias voltage
    rest = layer.neuron.electrode - bias
    assert isinstance(layer.sense, SubcircuitStage)
    assert layer.sense.rest == pytest.approx(rest, abs=1e-5)
    assert level(text, "sense_vrest") == pytest.approx(0.66 + rest - burst_stage().rest)
    assert level(text, "s0_vrest") == pytest.approx(0, abs=1e-12)
    assert layer.write_voltage(np.array(rest)) == pytest.approx(bias)


def test_what_one_neuron_needs_more_is_a_source_of_its_own_in_its_bias_line() -> None:
    layer = replace(burst_layer(), trim=np.array([0.02]))
    text = deck_of(layer)
    # 20 mV more on the device are 20 mV less at the drive: the source takes them off
    assert level(text, "s0_vrest") == pytest.approx(0.02)
    assert level(text, "sense_vrest") == pytest.approx(level(deck_of(burst_layer()), "sense_vrest"))


def test_a_moved_surface_ends_where_the_circuit_does() -> None:
    sense = burst_layer(0.95).sense
    assert isinstance(sense, SubcircuitStage)
    assert sense.moved is not None
    assert sense.moved > 0.1
    here, there = burst_stage().span, sense.span
    # the bias line takes the drive up, and not the rails: less is left above, lower write voltages
    assert there == pytest.approx([end + sense.moved for end in here], abs=1e-5)


def test_stages_side_by_side_share_the_current_of_their_neuron() -> None:
    layer = burst_layer()
    assert isinstance(layer.sense, SubcircuitStage)
    text = deck_of(replace(layer, sense=replace(layer.sense, multiplicity=3)))
    assert "Fothers0 drive0 0 Vshift0 2" in text


@pytest.mark.parametrize("bias", [0.7, 1.6])
def test_a_bias_that_the_stage_cannot_make_is_refused_with_numbers(bias: float) -> None:
    with pytest.raises(ConfigError, match=rf"drive of {1.6 - bias:.3g} V .*0\.1\d+ to 0\.8\d+ V"):
        burst_layer(bias)


def test_a_bias_line_beyond_the_supplies_is_refused() -> None:
    layer = burst_layer()
    assert isinstance(layer.sense, SubcircuitStage)
    with pytest.raises(ConfigError, match=r"need vrest = 1\.1 V .* 0 to 1 V are there"):
        layer.sense.circuit.moved(1.1 - layer.sense.circuit.supplies["vrest"])


@pytest.mark.parametrize("electrode", [0.0, -0.6])
def test_a_falling_drive_of_a_neuron_that_rises_is_turned_round_and_shifted(
    electrode: float,
) -> None:
    layer = changed(burst_layer(1.2, "fast-memristor"), "driver", common_electrode=electrode)
    text = deck_of(layer)
    assert "Ideal: " in text
    assert "Xfacing0 facing drive0 facing0 difference" in text
    assert "ideal shift" in text
    # the stage rests at what it rests at, and the element puts out the bias voltage
    assert isinstance(layer.sense, SubcircuitStage)
    assert level(text, "shift0") == pytest.approx(-1.2 - layer.sense.rest)
    assert level(text, "facing") - -1.2 == pytest.approx(1.2 + layer.neuron.electrode)


def test_a_rising_drive_of_a_neuron_that_falls_is_turned_round() -> None:
    layer = small_layer(switched_set())
    text = deck_of(layer)
    assert level(text, "facing") == layer.neuron.electrode
    assert "Xfacing1 facing drive1 facing1 difference" in text
    assert "facing" not in deck_of(small_layer("fast-memristor"))


@pytest.mark.parametrize(
    "layer", [burst_layer(), burst_layer(1.2, "fast-memristor"), small_layer()]
)
def test_drives_and_write_voltages_are_each_others_inverse(layer: LayerCircuit) -> None:
    write = np.linspace(0.2, 1.5, 7)
    assert layer.write_voltage(layer.drive_for(write)) == pytest.approx(write)
    # the end of one is the end of the other
    slope = np.diff(layer.drive_for(write)) / np.diff(write)
    assert slope == pytest.approx(np.full(6, -1.0 if layer.sense.falls else 1.0))


def test_a_level_that_was_chosen_is_kept() -> None:
    layer = burst_layer(1.0)
    assert resting(layer).sense.supplies == pytest.approx(dict(layer.sense.supplies))


def test_neurons_leak_as_long_again_while_their_stage_takes_in_a_burst() -> None:
    layer = burst_layer()
    values = (np.full((PULSES, 1), 1.2), np.zeros((PULSES, 1)), np.ones((PULSES, 1)))
    alone, waiting = neuron_energy(layer, *values), neurons_of_layer(layer, *values, PULSES)
    leakage = layer.neuron.path.leakage + layer.latch.leakage  # type: ignore[attr-defined]
    more = sum(waiting[name] - joules for name, joules in alone.items())
    assert more == pytest.approx(np.full(PULSES, leakage * layer.schedule.cycle))
