"""Small layers for tests, and one run of them through ngspice with everything it is judged by."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from memspice.circuits.array_circuit import ArrayCircuit, Stimulus
from memspice.circuits.blocks.neuron import HAZARD_CHARGE_PER_SECOND
from memspice.circuits.blocks.resistive import Resistive
from memspice.circuits.blocks.sense import SenseStage
from memspice.circuits.blocks.transimpedance import Transimpedance
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.netlists import layer_deck
from memspice.circuits.power import LayerPower, event_values, layer_power, saved_signals
from memspice.devices.synapse import differential_conductance
from memspice.engines import find_engine
from memspice.engines.base import Engine, SolverOptions, Transient
from memspice.parameters import load_parameter_set
from memspice.resources import resource_path
from memspice.store import Column
from memspice.windows.fidelities import SIMULATED
from memspice.windows.fidelity import Fidelity
from memspice.windows.kept_signals import kept_signals
from memspice.windows.surrogate import Surrogate

FEEDBACK = 20e3
#: Tables that a set of transistor neurons has of its own, in the place of its device's.
_NEURON_TABLES = ("periphery", "latch")
#: What a hazard integral of SPICE and the closed form may differ by.  The drive settles within e^-8
#: or better before the pulse, and the solver integrates the hazard, which is exponential in the
#: drive, with a local error of 1e-5 at about 40 points a pulse.
HAZARD_TOLERANCE = 1e-3


def solver_options(write: float) -> SolverOptions:
    """Options under which the hazard integral alone decides the step; ``write`` in [s]."""
    charge = 0.1 * HAZARD_CHARGE_PER_SECOND * write
    return SolverOptions(method="gear", reltol=1e-5, chgtol=charge)


@cache
def switched_set() -> str:
    """File of fast-memristor with the switches and the latch of ``models/freepdk45/``."""
    tables = resource_path("fast-memristor.toml").read_text(encoding="utf-8").split("\n[")
    kept = [table for table in tables if table.partition("]")[0] not in _NEURON_TABLES]
    text = "\n[".join(kept).replace('device = "memristor"', 'device = "switched-memristor"')
    own = resource_path("freepdk45", "neuron.toml").read_text(encoding="utf-8")
    own = own[own.index("[periphery]") :]
    path = Path(tempfile.mkdtemp(prefix="memspice-test-")) / "switched.toml"
    path.write_text(f"{text}\n{own}", encoding="utf-8")
    return str(path)


def small_layer(
    name: str = "fast-memristor",
    weights: np.ndarray | None = None,
    *,
    tiles: int = 1,
    resistive: bool = False,
    spiking: bool = True,
    **array: float,
) -> LayerCircuit:
    """Layer in which a weight of 1 on a spiking row raises the hazard e times.

    ``weights`` is (rows, outputs); ``array`` changes values of the parameter set's array.
    """
    if weights is None:
        weights = np.random.default_rng(5).uniform(-0.8, 0.8, (6, 2))
    values = load_parameter_set(name)
    synapse = values.synapse.model_copy(update={"variation": 0.0})
    conductance = differential_conductance(weights, 1.0, synapse, np.random.default_rng(0))
    law, share = values.neuron.device.hazard, values.neuron.write_fraction
    asked = law.voltage_scale / share / (values.array.read_voltage * synapse.span)
    return LayerCircuit(
        conductances=tuple(np.array_split(conductance, tiles)),
        array=values.array.model_copy(update=array),
        sense=stage_of(values.sense, asked, resistive=resistive),
        bias_voltage=law.unit_voltage(values.timing.write, values.timing.edge) / share,
        write_limits=values.neuron.write_limits,
        neuron=values.neuron,
        latch=values.latch,
        timing=values.timing,
        spiking=spiking,
    )


def stage_of(sense: Transimpedance, asked: float, *, resistive: bool) -> SenseStage:
    """Stage of an asked gain [ohm], behind feedback or resistors of ``FEEDBACK``."""
    if not resistive:
        gain = asked / sense.with_feedback(FEEDBACK, 1.0).line_gain
        return sense.with_feedback(FEEDBACK, gain)
    # 100 ohm would ask for a gain with which the difference stage is slower than the pulse.
    shared = sense.model_dump(exclude={"kind"}) | {"bandwidth": 4 * sense.bandwidth}
    return Resistive(**shared, sense_resistance=FEEDBACK).with_gain(asked / FEEDBACK)


def changed(layer: LayerCircuit, part: str, **values: Any) -> LayerCircuit:
    """Copy of a layer with other values of its ``array``, ``timing``, ``driver``, ..."""
    if part in ("device", "driver"):
        own = getattr(layer.neuron, part).model_copy(update=values)
        return replace(layer, neuron=replace(layer.neuron, **{part: own}))
    return replace(layer, **{part: getattr(layer, part).model_copy(update=values)})


def hazard_integral(layer: LayerCircuit, row_voltage: np.ndarray) -> np.ndarray:
    """Closed-form hazard integral (cycles, outputs) of the settled drive."""
    return np.exp(layer.log_hazard(layer.drive_voltage(row_voltage)))


def near_stimulus(layer: LayerCircuit, cycles: int = 3, distance: float = 0.02) -> Stimulus:
    """Random spikes, and draws as near to the hazard integrals as ``distance``, on both sides."""
    rng = np.random.default_rng(11)
    rows = (rng.random((cycles, layer.rows)) < 0.5) * layer.array.read_voltage
    side = np.resize(
        [1 - distance, 1 + distance, 1 + distance, 1 - distance], cycles * layer.outputs
    )
    hazard = hazard_integral(layer, rows)
    return Stimulus(rows, hazard * side.reshape(hazard.shape))


@cache
def ngspice() -> Engine:
    """One probed engine for all tests."""
    return find_engine("ngspice")


@dataclass(frozen=True)
class Simulated:
    """What a run gave: event values (cycles, outputs), powers over time, relative closure.

    ``signals`` are those that a record would keep of all neurons.
    """

    drive: np.ndarray
    hazard: np.ndarray
    spikes: np.ndarray
    power: LayerPower
    closure: float
    signals: dict[str, Column]

    @property
    def delivered(self) -> float:
        """Energy from all sources, [J]."""
        return float(np.trapezoid(self.power.delivered, self.power.time))


#: What the decks of a fidelity have for the array.
ARRAYS: dict[str, ArrayCircuit] = {name: kind.array for name, kind in SIMULATED.items()}


def fidelity_of(name: str, engine: object = None) -> Fidelity:
    """Return the fidelity of a name, which must not run anything without an engine."""
    if name in SIMULATED:
        return SIMULATED[name](engine)  # type: ignore[arg-type]
    return Surrogate()


def simulate(
    layer: LayerCircuit,
    stimulus: Stimulus,
    fidelity: str,
    options: SolverOptions | None = None,
    engine: Engine | None = None,
) -> Simulated:
    """Run a layer from rest, in ngspice and as coarsely as hazard integrals allow by default."""
    timing, engine = layer.timing, engine or ngspice()
    waveforms = engine.run(
        engine.write(layer_deck(layer, stimulus, ARRAYS[fidelity])),
        Transient(
            stop=layer.lead + stimulus.laid_out().cycles * layer.schedule.cycle,
            max_step=timing.longest_step,
            from_rest=True,
        ),
        save=saved_signals(layer, ARRAYS[fidelity], stimulus.burst),
        options=options or solver_options(timing.write),
    ).after(layer.lead)
    values = event_values(layer, stimulus, waveforms)
    nothing = np.zeros_like(values["drive"])
    power = layer_power(layer, stimulus, ARRAYS[fidelity], waveforms)
    return Simulated(
        drive=values["drive"],
        hazard=values.get("hazard", nothing),
        spikes=layer.latch.fired(values.get("spike", nothing)),
        power=power,
        closure=closure(power),
        signals=kept_signals(layer, stimulus, ARRAYS[fidelity], waveforms, range(layer.outputs)),
    )


def closure(power: LayerPower) -> float:
    """Energy delivered but not found, relative to what was delivered."""
    parts = (power.driver, power.crossbar, power.sense, power.neuron, power.logic)
    found = sum(float(np.trapezoid(part, power.time, axis=-1).sum()) for part in parts)
    delivered = float(np.trapezoid(power.delivered, power.time))
    return abs(delivered - found - float(power.stored[-1] - power.stored[0])) / delivered
