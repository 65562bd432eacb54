"""Small example netlists of every circuit, made by the functions that make the real ones.

Each says in its header what it shows, where it comes from and what to expect; the expectations are
closed forms, and the golden files measure the same values in ngspice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from memspice.circuits import nodes
from memspice.circuits.array_circuit import ArrayCircuit
from memspice.circuits.cmos.example import example_neurons
from memspice.circuits.cmos.neuron import cmos_neuron_deck
from memspice.circuits.deck import Deck, pulse_train
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.netlists import add_supplies, layer_deck
from memspice.circuits.neuron_bench import NeuronBench, bench_deck
from memspice.circuits.port_array_circuit import PortArrayCircuit
from memspice.circuits.wired_array_circuit import WiredArrayCircuit, add_drivers
from memspice.engines.ngspice import Ngspice
from memspice.quantities import format_si
from memspice.solver.crossbar_solution import solve_crossbar
from memspice.verification.example_layers import (
    GATED_CELL,
    RESISTIVE_SENSE,
    accumulating_layer,
    memristor_layer,
    mtj_layer,
    stimulus,
)


@dataclass(frozen=True)
class Probe:
    """One value to look at: ``signal`` at ``time`` [s] should be ``expected`` [``unit``]."""

    name: str
    signal: str
    time: float
    expected: float
    unit: str = "V"


@dataclass(frozen=True)
class ExampleNetlist:
    """A circuit with what is needed to simulate it from rest: ``stop`` and ``max_step`` in [s]."""

    title: str
    header: str
    deck: Deck
    stop: float
    max_step: float
    probes: tuple[Probe, ...]

    @property
    def text(self) -> str:
        """Netlist in ngspice's dialect, without analysis, below its header."""
        return Ngspice.example(self.deck, self.header)


def crossbar() -> ExampleNetlist:
    """Differential crossbar of 4 x 4 cells with its drivers, into virtual grounds."""
    return _crossbar_example(memristor_layer(), "wired differential crossbar with row drivers")


def crossbar_transistors() -> ExampleNetlist:
    """The same of cells with a sinh curve behind access transistors, with wire capacitances."""
    layer = memristor_layer()
    update = {"cell": GATED_CELL, "wire_capacitance_row": 1.6e-17, "wire_capacitance_col": 1.6e-17}
    layer = replace(layer, array=layer.array.model_copy(update=update))
    title = "wired crossbar of sinh cells behind access transistors"
    return _crossbar_example(layer, title)


def _crossbar_example(layer: LayerCircuit, title: str) -> ExampleNetlist:
    drive = stimulus()
    deck = Deck("Drivers and crossbar", "Columns alternate: G+ and G- of output 0, of output 1")
    WiredArrayCircuit().add(deck, layer, drive)
    ends = deck.section("Virtual grounds: sources of 0 V that measure the column currents")
    for column in range(4):
        ends.V(f"out{column}", nodes.bit_line(column), ends.gnd, 0)
    array = layer.array
    solution = solve_crossbar(
        1 / array.cell.read_conductance(layer.conductances[0], array.read_voltage),
        drive.row_voltage[0],
        array.wire_resistance_row,
        array.wire_resistance_col,
        array.driver_resistance,
    )
    probes = [
        Probe(f"current{column}", f"i(vout{column})", layer.schedule.write.start, value, "A")
        for column, value in enumerate(solution.output_current)
    ]
    return _example(
        title,
        "Currents of the bit lines when the rows 0 and 1 are driven with 0.1 V. "
        "Wires and drivers take a little: by the cells alone they would be 0.1 V * (G0j + G1j).",
        source="memspice.circuits.crossbar; wires of 22 nm, DNN_NeuroSim V1.3",
        deck=deck,
        layer=layer,
        probes=probes,
    )


def row_drivers() -> ExampleNetlist:
    """Row drivers, each loaded with the conductance of a whole row."""
    layer, drive = memristor_layer(), stimulus()
    deck = Deck("Row drivers", "Four drivers of 120 ohm")
    add_drivers(deck, layer, drive)
    loads = deck.section("Loads: the cells of a row in parallel")
    load = 1 / layer.conductances[0].sum(axis=1)
    for row in range(4):
        loads.R(f"load{row}", nodes.row(f"0_{row}"), loads.gnd, float(load[row]))
    share = load / (load + layer.array.driver_resistance)
    probes = [
        Probe(f"row{row}", f"v(r0_{row})", layer.schedule.write.start, value)
        for row, value in enumerate(drive.row_voltage[0] * share)
    ]
    return _example(
        "row drivers",
        "Rows 0 and 1 spike in cycle 0, rows 2 and 3 in cycle 1. A driver of 120 ohm loses "
        "120 ohm / (120 ohm + load) of its 0.1 V.",
        source="memspice.circuits.netlists; driver of 10 um, 45 nm HP, DNN_NeuroSim V1.3",
        deck=deck,
        layer=layer,
        probes=probes,
    )


