"""The stochastic neuron as a circuit: driver, device, read divider, comparator and latch.

::

               write/read/reset              read
    drive --> [target]--driver--(top)--device--(mid)--comparator--latch--> spike
                                                |
                                     series or reference resistor

A memristor is written and read through one terminal; an MTJ is written through its heavy metal and
read through its junction, by a driver of its own.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from memspice.circuits.clocks import Clock
from memspice.circuits.deck import Deck, step_train
from memspice.circuits.parameters import NeuronPeriphery, Timing
from memspice.circuits.spice import Circuit, SubCircuit
from memspice.circuits.timing import Schedule
from memspice.devices.hazard import HazardLaw
from memspice.devices.neurons import MemristorNeuron, MtjNeuron, NeuronDevice
from memspice.devices.variation import NeuronVariation

#: The hazard integrator charges ``pulse * 1 uS``; every other state moves 1000 times less charge.
#: A charge tolerance in between lets the hazard integral alone decide the solver's step.
HAZARD_CHARGE_PER_SECOND = 1e-6

#: Parameters of an instance: numbers, or expressions of the subcircuit's own parameters.
_Values = dict[str, float | str]

#: Control pulses of a neuron, in the order of its terminals.
NEURON_CONTROLS = ("write", "read", "strobe", "reset", "clear")


def neuron_clocks(schedule: Schedule) -> dict[str, Clock]:
    """Control pulses of neurons, by the name of their node."""
    pulses = (schedule.write, schedule.read, schedule.strobe, schedule.reset, schedule.clear)
    return {name: Clock.of(pulse) for name, pulse in zip(NEURON_CONTROLS, pulses, strict=True)}


class NeuronCircuit(Protocol):
    """What neurons are built from: a layer, or a bench without one."""

    @property
    def device(self) -> NeuronDevice:
        """Stochastic device."""
        ...

    @property
    def periphery(self) -> NeuronPeriphery:
        """Driver, supplies, comparator and latch."""
        ...

    @property
    def timing(self) -> Timing:
        """Lengths of the phases."""
        ...

    @property
    def schedule(self) -> Schedule:
        """Pulses of one cycle."""
        ...


def add_neuron_supplies(circuit: Circuit, periphery: NeuronPeriphery) -> None:
    """Rails of all neurons: ``neuron_p``, ``neuron_n`` of the drivers and ``logic``."""
    circuit.V("neuron_p", "neuron_p", circuit.gnd, periphery.supply_positive)
    circuit.V("neuron_n", "neuron_n", circuit.gnd, periphery.supply_negative)
    circuit.V("logic", "logic", circuit.gnd, periphery.logic_voltage)


def add_neurons(
    deck: Deck,
    neuron: NeuronCircuit,
    thresholds: np.ndarray,
    variation: NeuronVariation | None = None,
) -> None:
    """Sections of neurons 0, 1, ... and of their thresholds (cycles, neurons), [1].

    Neuron ``n`` stands between ``drive<n>``, ``threshold<n>`` and ``spike<n>``; where neurons
    differ, each instance has the constants of its own hazard law.
    """
    draws = deck.section("Thresholds of the hazard integral: one draw E ~ Exp(1) per event")
    edge, cycle = neuron.timing.edge, neuron.schedule.cycle
    for number, values in enumerate(thresholds.T):
        train = step_train(values, edge, cycle)
        draws.V(f"threshold{number}", f"threshold{number}", draws.gnd, train)
    subcircuit = neuron_subcircuit(neuron, own_law=variation is not None)
    deck.subcircuit("One neuron: driver, device, read divider, comparator and latch", subcircuit)
    neurons = deck.section("Stochastic neurons")
    for number in range(thresholds.shape[1]):
        neurons.X(
            f"neuron{number}",
            subcircuit.name,
            f"drive{number}",
            *NEURON_CONTROLS,
            f"threshold{number}",
            *("neuron_p", "neuron_n", "logic"),
            f"spike{number}",
            **_own_law(variation, number),
        )


def _own_law(variation: NeuronVariation | None, number: int) -> dict[str, float]:
    """Parameters of one instance."""
    if variation is None:
        return {}
    return {
        "tau0": float(variation.time_scale[number]),
        "v0": float(variation.voltage_scale[number]),
    }


def neuron_subcircuit(neuron: NeuronCircuit, *, own_law: bool = False) -> SubCircuit:
    """One neuron, ``memristor_neuron`` or ``mtj_neuron``.

    With ``own_law`` the constants of the hazard law are parameters ``tau0`` [s] and ``v0`` [V] of
    the instance.
    """
    rails = ("vdd", "vss", "vlogic")
    name = f"{neuron.device.kind}_neuron"
    law = _law_parameters(neuron.device.hazard)
    ports = ("drive", *NEURON_CONTROLS, "threshold", *rails, "spike")
    circuit = SubCircuit(name, *ports, **(law if own_law else {}))
    state = _state_parameters(neuron) | {key: f"{{{key}}}" for key in law if own_law}
    if isinstance(neuron.device, MemristorNeuron):
        _memristor(circuit, neuron, neuron.device, state)
    else:
        _mtj(circuit, neuron, neuron.device, state)
    _read_latch(circuit, neuron)
    return circuit


def _memristor(
    circuit: SubCircuit, neuron: NeuronCircuit, device: MemristorNeuron, state: _Values
) -> None:
    """One driver writes, reads and resets the device through the same terminal."""
    periphery = neuron.periphery
    _driver(circuit, neuron, v_read=periphery.read_voltage)
    circuit.X(
        "device",
        "filament_memristor",
        *("top", "mid", "target", "write", "reset", "clear", "threshold", "h", "x"),
        r_on=device.on_resistance,
        r_off=device.off_resistance,
        **state,
    )
    circuit.R("series", "mid", circuit.gnd, device.series_resistance)


def _mtj(circuit: SubCircuit, neuron: NeuronCircuit, device: MtjNeuron, state: _Values) -> None:
    """One driver writes and resets through the heavy metal, another reads the junction."""
    periphery, ground = neuron.periphery, circuit.gnd
    _driver(circuit, neuron, v_read=0.0)
    circuit.X(
        "readcontrol",
        "phase_control",
        *(ground, ground, "read", ground, ground, "readlevel"),
        v_read=periphery.read_voltage,
        v_reset=0.0,
    )
    resistance = periphery.driver_resistance
    circuit.X("readdriver", "output_stage", "readlevel", "junction", "vdd", "vss", r_out=resistance)
    circuit.X(
        "device",
        "sot_mtj",
        *("top", ground, "junction", "mid", "target"),
        *("write", "reset", "clear", "threshold", "h", "x"),
        r_heavy_metal=device.heavy_metal_resistance,
        r_parallel=device.parallel_resistance,
        r_antiparallel=device.antiparallel_resistance,
        **state,
    )
    circuit.R("reference", "mid", ground, device.reference_resistance)


def _driver(circuit: SubCircuit, neuron: NeuronCircuit, *, v_read: float) -> None:
    periphery = neuron.periphery
    circuit.X(
        "control",
        "phase_control",
        *("drive", "write", "read", "reset", "latch", "target"),
        v_read=v_read,
        v_reset=periphery.reset_voltage,
    )
    resistance = periphery.driver_resistance
    circuit.X("driver", "output_stage", "target", "top", "vdd", "vss", r_out=resistance)


def _law_parameters(law: HazardLaw) -> dict[str, float]:
    return {"tau0": law.time_scale, "v0": law.voltage_scale}


def _state_parameters(neuron: NeuronCircuit) -> _Values:
    """Hazard law, and time constants that are short against the phase they act in."""
    timing, device = neuron.timing, neuron.device
    return {
        "v_reset_min": device.reset_threshold,
        "write_fraction": device.write_fraction(neuron.periphery.driver_resistance),
        **_law_parameters(device.hazard),
        "pulse": timing.write,
        "set_time": timing.write / 100,
        "reset_time": timing.reset / 50,
    }


def _read_latch(circuit: SubCircuit, neuron: NeuronCircuit) -> None:
    periphery, timing, ground = neuron.periphery, neuron.timing, circuit.gnd
    circuit.C("mid", "mid", ground, periphery.node_capacitance)
    circuit.X(
        "latch",
        "read_latch",
        *("mid", "read", "strobe", "clear", "vlogic", "latch", "level"),
        v_compare=periphery.compare_voltage,
        v_logic=periphery.logic_voltage,
        i_compare=periphery.compare_current,
        pulse=timing.write,
        latch_time=timing.read / 40,
    )
    resistance = periphery.latch_resistance
    circuit.X("output", "output_stage", "level", "spike", "vlogic", ground, r_out=resistance)
    circuit.C("spike", "spike", ground, periphery.latch_capacitance, initial_condition=0)
