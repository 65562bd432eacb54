"""Layers of the example circuits, with the values of the parameter sets but without their files.

Units and sources stand in ``models/fast-memristor.toml``, ``models/sot-mtj.toml`` and
``models/crossbar.toml``; a test holds the two equal.
"""

from __future__ import annotations

import numpy as np

from memspice.circuits.array_circuit import Stimulus
from memspice.circuits.blocks.comparator_latch import ComparatorLatch
from memspice.circuits.blocks.driven_neuron import DrivenNeuron, NeuronDriver
from memspice.circuits.blocks.filament_neuron import FilamentNeuron
from memspice.circuits.blocks.mtj_neuron import SotMtjNeuron
from memspice.circuits.blocks.resistive import Resistive
from memspice.circuits.blocks.sense import SenseStage
from memspice.circuits.blocks.sense_design import SenseDesign, SenseNeeds
from memspice.circuits.blocks.transimpedance import Transimpedance
from memspice.circuits.blocks.transistor_cell import TransistorCell
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.parameters import ArrayParameters
from memspice.circuits.timing import Timing
from memspice.devices.hazard import HazardLaw
from memspice.devices.neurons import MemristorNeuron, MtjNeuron
from memspice.devices.synapse import Synapse, differential_conductance
from memspice.devices.synapse_iv import SinhCell
from memspice.devices.transistor import AccessTransistor

ARRAY = ArrayParameters(
    wire_resistance_row=1.06, wire_resistance_col=1.06, driver_resistance=120.0, read_voltage=0.1
)
#: As in models/cells.toml.
GATED_CELL = TransistorCell(
    curve=SinhCell(voltage_scale=0.25),
    access=AccessTransistor(
        transconductance=1.49e-3, threshold_voltage=0.46893, slope_factor=1.4, temperature=300.0
    ),
)
#: Without spread: a reader can check each cell by hand.
SYNAPSE = Synapse(min_conductance=0.2e-6, max_conductance=10e-6, levels=32)
SENSE = Transimpedance(
    gain=1e4,
    bandwidth=1e9,
    supply=1.0,
    swing=0.9,
    output_resistance=100.0,
    quiescent_current=6.3e-6,
)
#: With which transimpedance stages have 20 kohm of feedback, [A].
LARGEST_CURRENT = 40e-6
#: Of bit lines of the example, about, [S].
CONDUCTANCES = (200e-6, 400e-6)
RESISTIVE_SENSE = Resistive(**SENSE.model_dump(exclude={"kind"}), sense_resistance=20e3)
#: Weights of both outputs, row by row.
WEIGHTS = np.array([[1.0, -0.5], [0.5, 1.0], [-1.0, 0.25], [0.25, -0.75]])
#: Rows that carry a spike, cycle by cycle.
SPIKES = np.array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
#: Draws E of both outputs, cycle by cycle: one of the two switches in each.
THRESHOLDS = np.array([[1.0, 2.5], [1.0, 0.3]])

MEMRISTOR = MemristorNeuron(
    hazard=HazardLaw(voltage_scale=0.156, time_scale=3.2e-4),
    on_resistance=1e6,
    off_resistance=1e9,
    series_resistance=1e6,
    reset_threshold=0.5,
)
MEMRISTOR_TIMING = Timing(edge=1e-9, settle=20e-9, write=100e-9, read=20e-9, reset=100e-9, gap=5e-9)
MEMRISTOR_DRIVER = NeuronDriver(
    neuron_driver_resistance=1e3,
    supply_positive=1.8,
    supply_negative=-2.0,
    write_low=0.0,
    write_high=1.62,
    neuron_read_voltage=0.4,
    reset_voltage=2.0,
)
LATCH = ComparatorLatch(
    compare_voltage=0.1,
    logic_voltage=1.0,
    compare_current=1.63e-6,
    latch_resistance=10e3,
    latch_capacitance=10e-15,
    node_capacitance=1e-15,
)
MEMRISTOR_NEURON = FilamentNeuron(MEMRISTOR_DRIVER, MEMRISTOR)

MTJ = MtjNeuron(
    hazard=HazardLaw.from_neel_brown(attempt_time=1e-9, critical_voltage=0.884, barrier=20.0),
    heavy_metal_resistance=776.0,
    parallel_resistance=4.9e3,
    antiparallel_resistance=10e3,
    reference_resistance=7e3,
    reset_threshold=0.4,
)
MTJ_SENSE = SENSE.model_copy(update={"bandwidth": 5e9, "quiescent_current": 31.4e-6})
MTJ_TIMING = Timing(edge=0.1e-9, settle=2e-9, write=10e-9, read=4e-9, reset=4e-9, gap=0.5e-9)
MTJ_DRIVER = NeuronDriver(
    neuron_driver_resistance=100.0,
    supply_positive=1.1,
    supply_negative=-1.1,
    write_low=0.0,
    write_high=0.998,
    neuron_read_voltage=0.2,
    reset_voltage=1.0,
)
MTJ_NEURON = SotMtjNeuron(MTJ_DRIVER, MTJ)


def memristor_layer(sense: SenseDesign = SENSE) -> LayerCircuit:
    """Four rows, two memristor neurons: a sum of weights of 1 raises the hazard e times."""
    return _spiking_layer(MEMRISTOR_NEURON, MEMRISTOR_TIMING, sense)


def mtj_layer() -> LayerCircuit:
    """Four rows, two MTJ neurons."""
    return _spiking_layer(MTJ_NEURON, MTJ_TIMING, MTJ_SENSE)


def accumulating_layer() -> LayerCircuit:
    """Four rows, two outputs without neurons: a sum of weights of 1 gives 0.2 V."""
    return LayerCircuit(
        conductances=_conductances(),
        array=ARRAY,
        sense=_sized(SENSE, MEMRISTOR_TIMING, 0.2),
        bias_voltage=0.0,
        write_limits=(-SENSE.swing, SENSE.swing),
        neuron=MEMRISTOR_NEURON,
        latch=LATCH,
        timing=MEMRISTOR_TIMING,
        spiking=False,
    )


def stimulus() -> Stimulus:
    """Two cycles of row voltages and draws."""
    return Stimulus(SPIKES * ARRAY.read_voltage, THRESHOLDS)


def _spiking_layer(neuron: DrivenNeuron, timing: Timing, sense: SenseDesign) -> LayerCircuit:
    law, fraction = neuron.device.hazard, neuron.write_fraction
    return LayerCircuit(
        conductances=_conductances(),
        array=ARRAY,
        sense=_sized(sense, timing, law.voltage_scale / fraction),
        bias_voltage=law.unit_voltage(timing.write, timing.edge) / fraction,
        write_limits=neuron.write_limits,
        neuron=neuron,
        latch=LATCH,
        timing=timing,
        spiking=True,
    )


def _conductances() -> tuple[np.ndarray, ...]:
    unused = np.random.default_rng(0)  # nothing is random without variation and stuck cells
    return (differential_conductance(WEIGHTS, 1.0, SYNAPSE, unused),)


def _sized(sense: SenseDesign, timing: Timing, voltage_per_weight: float) -> SenseStage:
    """Stage that turns a weight of 1 on a spiking row into ``voltage_per_weight`` [V]."""
    asked = voltage_per_weight / (ARRAY.read_voltage * SYNAPSE.span)
    return sense.sized(
        SenseNeeds(
            asked,
            LARGEST_CURRENT,
            CONDUCTANCES,
            timing.settle,
            layer="example",
            cause="its weights",
        )
    )