def transimpedance_sense() -> ExampleNetlist:
    """Two transimpedance stages and their difference stage."""
    return _sense_example(
        memristor_layer(),
        "transimpedance sense stage",
        "The bit lines stay near 0 V, held by feedback; v(o) = -20 kohm * current.",
    )


def resistive_sense() -> ExampleNetlist:
    """Two bit lines that end in resistors, and their difference stage."""
    return _sense_example(
        memristor_layer(RESISTIVE_SENSE),
        "resistive sense stage",
        "The bit lines end in 20 kohm; their voltages are amplified as they are.",
    )


def memristor_neuron() -> ExampleNetlist:
    """Memristor neuron through write, read and reset, once switching and once not."""
    return _neuron_example(
        memristor_layer(), "Stochastic Ag/a-Si memristor neuron", "filament_memristor"
    )


def mtj_neuron() -> ExampleNetlist:
    """MTJ neuron through write, read and reset, once switching and once not."""
    return _neuron_example(mtj_layer(), "Stochastic spin-orbit-torque MTJ neuron", "sot_mtj")


def cmos_neuron() -> ExampleNetlist:
    """Stochastic neuron of 45 nm transistors, spiking once and once not."""
    neurons = example_neurons()
    probes = [
        Probe(f"spike_{cycle}", "v(spike0)", (cycle + 1.3) * neurons.period, float(spike))
        for cycle, spike in enumerate(neurons.expected[:, 0])
    ]
    purpose = (
        "A shift register's two newest bits are compared with a threshold from a table. In cycle 0 "
        "they are not below it, in cycle 1 they are."
    )
    source = "memspice.circuits.cmos.neuron; PTM values in models/cmos45_*.toml"
    return ExampleNetlist(
        title="Stochastic neuron in 45 nm CMOS",
        header=_header("Stochastic neuron in 45 nm CMOS", purpose, source, probes),
        deck=cmos_neuron_deck(neurons),
        stop=neurons.stop,
        max_step=neurons.period / 4,
        probes=tuple(probes),
    )


def layer_full() -> ExampleNetlist:
    """Whole layer with every cell and wire segment."""
    return _layer_example(
        memristor_layer(), WiredArrayCircuit(), "whole layer, every cell and wire segment"
    )


def layer_reduced() -> ExampleNetlist:
    """The same layer behind the exact port reduction of its crossbar."""
    return _layer_example(
        memristor_layer(), PortArrayCircuit(), "whole layer, crossbar reduced to its ports"
    )


def layer_resistive() -> ExampleNetlist:
    """Whole layer with resistive sense stages."""
    return _layer_example(
        memristor_layer(RESISTIVE_SENSE), WiredArrayCircuit(), "whole layer with resistive sense"
    )


def layer_mtj() -> ExampleNetlist:
    """Whole layer of MTJ neurons."""
    return _layer_example(mtj_layer(), WiredArrayCircuit(), "whole layer of MTJ neurons")


def layer_accumulating() -> ExampleNetlist:
    """Last layer: its drives are summed up outside, it has no neurons."""
    return _layer_example(
        accumulating_layer(), WiredArrayCircuit(), "accumulating layer without neurons"
    )


#: Every example by its name, which is also its file's name.
EXAMPLES: dict[str, Callable[[], ExampleNetlist]] = {
    "crossbar": crossbar,
    "crossbar-transistors": crossbar_transistors,
    "row-drivers": row_drivers,
    "transimpedance-sense": transimpedance_sense,
    "resistive-sense": resistive_sense,
    "memristor-neuron": memristor_neuron,
    "mtj-neuron": mtj_neuron,
    "cmos-neuron": cmos_neuron,
    "layer-full": layer_full,
    "layer-reduced": layer_reduced,
    "layer-resistive": layer_resistive,
    "layer-mtj": layer_mtj,
    "layer-accumulating": layer_accumulating,
}


def _example(
    title: str,
    purpose: str,
    source: str,
    deck: Deck,
    layer: LayerCircuit,
    probes: list[Probe],
    cycles: int = 2,
) -> ExampleNetlist:
    """Put the header before a netlist that runs through the cycles of a layer."""
    return ExampleNetlist(
        title=title,
        header=_header(title, purpose, source, probes),
        deck=deck,
        stop=cycles * layer.schedule.cycle,
        max_step=layer.timing.longest_step,
        probes=tuple(probes),
    )


def _header(title: str, purpose: str, source: str, probes: Sequence[Probe]) -> str:
    """What a reader wants to know first."""
    expected = [
        f"  {probe.name} = {probe.signal} at {format_si(probe.time, 's', 4)}: "
        f"{format_si(probe.expected, probe.unit, 4)}"
        for probe in probes
    ]
    lines = [f"memspice example: {title}", "", f"Purpose: {purpose}", f"Source: {source}"]
    return "\n".join([*lines, "Expected, by closed form:", *expected])


