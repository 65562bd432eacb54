"""What every synapse and every row driver of the package promise."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from memspice.circuits import nodes
from memspice.circuits.array_circuit import Stimulus
from memspice.circuits.blocks import ROW_DRIVERS, SYNAPSES
from memspice.circuits.blocks.row_driver import RowDriver
from memspice.circuits.blocks.synapse import SynapseCell
from memspice.circuits.deck import Deck, pulse_train
from memspice.circuits.energy_model import closed_form_energy
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.spice import SubCircuit
from memspice.circuits.timing import Pulse
from memspice.devices.synapse_iv import SinhCell
from memspice.engines.base import OperatingPoint, Transient
from memspice.engines.vacask import Vacask
from memspice.errors import ConfigError
from memspice.parameters import load_parameter_set, load_table
from tests.helpers import ngspice, simulate, small_layer
from tests.unit.test_line_level import raised_layer

CONDUCTANCE, READ = 5e-6, 0.1
#: Drivers that are a source behind the resistance that they are given; others have their own.
SOURCES = sorted(set(ROW_DRIVERS) - {"transistor"})
BENT = SinhCell(voltage_scale=0.25)


def cell_of(kind: str, **values: object) -> SynapseCell:
    """Synapse of a kind with the devices of ``models/cells.toml``."""
    block = SYNAPSES[kind]
    devices = {
        name: load_table("cells", kind, model).values for name, model in block.devices.items()
    }
    return block(**devices, **values)  # type: ignore[arg-type]


def driver_of(kind: str) -> RowDriver:
    """Row driver of a kind as a parameter set with nothing but that word has it."""
    return load_parameter_set("fast-memristor", {"row_driver.kind": kind}).array.row_driver


def cell_deck(cell: SynapseCell) -> Deck:
    """One cell in a subcircuit, its word line at the read voltage, its bit line at ground."""
    tile = SubCircuit("tile", "word", "bit", "gate")
    cell.add(tile, "0_0", ("word", "bit"), "gate", CONDUCTANCE)
    deck = Deck("synapse", "one cell")
    deck.subcircuit("The cell", tile)
    circuit = deck.section("Sources")
    circuit.V("word", "word", circuit.gnd, READ)
    circuit.V("bit", "bit", circuit.gnd, 0.0)
    circuit.V("gate", "gate", circuit.gnd, cell.gate or 0.0)
    circuit.R("gate", "gate", circuit.gnd, 1e9)
    circuit.X("tile", "tile", "word", "bit", "gate")
    return deck


def driver_deck(driver: RowDriver, load: float, resistance: float, cycle: float) -> Deck:
    """One driver with a load, whose row is driven in the first of two cycles."""
    deck = Deck("row driver", "one row")
    driver.define(deck)
    circuit = deck.section("Driver")
    pulse = Pulse(0.1 * cycle, 0.8 * cycle, 0.01 * cycle)
    driver.add(circuit, "0_0", pulse_train(pulse, np.array([READ, 0.0]), cycle), resistance)
    circuit.R("load", nodes.row("0_0"), circuit.gnd, load)
    return deck


# --- synapses ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(SYNAPSES))
def test_cells_stand_between_word_and_bit_line(kind: str) -> None:
    """The tile's nodes, its own, ground; the gate line just where the cell has a gate."""
    cell = cell_of(kind)
    assert cell.kind == kind
    tile = SubCircuit("tile", "word", "bit", "gate")
    cell.add(tile, "1_2", ("word", "bit"), "gate", CONDUCTANCE)
    used = {str(node) for element in tile.elements for node in element.node_names}
    assert {"word", "bit"} <= used
    assert used - {"word", "bit", "gate", "0"} == {f"{begin}1_2" for begin in cell.inner}
    assert ("gate" in used) == (cell.gate is not None)
    assert all(str(element.name).endswith("1_2") for element in tile.elements)
    layer = small_layer(cell=cell)
    assert len(cell.legend) == len(tile.elements)
    assert cell.ohmic == (layer.array.cell.read_conductance(CONDUCTANCE, 0.3) == CONDUCTANCE)


@pytest.mark.parametrize("kind", sorted(SYNAPSES))
def test_both_dialects_have_the_same_cells(kind: str) -> None:
    text = str(cell_deck(cell_of(kind, curve=BENT))).replace("\n+", " ")
    own = text[text.index(".subckt tile") : text.index(".ends tile")].splitlines()[1:]
    expected = {
        line.split()[0].lower(): [w for w in line.split()[1:] if "=" not in w][:-1] for line in own
    }
    vacask = dict(
        re.findall(
            r"(?m)^\s*(\w+) \(([^)]*)\) ", Vacask.example(cell_deck(cell_of(kind, curve=BENT)), "")
        )
    )
    found = {name.lower(): terminals.split() for name, terminals in vacask.items()}
    assert {name: found[name] for name in expected} == expected


