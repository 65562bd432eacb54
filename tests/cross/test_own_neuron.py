"""A neuron in Verilog-A on VACASK, and as a subcircuit on ngspice, through the three fidelities."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from memspice.analysis.energy import energy_balance
from memspice.analysis.neuron_curve import measure_neuron
from memspice.circuits.deck import Deck
from memspice.circuits.energy_model import closed_form_energy
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.netlists import layer_deck
from memspice.circuits.power import event_values, layer_power, saved_signals
from memspice.circuits.verilog import carried_files, read_module
from memspice.cli.main import cli
from memspice.engines import find_engine
from memspice.engines.base import OperatingPoint, Transient
from memspice.errors import NetlistError
from memspice.jobs import Execution, open_runner
from memspice.parameters import load_parameter_set
from memspice.resources import resource_path
from memspice.windows.agreement import SWITCH_SHARE
from memspice.windows.simulated import solver_options
from tests.helpers import ARRAYS, near_stimulus, small_layer
from tests.tables import EVERY_ENGINE, EVERY_FIDELITY

TEMPLATE = resource_path("templates", "own_neuron.toml")


@cache
def own_layer(engine: str, electrode: float = 0.0) -> LayerCircuit:
    """Layer of `small_layer` with neurons of the template, measured by an engine."""
    values, layer = load_parameter_set(str(TEMPLATE)), small_layer()
    neuron = replace(values.neuron, points=5, level=electrode)  # type: ignore[call-arg]
    with open_runner(find_engine(engine), Execution()) as runner:
        measured = measure_neuron(neuron, values.latch, values.timing, runner)
    law = measured.device.hazard
    bias = law.unit_voltage(values.timing.write, values.timing.edge)
    return replace(
        layer,
        neuron=measured,
        latch=values.latch,
        timing=values.timing,
        bias_voltage=bias,
        write_limits=measured.write_limits,
    )


@EVERY_FIDELITY
@EVERY_ENGINE
def test_the_circuit_spikes_and_pays_as_its_curve_says(engine: str, fidelity: str) -> None:
    layer, simulator = own_layer(engine), find_engine(engine)
    stimulus, array = near_stimulus(layer), ARRAYS[fidelity]
    netlist = simulator.write(layer_deck(layer, stimulus, array))
    waves = simulator.run(
        netlist,
        Transient(
            stop=stimulus.cycles * layer.schedule.cycle,
            max_step=layer.timing.longest_step,
            from_rest=True,
        ),
        save=saved_signals(layer, array),
        options=solver_options(layer.timing),
    )
    hazard = np.exp(layer.log_hazard(layer.drive_voltage(stimulus.row_voltage)))
    found = event_values(layer, stimulus, waves)
    # half of the margin within which spikes may differ; draws are 2 % away
    np.testing.assert_allclose(found["hazard"], hazard, rtol=5e-3)
    spikes = layer.latch.fired(found["spike"])
    assert (spikes == (hazard >= stimulus.thresholds)).all()
    assert 0 < spikes.sum() < spikes.size
    power = layer_power(layer, stimulus, array, waves)
    balance = energy_balance(power, layer.schedule, stimulus.cycles)
    assert balance.closure < 1e-3
    expected = closed_form_energy(layer, stimulus.row_voltage, hazard, stimulus.thresholds)
    at_once = closed_form_energy(layer, stimulus.row_voltage, 1e6 * hazard, stimulus.thresholds)
    # a switch in the midst of a pulse conducts up to a fiftieth of it earlier or later
    late = SWITCH_SHARE * at_once["neuron_write"].sum()
    for name in ("neuron_write", "neuron_read", "neuron_reset"):
        found_joules, slack = balance.components[name].sum(), late * (name == "neuron_write")
        assert found_joules == pytest.approx(expected[name].sum(), rel=0.03, abs=slack), name
    carried = carried_files(netlist)
    assert set(carried) == ({"own_neuron.va"} if engine == "vacask" else set())


@pytest.mark.vacask
def test_a_module_alone_needs_an_engine_that_loads_it(tmp_path: Path) -> None:
    module = read_module(TEMPLATE.with_name("own_neuron.va"))
    deck = Deck("alone", "nothing")
    deck.module(module, None)
    circuit = deck.section("one")
    for number, terminal in enumerate(module.terminals):
        circuit.R(str(number), terminal, circuit.gnd, 1e3)
    circuit.X("own", module.name, *module.terminals)
    with pytest.raises(NetlistError, match=r"own_neuron.va is Verilog-A, .* use --engine vacask"):
        deck.spice()
    vacask = find_engine("vacask")
    netlist = vacask.write(deck)
    assert carried_files(netlist) == dict(module.files)
    assert vacask.run(netlist, OperatingPoint()).voltage("state") == pytest.approx(0.0, abs=1e-9)
    broken = netlist.replace("|    analog begin|", "|    analog begi|")
    assert broken != netlist
    with pytest.raises(NetlistError, match=r"(?s)own_neuron.va does not compile.*own_neuron.va:3"):
        vacask.run(broken, OperatingPoint())


@pytest.mark.vacask
@pytest.mark.slow
def test_the_command_takes_a_neuron_in_verilog_a(tmp_path: Path) -> None:
    """Surrogate and reduced, from a table that names the module alone."""
    text = TEMPLATE.read_text(encoding="utf-8").replace("points = 17", "points = 5")
    lines = [line for line in text.splitlines() if not line.startswith("subcircuit")]
    (tmp_path / "my.toml").write_text("\n".join(lines), encoding="utf-8")
    module = TEMPLATE.with_name("own_neuron.va")
    (tmp_path / module.name).write_bytes(module.read_bytes())
    found = {}
    for fidelity in ("surrogate", "reduced"):
        result = CliRunner().invoke(
            cli,
            ["simulate-layer", "--device", str(tmp_path / "my.toml"), "--fidelity", fidelity,
             "--engine", "vacask", "--images", "1", "--cycles", "2", "--json",
             *(["--out", str(tmp_path / "run.h5")])],
        )  # fmt: skip
        assert result.exit_code == 0, result.output
        found[fidelity] = json.loads(result.stdout)
        (tmp_path / "run.h5").unlink()
    assert found["reduced"]["engine"]["name"] == "vacask"
    assert found["reduced"]["spikes"]["mismatches"] == 0
    assert found["reduced"]["spikes"]["count"] == found["surrogate"]["spikes"]["count"] > 0
    assert found["reduced"]["device_source"] == "what-if"


@pytest.mark.ngspice
def test_what_a_circuit_takes_from_the_pulses_is_counted(tmp_path: Path) -> None:
    """A resistor at one: its ideal source gives the joules, which still add up."""
    text = TEMPLATE.with_name("own_neuron.lib").read_text(encoding="utf-8")
    text = text.replace(".ends", "Rwrite write vss 1meg\n.ends")
    (tmp_path / "own_neuron.lib").write_text(text, encoding="utf-8")
    table = TEMPLATE.read_text(encoding="utf-8").replace('veriloga = "own_neuron.va"', "")
    (tmp_path / "my.toml").write_text(table, encoding="utf-8")
    values, layer = load_parameter_set(str(tmp_path / "my.toml")), own_layer("ngspice")
    neuron = replace(values.neuron, curve=layer.neuron.curve)  # type: ignore[call-arg, attr-defined]
    loaded, engine, array = replace(layer, neuron=neuron), find_engine("ngspice"), ARRAYS["reduced"]
    stimulus = near_stimulus(layer)
    found = []
    for each in (layer, loaded):
        waves = engine.run(
            engine.write(layer_deck(each, stimulus, array)),
            Transient(
                stimulus.cycles * layer.schedule.cycle, layer.timing.longest_step, from_rest=True
            ),
            save=saved_signals(each, array),
            options=solver_options(layer.timing),
        )
        power = layer_power(each, stimulus, array, waves)
        found.append(energy_balance(power, layer.schedule, stimulus.cycles))
    assert found[1].closure < 1e-3
    writes = [balance.components["neuron_write"].sum() for balance in found]
    events, pulse = stimulus.cycles * layer.outputs, layer.schedule.write.square_area
    assert writes[1] - writes[0] == pytest.approx(events * 1e-6 * pulse, rel=0.01)