def _sense_example(layer: LayerCircuit, title: str, purpose: str) -> ExampleNetlist:
    """Sense stages of one pair of bit lines, fed with currents as a crossbar would."""
    pair = replace(layer, conductances=(layer.conductances[0][:, :2],), spiking=False)
    currents = (3e-6, 1e-6)
    deck = Deck(title.capitalize(), "One pair of bit lines and its difference stage")
    add_supplies(deck, pair, cycles=1)
    lines = deck.section("Bit-line currents: 3 uA on G+, 1 uA on G-")
    for column, current in enumerate(currents):
        train = pulse_train(layer.schedule.rows, np.array([current]), layer.schedule.cycle)
        lines.I(f"column{column}", lines.gnd, nodes.bit_line(column), train)
    gain, conductance = pair.sense_gain, pair.line_conductance
    pair.sense.add(deck, pair.output_bias, gain, conductance, pair.write_limits)
    settled = layer.schedule.write.stop - layer.timing.edge
    end = pair.sense.input_resistance
    drive = pair.bias_voltage + float(
        pair.sense.drive(np.array(currents), pair.line_conductance)[0]
    )
    probes = [
        Probe("line0", "v(c0)", settled, end * currents[0]),
        Probe("line1", "v(c1)", settled, end * currents[1]),
        Probe("drive", "v(drive0)", settled, drive),
    ]
    source = "memspice.circuits.blocks; one-pole amplifiers"
    return _example(title, purpose, source=source, deck=deck, layer=pair, probes=probes, cycles=1)


def _neuron_example(layer: LayerCircuit, title: str, name: str) -> ExampleNetlist:
    """Neuron at the drive whose hazard integral is 1, with draws E = 0.5 and E = 2."""
    schedule = layer.schedule
    bench = NeuronBench(
        layer.neuron,
        layer.latch,
        layer.timing,
        drive_voltage=np.array([layer.bias_voltage]),
        thresholds=np.array([[0.5], [2.0]]),
    )
    probes = []
    for cycle, switches in enumerate((1.0, 0.0)):
        start = cycle * schedule.cycle
        probes += [
            Probe(f"hazard_{cycle}", "v(xneuron0.h)", start + schedule.rows.stop, 1.0, "1"),
            Probe(f"state_{cycle}", "v(xneuron0.x)", start + schedule.rows.stop, switches, "1"),
            Probe(f"spike_{cycle}", "v(spike0)", start + schedule.read.stop, switches),
            Probe(f"reset_{cycle}", "v(xneuron0.x)", start + schedule.cycle, 0.0, "1"),
        ]
    purpose = (
        "Write at the voltage whose hazard integral over the pulse is 1 (P = 63.2 %). In cycle 0 "
        "the draw is E = 0.5: the device switches, the read finds it, the reset takes it back. In "
        "cycle 1 the draw is E = 2: nothing happens."
    )
    source = f"memspice.circuits.blocks, models/{name}.lib; constants in models/*.toml"
    return _example(
        title, purpose, source=source, deck=bench_deck(bench), layer=layer, probes=probes
    )


def _layer_example(layer: LayerCircuit, array: ArrayCircuit, title: str) -> ExampleNetlist:
    """Two cycles of a whole layer; drives, hazard integrals and spikes by closed form."""
    events, probes = stimulus(), []
    drives = layer.drive_voltage(events.row_voltage)
    hazard = np.exp(layer.log_hazard(drives))
    for cycle, output in np.ndindex(drives.shape):
        start, schedule = cycle * layer.schedule.cycle, layer.schedule
        event, settled = f"{output}_{cycle}", start + schedule.write.stop - layer.timing.edge
        probes.append(
            Probe(f"drive{event}", f"v(drive{output})", settled, float(drives[cycle, output]))
        )
        if not layer.spiking:
            continue
        value = float(hazard[cycle, output])
        spike = float(value >= events.thresholds[cycle, output])
        probes += [
            Probe(
                f"hazard{event}", f"v(xneuron{output}.h)", start + schedule.rows.stop, value, "1"
            ),
            Probe(f"spike{event}", f"v(spike{output})", start + schedule.read.stop, spike),
        ]
    purpose = (
        "Rows 0 and 1 spike in cycle 0, rows 2 and 3 in cycle 1; the name of a value ends in "
        "<output>_<cycle>."
    )
    if layer.spiking:
        purpose += " An output spikes where its hazard integral reaches its draw E."
    source = "memspice.circuits.netlists; constants in models/*.toml"
    deck = layer_deck(layer, events, array)
    return _example(title, purpose, source=source, deck=deck, layer=layer, probes=probes)
