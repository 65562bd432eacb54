"""``python -m benchmarks.neuron_path``: measure the joules of a neuron's switches and its latch.

Neurons at nine drives from 0 V to the supply run through a warm-up and two cycles; in the second
they switch half way through their pulse.  What the closed form has for device and resistor is taken
off; its other terms are fitted to the rest, and are the constants of
``models/freepdk45/neuron.toml``.  The driver of the common electrode has a deck of its own, with
the wire of all neurons of a group.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from memspice.analysis.sense_surface import OPTIONS
from memspice.circuits.blocks.neuron import instance
from memspice.circuits.blocks.strongarm_latch import StrongArmLatch
from memspice.circuits.blocks.switched_neuron import SwitchedNeuron
from memspice.circuits.blocks.write_path import WritePath
from memspice.circuits.clocks import Clock
from memspice.circuits.deck import Deck
from memspice.circuits.freepdk45 import transistor_cards
from memspice.circuits.library import read_library
from memspice.circuits.neuron_bench import NeuronBench, bench_deck, bench_signals
from memspice.circuits.nodes import spike
from memspice.circuits.signals import energy_between, source_power
from memspice.circuits.timing import Schedule, Timing, schedule
from memspice.devices.neurons import MemristorNeuron
from memspice.engines import find_engine
from memspice.engines.base import Transient
from memspice.engines.waveforms import Waveforms
from memspice.parameters import load_parameter_set
from memspice.parameters.file import SetFile
from memspice.resources import resource_path

SET = "fast-memristor"
#: Drives in parts of the supply: at Chebyshev's points the best fit is nearly the one that is off
#: by least at worst.  One of them stands for all in what hardly depends on them.
LEVELS, MIDDLE = 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, 9)), 4
#: Draws relative to the hazard integral, cycle by cycle.
DRAWS = (2.0, 0.5)
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


def drives_bench(levels: np.ndarray, draws: Sequence[float]) -> NeuronBench:
    """Neurons at some drives in parts of the supply; their electrode is a bare source.

    All have the same draws, relative to their hazard integrals, cycle by cycle.
    """
    neuron, latch, timing = blocks()
    neuron = replace(neuron, path=neuron.path.model_copy(update={"electrode_energy": 0.0}))
    drive = neuron.electrode - neuron.path.supply_voltage * levels
    law = neuron.device.hazard.log_hazard_integral
    hazard = np.exp(law(drive * neuron.write_fraction, timing.write, timing.edge))
    return NeuronBench(neuron, latch, timing, drive, np.outer(draws, hazard))


def simulated(bench: NeuronBench, engine: str) -> Waveforms:
    """Waveforms of a bench, with all that powers need."""
    names = bench_signals(bench)
    for number in range(bench.neurons):
        names += bench.neuron.signals(instance(number))
        names += bench.latch.signals(instance(number), spike(number))
    simulator = find_engine(engine)
    return simulator.run(
        simulator.write(bench_deck(bench)),
        Transient(stop=bench.duration, max_step=bench.timing.longest_step, from_rest=True),
        save=list(dict.fromkeys(names)),
        options=OPTIONS,
    )


def phase_energy(bench: NeuronBench, waves: Waveforms) -> np.ndarray:
    """Joules of each neuron in write, read and reset phase, (cycles, neurons, 3)."""
    limits = bench.starts[:, None] + np.array([0.0, *bench.schedule.phase_ends])
    powers = [bench.neuron.power(waves, instance(number)) for number in range(bench.neurons)]
    return np.stack([energy_between(waves.time, power, limits) for power in powers], axis=1)


def switches(engine: str) -> Mapping[str, float]:
    """Constants of switches and latch, in SI units, by their names in the parameter classes."""
    bench = drives_bench(LEVELS, DRAWS)
    waves = simulated(bench, engine)
    neuron, cycle = bench.neuron, bench.schedule
    assert isinstance(neuron, SwitchedNeuron)
    phases, middle = phase_energy(bench, waves), instance(MIDDLE)
    power, logic = neuron.power(waves, middle), bench.latch.power(waves, middle, spike(MIDDLE))

    def steady(power: np.ndarray) -> float:
        """Power in the middle of the first write pulse, where nothing moves, [W]."""
        calm = cycle.write.start + bench.timing.write * np.array([0.2, 0.9])
        return float(energy_between(waves.time, power, bench.starts[0] + calm)[0] / np.ptp(calm))

    silent, drive = np.zeros((bench.neurons, 1)), bench.drive_voltage[:, None]
    write = neuron.write_power(drive, silent)
    read = neuron.read_power(silent > 0)
    leak, logic_leak = steady(power) - write[MIDDLE], steady(logic)
    rest = phases[0] - leak * np.diff((0.0, *cycle.phase_ends))
    rest -= np.stack([write * cycle.write.area, read * cycle.read.area, 0 * write], axis=-1)
    more = phases[1, MIDDLE] - phases[0, MIDDLE] - _device(bench, waves)
    nodes = fitted(neuron.path, cycle, rest, phases[0])
    decision = energy_between(waves.time, logic, bench.starts)[0]
    from_ground = nodes["periphery.read_capacitance"] * neuron.path.read_voltage
    return {
        **nodes,
        "periphery.switched_write_energy": more[0],
        "periphery.switched_read_energy": more[1]
        - from_ground * neuron.drive_for(drive[MIDDLE, 0]),
        "periphery.switched_reset_energy": more[2],
        "periphery.leakage": leak,
        "latch.decision_energy": decision - logic_leak * cycle.cycle,
        "latch.leakage": logic_leak,
    }


def _device(bench: NeuronBench, waves: Waveforms) -> np.ndarray:
    """What device and resistor take more in the cycle with a switch, phase by phase, (3,), [J]."""
    neuron, cycle = bench.neuron, bench.schedule
    pulse = cycle.write.at(waves.time - bench.starts[1])
    state = np.clip(waves.voltage(f"{instance(MIDDLE)}.x"), 0, 1)
    conducts = energy_between(waves.time, pulse * state, bench.starts[1] + [0.0, cycle.rows.stop])
    on = np.array([[0.0], conducts / cycle.write.area])
    drive = bench.drive_voltage[[MIDDLE, MIDDLE], None]
    write = np.diff(neuron.write_power(drive, on)) * cycle.write.area
    read = np.diff(neuron.read_power(on > 0)) * cycle.read.area
    return np.array([*write, *read, neuron.reset_energy(cycle, bench.timing)])


def fitted(
    path: WritePath, cycle: Schedule, joules: np.ndarray, whole: np.ndarray
) -> dict[str, float]:
    """Constants of `WritePath.event_energy` that fit joules (drives, 3) without a switch best.

    What is off counts in parts of the whole of a phase, (drives, 3) [J], which has a device, too.
    """
    supply, read = path.supply_voltage, path.read_voltage
    level, lengths = supply * LEVELS, np.diff(cycle.phase_ends)
    ones, share = np.ones_like(level), path.leaking(level)

    def fit(phase: int, rest: np.ndarray, *terms: np.ndarray) -> np.ndarray:
        parts = np.stack([*terms, rest]) / whole[:, phase]
        return np.asarray(np.linalg.lstsq(parts[:-1].T, parts[-1])[0])

    below = supply - level
    write = fit(0, joules[:, 0], ones, below * supply, -below * level)
    reset = fit(2, joules[:, 2], ones, share * lengths[1])
    leaked = reset[1] * share * lengths[0]
    taken = fit(1, joules[:, 1] - leaked, ones, read * (read - level))
    return {
        "periphery.write_energy": write[0],
        "periphery.gate_capacitance": write[1],
        "periphery.node_capacitance": write[2],
        "periphery.read_energy": taken[0],
        "periphery.read_capacitance": taken[1],
        "periphery.reset_energy": reset[0],
        "periphery.pass_leakage": reset[1],
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
    """Every measured constant of ``models/freepdk45/neuron.toml``, by ``table.name``, SI units."""
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
