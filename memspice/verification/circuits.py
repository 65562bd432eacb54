"""The decks that every engine must agree on: from an RC step to a whole layer.

Each is a circuit of the package with a fixed stimulus; nothing here belongs to one engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from memspice.circuits import nodes
from memspice.circuits.array_circuit import ArrayCircuit, Stimulus
from memspice.circuits.blocks.neuron import HAZARD_CHARGE_PER_SECOND
from memspice.circuits.deck import Deck, PieceWiseLinear
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.netlists import layer_deck
from memspice.circuits.neuron_bench import NeuronBench, bench_deck, bench_events, bench_signals
from memspice.circuits.power import event_values, saved_signals
from memspice.circuits.timing import Timing
from memspice.circuits.wired_array_circuit import WiredArrayCircuit
from memspice.devices.draws import event_thresholds
from memspice.engines.base import SolverOptions, Transient
from memspice.engines.waveforms import Waveforms
from memspice.network.mapping import map_network
from memspice.network.weights import load_network
from memspice.parameters import PARAMETER_SETS, load_parameter_set
from memspice.verification.case import Events, VerifyCase
from memspice.verification.devices import device_cases
from memspice.verification.example_layers import SENSE, memristor_layer

#: Layer number of the draws of these decks: below that of `characterize`, above any network's.
VERIFY_LAYER = 2**24 - 2
#: Of the transimpedance stage, [ohm].
FEEDBACK = 20e3


def rc_case() -> VerifyCase:
    """Step of 1 V into 1 kohm and 1 nF: charge C V (1 - exp(-5)) after five time constants."""
    deck = Deck("memspice verify: RC step", "1 kohm, 1 nF, 1 V")
    section = deck.section("Source, resistor, capacitor")
    section.V("step", "step", section.gnd, PieceWiseLinear(((0.0, 0.0), (1e-9, 1.0))))
    section.R("a", "step", "out", 1e3)
    section.C("a", "out", section.gnd, 1e-9, initial_condition=0)
    analysis = Transient(stop=5e-6, max_step=20e-9, from_rest=True)
    return VerifyCase(
        name="rc",
        what="RC step",
        deck=deck,
        analysis=analysis,
        ports=(("vstep", "step"),),
        states=("out",),
    )


def crossbar_case() -> VerifyCase:
    """Wired crossbar of 65 x 8 cells with its row drivers, into virtual grounds."""
    layer = _digits_layer()
    deck = Deck("memspice verify: wired crossbar", "65 x 8 cells, drivers, virtual grounds")
    WiredArrayCircuit().add(deck, layer, _stimulus(layer, cycles=2))
    ends = deck.section("Virtual grounds that measure the bit-line currents")
    columns = range(2 * layer.outputs)
    for column in columns:
        ends.V(f"out{column}", nodes.bit_line(column), ends.gnd, 0)
    ports = [*_row_ports(layer), *((f"vout{column}", nodes.bit_line(column)) for column in columns)]
    return VerifyCase(
        "crossbar", "wired crossbar with row drivers", deck, _cycles(layer, 2), tuple(ports)
    )


def sense_case() -> VerifyCase:
    """Transimpedance stage under a ramp of current that ends in its swing."""
    sense, cycle = SENSE.with_feedback(FEEDBACK, 1.0), memristor_layer().schedule.cycle
    deck = Deck("memspice verify: sense stage", "transimpedance stage into its swing and back")
    section = deck.section("Supplies, enable, and a ramp behind twice the feedback resistor")
    for name, voltage in sense.supplies.items():
        section.V(name, name, section.gnd, voltage)
    section.V("enable", "enable", section.gnd, PieceWiseLinear(((0.0, 0.0), (1e-9, 1.0))))
    top = 4 * sense.swing
    ramp = ((0.0, 0.0), (0.4 * cycle, top), (0.41 * cycle, -0.2 * top), (cycle, 0.0))
    section.V("ramp", "ramp", section.gnd, PieceWiseLinear(ramp))
    section.R("ramp", "ramp", "line", 2 * sense.feedback_resistance)
    subcircuit = sense.subcircuit()
    deck.subcircuit("Transimpedance stage", subcircuit)
    stage = deck.section("The stage")
    stage.X("sense", subcircuit.name, "line", "out", "enable", *sense.supplies)
    return VerifyCase(
        name="sense",
        what="transimpedance stage into its swing",
        deck=deck,
        analysis=Transient(stop=cycle, max_step=cycle / 500, from_rest=True),
        ports=tuple((f"v{name}", name) for name in ("ramp", *sense.supplies)),
        states=("out", "line"),
    )


def difference_case() -> VerifyCase:
    """Difference of a ramp and 0.2 V behind 1 kohm, into a source of -0.5 V."""
    return _difference("difference", "difference of two voltages", {"constant": 0.2})


def unswitched_case() -> VerifyCase:
    """Difference of a ramp and a second one, which counts as it was over a third at a rise."""
    inputs = {
        "other": PieceWiseLinear(((0.0, 0.0), (1e-6, 0.5))),
        "base": PieceWiseLinear(((0.0, 0.0), (1e-6, 0.1))),
        "state": PieceWiseLinear(((0.5e-6, 0.0), (0.51e-6, 1.0))),
    }
    return _difference("unswitched", "difference of two voltages, one of them held", inputs)


def _difference(
    module: str, what: str, inputs: Mapping[str, float | PieceWiseLinear]
) -> VerifyCase:
    """Subcircuit of a ramp of 1 V/us and other inputs, behind 1 kohm into a source of -0.5 V."""
    deck = Deck(f"memspice verify: {module}", f"{what}, behind 1 kohm")
    section = deck.section("Ramp, other inputs, and what their difference drives")
    ramp = PieceWiseLinear(((0.0, 0.0), (1e-6, 1.0)))
    for name, source in {"ramp": ramp, **inputs, "end": -0.5}.items():
        section.V(name, name, section.gnd, source)
    section.X(module, module, "ramp", *inputs, "out")
    section.R("end", "out", "end", 1e3)
    return VerifyCase(
        name=module,
        what=what,
        deck=deck,
        analysis=Transient(stop=1e-6, max_step=5e-9, from_rest=True),
        ports=(("vend", "end"),),
        states=("out",),
    )


def verify_cases() -> list[VerifyCase]:
    """All decks, from the smallest circuit to a whole layer."""
    return [
        rc_case(),
        crossbar_case(),
        sense_case(),
        difference_case(),
        unswitched_case(),
        *device_cases(),
        *(neuron_case(name) for name in PARAMETER_SETS),
        layer_case(),
        burst_case(),
        leaky_case(),
    ]


def neuron_case(set_name: str, cycles: int = 8) -> VerifyCase:
    """Neurons of a parameter set at four drives, through write, read and reset."""
    chosen = load_parameter_set(set_name)
    neuron, timing = chosen.neuron, chosen.timing
    law, fraction = neuron.device.hazard, neuron.write_fraction
    unit = law.unit_voltage(timing.write, timing.edge) / fraction
    scale = law.voltage_scale / fraction
    drive = unit + scale * np.array([-1.5, -0.5, 0.0, 0.5])
    draws = [
        event_thresholds(0, VERIFY_LAYER, image=0, cycle=cycle, first=0, count=4)
        for cycle in range(cycles)
    ]
    bench = NeuronBench(neuron, chosen.latch, timing, drive, np.stack(draws))

    def events(waves: Waveforms) -> Events:
        found = bench_events(bench, waves)
        return found.spike, found.hazard

    log_hazard = law.log_hazard_integral(drive * fraction, timing.write, timing.edge)
    return VerifyCase(
        name=set_name,
        what=f"{neuron.kind} neurons through write, read, reset",
        deck=bench_deck(bench),
        analysis=Transient(stop=bench.duration, max_step=timing.longest_step, from_rest=True),
        ports=tuple((f"v{rail}", rail) for rail in bench.supplies),
        states=tuple(
            f"xneuron{n}.{node}" for n in range(len(drive)) for node in ("x", "mid", "latch")
        ),
        options=_tight(timing),
        save=tuple(bench_signals(bench)),
        events=events,
        thresholds=bench.thresholds,
        hazard=np.broadcast_to(np.exp(log_hazard), bench.thresholds.shape),
    )


def layer_case(cycles: int = 3) -> VerifyCase:
    """Four neurons of the first layer of digits-mlp, with every cell and wire segment."""
    layer = _digits_layer()
    what = f"{layer.rows} rows, 4 neurons of digits-mlp, every wire"
    return _case_of("layer", what, layer, _stimulus(layer, cycles), WiredArrayCircuit())


def burst_case() -> VerifyCase:
    """Two neurons that follow the drive of a burst, cell by cell: what integrates, and what holds.

    Two bursts, the second of other pulses than the first.
    """
    layer = memristor_layer()
    stimulus = replace(_stimulus(layer, cycles=4), burst=2)
    what = f"{layer.rows} rows, {layer.outputs} neurons, two bursts of two cycles"
    return _case_of("burst", what, layer, stimulus, WiredArrayCircuit())


def leaky_case() -> VerifyCase:
    """The same two neurons with a leaky average, of which each cycle renews a quarter."""
    layer = memristor_layer(SENSE.model_copy(update={"charge_share": 0.25}))
    stimulus = replace(_stimulus(layer, cycles=4), share=layer.sense.share)
    what = f"{layer.rows} rows, {layer.outputs} neurons, four cycles of a leaky average"
    return _case_of("leaky", what, layer, stimulus, WiredArrayCircuit())


def _case_of(
    name: str, what: str, layer: LayerCircuit, stimulus: Stimulus, array: ArrayCircuit
) -> VerifyCase:
    """A layer, and all that its supplies and rows give."""
    log_hazard = layer.log_hazard(layer.held_drive(stimulus.row_voltage, stimulus.burst))

    def events(waves: Waveforms) -> Events:
        values = event_values(layer, stimulus, waves)
        return layer.latch.fired(values["spike"]), values["hazard"]

    rails = (*layer.sense.supplies, *layer.neuron.supplies, *layer.latch.supplies)
    return VerifyCase(
        name=name,
        what=what,
        deck=layer_deck(layer, stimulus, array),
        analysis=_cycles(layer, stimulus.laid_out().cycles),
        ports=(*((f"v{rail}", rail) for rail in rails), *_row_ports(layer)),
        states=tuple(f"drive{n}" for n in range(layer.outputs)),
        options=_tight(layer.timing),
        save=tuple(saved_signals(layer, array, stimulus.burst)),
        events=events,
        thresholds=stimulus.thresholds,
        hazard=np.exp(log_hazard),
    )


def _tight(timing: Timing) -> SolverOptions:
    """Tolerances under which the switching state decides the step too, not the hazard alone.

    In a layer the solver steps over the few nanoseconds of a reset, which costs half a percent of
    the reset's energy; engines that are to agree must both resolve it.
    """
    return SolverOptions(reltol=1e-5, chgtol=1e-4 * HAZARD_CHARGE_PER_SECOND * timing.write)


def _digits_layer() -> LayerCircuit:
    """First column group of the first layer of digits-mlp: 65 rows, 8 bit lines."""
    chosen = load_parameter_set("fast-memristor")
    return map_network(load_network("digits-mlp"), chosen, (128, 8), 0).layers[0].circuits[0]


def _stimulus(layer: LayerCircuit, cycles: int) -> Stimulus:
    """Half of the rows at random, and the draws of these decks."""
    rows = np.random.default_rng(VERIFY_LAYER).random((cycles, layer.rows)) < 0.5
    draws = [
        event_thresholds(0, VERIFY_LAYER, image=1, cycle=k, first=0, count=layer.outputs)
        for k in range(cycles)
    ]
    return Stimulus(rows * layer.array.read_voltage, np.stack(draws))


def _cycles(layer: LayerCircuit, cycles: int) -> Transient:
    stop = cycles * layer.schedule.cycle
    return Transient(stop=stop, max_step=layer.timing.longest_step, from_rest=True)


def _row_ports(layer: LayerCircuit) -> list[tuple[str, str]]:
    return [(f"vrow0_{row}", f"s0_{row}") for row in range(layer.rows)]
