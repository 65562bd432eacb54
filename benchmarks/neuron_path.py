"""``python -m benchmarks.neuron_path``: measure the joules of a neuron's switches and its latch.

One neuron at 1.2 V runs through a warm-up and three cycles; in the second of these it switches half
way through its pulse.  What the closed form has for device and resistor is taken off; the rest are
the constants of ``models/freepdk45/neuron.toml``.  The driver of the common electrode has a deck of
its own, with the wire of all neurons of a group.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from memspice.analysis.sense_surface import OPTIONS
from memspice.circuits.blocks.neuron import instance
from memspice.circuits.blocks.strongarm_latch import StrongArmLatch
from memspice.circuits.blocks.switched_neuron import SwitchedNeuron, WritePath
from memspice.circuits.clocks import Clock
from memspice.circuits.deck import Deck
from memspice.circuits.freepdk45 import transistor_cards
from memspice.circuits.library import read_library
from memspice.circuits.neuron_bench import NeuronBench, bench_deck, bench_signals
from memspice.circuits.nodes import spike
from memspice.circuits.signals import energy_between, source_power
from memspice.circuits.timing import Timing, schedule
from memspice.devices.neurons import MemristorNeuron
from memspice.engines import find_engine
from memspice.engines.base import Transient
from memspice.parameters import load_parameter_set
from memspice.parameters.file import SetFile
from memspice.resources import resource_path

SET = "fast-memristor"
#: Write voltage, and draws relative to its hazard integral, cycle by cycle.
DRIVE, DRAWS = 1.2, (2.0, 0.5, 2.0)
#: Digits of the hash of a text of transistors, by which a constant of another one is seen.
DIGITS = 12
#: Neurons of a group with one electrode, and its wire, [F] a neuron: some 5 um at 0.2 fF/um.
GROUP, WIRE = 64, 1e-15


def text_hash(name: str) -> str:
    """Begin of the SHA-256 of a library of ``models/freepdk45/``, with all that it includes."""
    library = read_library(resource_path("freepdk45", f"{name}.lib"), transistor_cards("nom"))
    return hashlib.sha256(library.text.encode()).hexdigest()[:DIGITS]


def blocks() -> tuple[SwitchedNeuron, StrongArmLatch, Timing]:
    """Neuron and latch of ``models/freepdk45/neuron.toml`` with the device of fast-memristor."""
    values, file = load_parameter_set(SET), SetFile(resource_path("freepdk45", "neuron.toml"))
    device = values.neuron.device
    assert isinstance(device, MemristorNeuron)
    neuron = SwitchedNeuron(file.table("periphery", WritePath), device)
    return neuron, file.table("latch", StrongArmLatch), values.timing


def switches(engine: str) -> Mapping[str, float]:
    """Constants of switches and latch, in SI units, by their names in the parameter classes."""
    neuron, latch, timing = blocks()
    neuron = replace(neuron, path=neuron.path.model_copy(update={"electrode_energy": 0.0}))
    drive = np.array([DRIVE])
    law = neuron.device.hazard.log_hazard_integral
    hazard = np.exp(law(drive * neuron.write_fraction, timing.write, timing.edge))
    bench = NeuronBench(neuron, latch, timing, drive, np.outer(DRAWS, hazard))
    simulator, own = find_engine(engine), instance(0)
    names = [*neuron.signals(own), *latch.signals(own, spike(0)), *bench_signals(bench)]
    waves = simulator.run(
        simulator.write(bench_deck(bench)),
        Transient(stop=bench.duration, max_step=timing.longest_step, from_rest=True),
        save=list(dict.fromkeys(names)),
        options=OPTIONS,
    )
    cycle = bench.schedule
    limits = bench.starts[:, None] + np.array([0.0, *cycle.phase_ends])
    power, logic = neuron.power(waves, own), latch.power(waves, own, spike(0))
    phases, latched = (energy_between(waves.time, each, limits) for each in (power, logic))

    def steady(each: np.ndarray) -> float:
        """Power in the middle of the first write pulse, where nothing moves, [W]."""
        times = bench.starts[0] + cycle.write.start + timing.write * np.array([0.2, 0.9])
        return float(energy_between(waves.time, each, times)[0] / np.ptp(times))

    write = float(neuron.write_power(drive[None], np.zeros((1, 1)))[0])
    reads = neuron.read_power(np.array([[False], [True]])) * cycle.read.area
    leak, logic_leak = steady(power) - write, steady(logic)
    off = phases[0] - leak * np.diff((0.0, *cycle.phase_ends))
    more = phases[1] - phases[0]
    return {
        "periphery.write_energy": off[0] - write * cycle.write.area,
        "periphery.read_energy": off[1] - reads[0],
        "periphery.reset_energy": off[2],
        "periphery.switched_read_energy": more[1] - (reads[1] - reads[0]),
        "periphery.switched_reset_energy": more[2] - neuron.reset_energy(cycle, timing),
        "periphery.leakage": leak,
        "latch.decision_energy": latched[0].sum() - logic_leak * cycle.cycle,
        "latch.leakage": logic_leak,
    }


def electrode(engine: str) -> float:
    """Joules that the electrode's driver takes in a cycle, a neuron of its group."""
    path, timing = blocks()[0].path, blocks()[2]
    cycle, write = schedule(timing).cycle, schedule(timing).write
    library = read_library(resource_path("freepdk45", "electrode.lib"), transistor_cards("nom"))
    deck = Deck("memspice periphery: electrode", "Driver and wire of a group's electrode")
    deck.library(library)
    circuit = deck.section("Bench")
    supplies = {"vdd": path.supply_voltage, "vh": path.electrode_voltage}
    for name, voltage in supplies.items():
        circuit.V(name, name, circuit.gnd, voltage)
    circuit.V("on", "on", circuit.gnd, Clock(((write.start, write.stop),)).train(cycle, 2))
    circuit.X("driver", "electrode", "on", "common", *supplies)
    circuit.C("wire", "common", circuit.gnd, GROUP * WIRE)
    simulator = find_engine(engine)
    waves = simulator.run(
        simulator.write(deck),
        Transient(stop=2 * cycle, max_step=cycle / 200, from_rest=True),
        save=[*(f"i(v{name})" for name in supplies), "v(common)"],
        options=OPTIONS,
    )
    power = sum(source_power(waves, *supply) for supply in supplies.items())
    return (
        float(energy_between(waves.time, np.asarray(power), np.array([cycle, 2 * cycle]))[0])
        / GROUP
    )


def constants(engine: str) -> dict[str, float]:
    """Every measured constant of ``models/freepdk45/neuron.toml``, by ``table.name``, [J or W]."""
    found = {name: float(value) for name, value in switches(engine).items()}
    return found | {"periphery.electrode_energy": electrode(engine)}


def main() -> None:
    """Print the constants on both engines, and the hashes that belong to them."""
    columns = [constants(engine) for engine in ("ngspice", "vacask")]
    for name, value in columns[0].items():
        sys.stdout.write(f"{name:36} {value:.4g} {columns[1][name]:.4g}\n")
    for name in ("write_path", "strongarm", "electrode"):
        sys.stdout.write(f"{name}.lib {text_hash(name)}\n")


if __name__ == "__main__":
    main()