@pytest.mark.ngspice
@pytest.mark.parametrize("bent", [False, True])
@pytest.mark.parametrize("kind", sorted(SYNAPSES))
def test_the_secant_and_the_powers_are_those_of_spice(kind: str, bent: bool) -> None:
    """Current to the solver's 1e-6; the elements take what the source gives (Tellegen)."""
    cell = cell_of(kind, curve=BENT) if bent else cell_of(kind)
    engine = ngspice()
    inner = [f"xtile.{begin}0_0" for begin in cell.inner]
    waves = engine.run(
        engine.write(cell_deck(cell)),
        OperatingPoint(),
        save=["i(vbit)", *(f"v({node})" for node in inner)],
    )
    current = float(waves.current("vbit")[0])
    secant = float(cell.read_conductance(CONDUCTANCE, READ))
    assert current == pytest.approx(secant * READ, rel=1e-5)
    ends = (np.full((1, 1), READ), np.zeros((1, 1)))
    own = [waves.voltage(node)[None, :] for node in inner]
    gate, conductance = np.full(1, cell.gate or 0.0), np.full((1, 1), CONDUCTANCE)
    into_line = float(cell.current(ends, own, gate, conductance)[0, 0])
    assert into_line == pytest.approx(current, rel=1e-4)
    parts = cell.dissipation(ends, own, gate, conductance)
    assert sum(float(part[0, 0]) for part in parts) == pytest.approx(current * READ, rel=1e-4)
    assert all((part >= 0).all() for part in parts)


def test_cells_against_ground_need_lines_at_ground() -> None:
    raised = raised_layer(0.3)
    assert sorted(kind for kind, block in SYNAPSES.items() if block.grounded) == [
        "access_transistor"
    ]
    for kind in SYNAPSES:
        array = raised.array.model_copy(update={"cell": cell_of(kind)})
        if SYNAPSES[kind].grounded:
            with pytest.raises(ConfigError, match=r"holds its lines at 0\.3 V"):
                replace(raised, array=array)
        else:
            assert replace(raised, array=array).array.cell.kind == kind


# --- row drivers ------------------------------------------------------------------------------


def layer_with(driver: RowDriver) -> LayerCircuit:
    layer = small_layer(driver_resistance=500.0)
    return replace(layer, array=layer.array.model_copy(update={"row_driver": driver}))


@pytest.mark.parametrize("kind", sorted(ROW_DRIVERS))
def test_drivers_reach_their_rows_and_nothing_else(kind: str) -> None:
    for resistance in (120.0, 0.0):
        text = str(driver_deck(driver_of(kind), 1e4, resistance, 1e-7)).replace("\n+", " ")
        lines = [line.split() for line in text.splitlines() if line[:1] in "VRC"]
        used = {node for words in lines for node in words[1:3]}
        assert nodes.row("0_0") in used
        assert all(node == "0" or node.endswith("0_0") for node in used)
        assert not {nodes.bit_line(0), nodes.drive(0), nodes.GATE} & used


@pytest.mark.ngspice
@pytest.mark.parametrize("kind", SOURCES)
def test_a_driver_gives_what_its_closed_form_says(kind: str) -> None:
    """Source, resistance and load as a divider; what is more is the energy of a pulse, to 2 %."""
    driver, load, resistance, cycle = driver_of(kind), 1e4, 500.0, 1e-7
    engine = ngspice()
    waves = engine.run(
        engine.write(driver_deck(driver, load, resistance, cycle)),
        Transient(2 * cycle, cycle / 500, from_rest=True),
        save=[*dict.fromkeys([*driver.signals("0_0"), f"v({nodes.row('0_0')})"])],
    )
    pulse = Pulse(0.1 * cycle, 0.8 * cycle, 0.01 * cycle)
    source = READ * pulse.at(waves.time)
    row = waves.voltage(nodes.row("0_0"))
    np.testing.assert_allclose(row, source * load / (load + resistance), atol=1e-5 * READ)
    given = driver.delivered(waves, "0_0", source)
    taken = driver.power(waves, "0_0", source, resistance)
    stored = driver.stored(waves, "0_0")
    energy = [float(np.trapezoid(part, waves.time)) for part in (given, taken, row**2 / load)]
    assert energy[0] == pytest.approx(energy[1] + energy[2] + stored[-1] - stored[0], rel=1e-3)
    levels = np.array([[READ], [0.0]])
    expected = driver.pulse_energy(levels, cycle)
    assert expected[1] == driver.pulse_energy(np.zeros((1, 1)), cycle)[0] < 0.05 * energy[0]
    ohmic = float(np.trapezoid((source - row) ** 2 / resistance, waves.time))
    assert energy[1] - ohmic == pytest.approx(expected.sum(), rel=0.02, abs=1e-4 * energy[0])


@pytest.mark.ngspice
@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("burst", [1, 3])
def test_fidelities_agree_on_a_driver(kind: str, burst: int) -> None:
    """Full, reduced and closed form have the same joules of the drivers, to 1 %."""
    layer = layer_with(driver_of(kind))
    rows = np.random.default_rng(6).choice([0.0, 0.05, 0.1], (3, layer.rows))
    stimulus = Stimulus(rows, np.ones((3, layer.outputs)), burst)
    expected = closed_form_energy(layer, rows, np.zeros((3, 2)), stimulus.thresholds)["driver"]
    for fidelity in ("full", "reduced"):
        found = simulate(layer, stimulus, fidelity)
        assert found.closure < 1e-3
        joules = float(np.trapezoid(found.power.driver, found.power.time))
        assert joules == pytest.approx(float(expected.sum()), rel=0.01)
    part = layer.part(range(1))
    half = closed_form_energy(part, rows, np.zeros((3, 1)), stimulus.thresholds[:, :1])["driver"]
    rest = layer.part(range(1, 2))
    other = closed_form_energy(rest, rows, np.zeros((3, 1)), stimulus.thresholds[:, 1:])["driver"]
    np.testing.assert_allclose(half + other, expected, rtol=1e-6)
