"""One window through one fidelity: all neurons of a layer at one position, through some cycles.

A window is cut into jobs, each of some successive outputs of the layer; a job ends as a record that
the store can keep and that `memspice.windows.outcome` reads back, so that a resumed run and a
fresh one are the same.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np

from memspice.analysis.energy import EnergyBalance, energy_balance
from memspice.circuits.bursts import check_burst, refuse_simulated_bursts
from memspice.circuits.closed_form_limits import refuse_without_closed_form
from memspice.circuits.energy_model import closed_form_energy
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.netlists import Stimulus, layer_deck
from memspice.circuits.neuron import HAZARD_CHARGE_PER_SECOND
from memspice.circuits.parameters import Timing
from memspice.circuits.power import event_values, layer_power, saved_signals
from memspice.circuits.reducible import refuse_unless_reducible
from memspice.devices.draws import event_thresholds
from memspice.devices.neurons import MemristorNeuron
from memspice.engines.base import Engine, SolverOptions, Transient
from memspice.engines.waveforms import Waveforms
from memspice.errors import ConfigError, EngineError, NetlistError
from memspice.jobs import EngineRequest, content_hash
from memspice.network.inference import Window
from memspice.network.mapping import MappedLayer
from memspice.solver.reduction import one_blas_thread
from memspice.store import JobRecord

Fidelity = Literal["full", "reduced", "surrogate"]


#: Most outputs of a reduced deck.  Each neuron's events cut the time steps of all others in a deck:
#: 64 neurons, 16 cycles take 57 s of processor time in one deck of ngspice, 13 in decks of 8, 9.5
#: of 4, 9.8 of 2, 10.2 of 1; in VACASK 9.4 in one deck, 4.5, 5.6, 6.9 and 9.1 (on a busy machine).
DECK_OUTPUTS = 4


@dataclass(frozen=True, eq=False)
class WindowJob:
    """Some outputs of a window, at one fidelity; ``inputs`` is (cycles, fan_in) in [0, 1].

    Those of every ``burst`` cycles are integrated into one drive, which is held as long
    (`memspice.circuits.bursts`).
    """

    layer: MappedLayer
    outputs: range
    window: Window
    inputs: np.ndarray
    fidelity: Fidelity
    seed: int
    burst: int = 1

    @cached_property
    def circuit(self) -> LayerCircuit:
        """Circuit of the outputs."""
        return self.layer.circuit(self.outputs)

    @property
    def name(self) -> str:
        """Name in the store."""
        window, outputs = self.window, self.outputs
        return (
            f"{window.layer}/image{window.image:05d}_position{window.position:04d}"
            f"_outputs{outputs.start:03d}_{outputs.stop - 1:03d}_{self.fidelity}"
        )

    @property
    def key(self) -> str:
        """Identity for a resumed run, whose configuration is the same."""
        return content_hash(self.name, self.seed, self.inputs, self.burst)

    def stimulus(self) -> Stimulus:
        """Row voltages and thresholds of the job's events."""
        circuit, window = self.circuit, self.window
        first = window.position * self.layer.outputs + self.outputs.start
        thresholds = [
            event_thresholds(
                self.seed, self.layer.number, window.image, cycle, first, circuit.outputs
            )
            for cycle in range(len(self.inputs))
        ]
        return Stimulus(self.layer.row_voltage(self.inputs), np.stack(thresholds))


def window_jobs(
    layer: MappedLayer,
    window: Window,
    inputs: np.ndarray,
    fidelity: Fidelity,
    seed: int,
    burst: int = 1,
) -> list[WindowJob]:
    """Jobs of all outputs of a window, in their order.

    Raises
    ------
    ConfigError
        If the cycles of the inputs are not whole bursts.
    """
    check_burst(len(inputs), burst)
    return [
        WindowJob(layer, outputs, window, inputs, fidelity, seed, burst)
        for outputs in job_outputs(layer, fidelity)
    ]


def job_outputs(layer: MappedLayer, fidelity: Fidelity) -> list[range]:
    """Outputs of each job of a window: column groups, in ``reduced`` cut into even small decks."""
    found, first = [], 0
    for circuit in layer.circuits:
        count = circuit.outputs
        decks = deck_count(count) if fidelity == "reduced" else 1
        edges = [first + count * k // decks for k in range(decks + 1)]
        found += [range(start, stop) for start, stop in pairwise(edges)]
        first += count
    return found


def deck_count(outputs: int) -> int:
    """Number of ``reduced`` decks of a column group with so many outputs."""
    return math.ceil(outputs / DECK_OUTPUTS)


def surrogate_events(job: WindowJob) -> dict[str, np.ndarray]:
    """Closed-form drive [V] and hazard integral of a job's events, each (cycles, outputs)."""
    circuit = job.circuit
    drive = circuit.held_drive(job.layer.row_voltage(job.inputs), job.burst)
    hazard = np.exp(np.minimum(circuit.log_hazard(drive), 50.0))
    return {"drive": drive, "hazard": hazard if circuit.spiking else np.zeros_like(drive)}


def solver_options(timing: Timing) -> SolverOptions:
    """Tolerances of a layer's transient, for every engine.

    ``chgtol`` is where ngspice's relative tolerance of charges ends: at the charge of the switching
    states, a thousandth of the hazard integrator's.  Ten times more, and the steps through a reset
    cost 3 % of its energy; the hazard integral then still holds to 0.1 %.  ``vntol`` keeps VACASK,
    which judges voltages, from resolving microvolts on bit lines.  Gear's rule damps what the steps
    do not resolve.
    """
    charge = 1e-3 * HAZARD_CHARGE_PER_SECOND * timing.write
    return SolverOptions(method="gear", reltol=1e-4, vntol=1e-6, chgtol=charge)


def run_job(
    job: WindowJob,
    engine: Engine | None,
    *,
    timeout: float = 900.0,
    cancel: threading.Event | None = None,
    stored_neurons: int = 1,
) -> JobRecord:
    """Simulate a job.

    Parameters
    ----------
    job : WindowJob
        What to simulate.
    engine : Engine or None
        Needed for ``full`` and ``reduced``.
    timeout : float, [s]
        Longest run of the engine.
    cancel : threading.Event, optional
        Stops the engine when set.
    stored_neurons : int
        Neurons whose waveforms the record keeps.

    Raises
    ------
    ConfigError
        If ``reduced`` or ``surrogate`` is asked for where it would not be exact.
    NetlistError, EngineError
        As the engine says.
    """
    started = time.monotonic()
    if job.fidelity == "surrogate":
        rows = job.layer.row_voltage(job.inputs)
        refuse_without_closed_form(job.circuit, rows, job.layer.name)
        return _surrogate_record(job, started)
    if engine is None:
        raise ConfigError(f"fidelity {job.fidelity!r} needs an engine")
    request = window_request(job, engine)
    with _named(job):
        waves = engine.run(
            request.netlist,
            request.analysis,
            save=request.save,
            options=request.options,
            timeout=timeout,
            cancel=cancel,
        )
    return window_record(job, request.netlist, stored_neurons, waves)


def window_request(job: WindowJob, engine: Engine) -> EngineRequest:
    """What the engine is asked for a job in ``full`` or ``reduced``.

    Raises
    ------
    ConfigError
        If ``reduced`` is asked for where it would not be exact, or bursts.
    NetlistError
        If the engine cannot express an element.
    """
    assert job.fidelity != "surrogate"
    refuse_simulated_bursts(job.burst, job.fidelity)
    circuit, stimulus = job.circuit, job.stimulus()
    if job.fidelity == "reduced":
        refuse_unless_reducible(circuit.whole or circuit, stimulus.row_voltage, job.layer.name)
    return EngineRequest(
        engine.write(layer_deck(circuit, stimulus, job.fidelity)),
        Transient(
            stop=stimulus.cycles * circuit.schedule.cycle,
            max_step=circuit.timing.write / 25,
            from_rest=True,
        ),
        tuple(saved_signals(circuit, job.fidelity)),
        solver_options(circuit.timing),
    )


def window_record(job: WindowJob, netlist: str, stored_neurons: int, waves: Waveforms) -> JobRecord:
    """Record of a job in ``full`` or ``reduced`` from the waveforms of its netlist.

    Raises
    ------
    EngineError
        If the waveforms lack a signal, or a number that follows from them is not finite.
    """
    assert job.fidelity != "surrogate"
    circuit, stimulus = job.circuit, job.stimulus()
    # One thread: the same sums in the same order on every machine, however many processors.
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
        power = layer_power(circuit, stimulus, job.fidelity, waves)
        balance = energy_balance(power, circuit.schedule, stimulus.cycles)
        events = event_values(circuit, stimulus.cycles, waves)
        record = _spice_record(job, stimulus, netlist, waves, events, balance, stored_neurons)
    _check_finite(record)
    return record


def _check_finite(record: JobRecord) -> None:
    wrong = [name for name, joules in record.energy.items() if not math.isfinite(joules)]
    wrong += [name for name, (each, _) in record.events.items() if not np.all(np.isfinite(each))]
    if wrong:
        raise EngineError(
            f"the waveforms of {record.name} give no finite number for {', '.join(wrong)}: they "
            "overflow, or no source delivers anything",
            record.log,
        )


@contextmanager
def _named(job: WindowJob) -> Iterator[None]:
    """Note the job in what the engine raises, which knows only a netlist."""
    try:
        yield
    except (NetlistError, EngineError) as error:
        error.add_note(f"The job that failed is {job.name}")
        raise


def _surrogate_record(job: WindowJob, started: float) -> JobRecord:
    stimulus, events = job.stimulus(), surrogate_events(job)
    energy = closed_form_energy(
        job.circuit, stimulus.row_voltage, events["hazard"], stimulus.thresholds, job.burst
    )
    spikes = events["hazard"] >= stimulus.thresholds
    return JobRecord(
        key=job.key,
        name=job.name,
        attributes=job_attributes(job, time.monotonic() - started),
        events=_event_columns(stimulus, events["drive"], events["hazard"], spikes),
        energy={name: float(part.sum()) for name, part in energy.items()},
    )


def _spice_record(
    job: WindowJob,
    stimulus: Stimulus,
    netlist: str,
    waves: Waveforms,
    events: dict[str, np.ndarray],
    balance: EnergyBalance,
    stored_neurons: int,
) -> JobRecord:
    nothing = np.zeros_like(events["drive"])
    spikes = events.get("spike", nothing) > 0.5 * job.circuit.periphery.logic_voltage
    hazard = events.get("hazard", nothing)
    return JobRecord(
        key=job.key,
        name=job.name,
        attributes=job_attributes(job, waves.wall_seconds),
        netlist=netlist,
        log=waves.log,
        time=waves.time,
        signals=_stored_signals(job.circuit, waves, _telling_neurons(spikes, stored_neurons)),
        events=_event_columns(stimulus, events["drive"], hazard, spikes),
        energy={
            **{name: float(part.sum()) for name, part in balance.components.items()},
            "closure": balance.closure,
        },
    )


def job_attributes(job: WindowJob, wall_seconds: float) -> dict[str, str | int | float | bool]:
    """Facts of a job that its record carries; ``wall_seconds`` is what the engine took, [s]."""
    schedule, window = job.circuit.schedule, job.window
    return {
        "layer": window.layer,
        "image": window.image,
        "position": window.position,
        "first_output": job.outputs.start,
        "rows": job.circuit.rows,
        "outputs": job.circuit.outputs,
        "cycles": len(job.inputs),
        "burst": job.burst,
        "fidelity": job.fidelity,
        "spiking": job.circuit.spiking,
        "wall_seconds": wall_seconds,
        "cycle_time": schedule.cycle,
        "write_start": schedule.rows.start,
        "write_stop": schedule.rows.stop,
        "read_start": schedule.read.start,
        "read_stop": schedule.read.stop,
        "reset_start": schedule.reset.start,
        "reset_stop": schedule.reset.stop,
    }


def _event_columns(
    stimulus: Stimulus, drive: np.ndarray, hazard: np.ndarray, spikes: np.ndarray
) -> dict[str, tuple[np.ndarray, str]]:
    cycle, neuron = np.indices(drive.shape)
    return {
        "cycle": (cycle.ravel(), "1"),
        "neuron": (neuron.ravel(), "1"),
        "drive": (drive.ravel(), "V"),
        "threshold": (stimulus.thresholds.ravel(), "1"),
        "hazard": (hazard.ravel(), "1"),
        "spike": (spikes.ravel().astype(np.int8), "1"),
    }


def _telling_neurons(spikes: np.ndarray, count: int) -> Sequence[int]:
    """Neurons that spike about every other cycle: their waveforms show both outcomes."""
    distance = np.abs(spikes.mean(axis=0) - 0.5)
    return [int(neuron) for neuron in np.argsort(distance, kind="stable")[:count]]


def _stored_signals(
    circuit: LayerCircuit, waves: Waveforms, neurons: Sequence[int]
) -> dict[str, tuple[np.ndarray, str]]:
    """Waveforms of some neurons; hazard integral and state are pure numbers carried as volts."""
    signals = {}
    for neuron in neurons:
        prefix = f"neuron{neuron}"
        signals[f"{prefix}.drive"] = (waves.voltage(f"drive{neuron}"), "V")
        for column, sign in ((2 * neuron, "plus"), (2 * neuron + 1, "minus")):
            signals[f"{prefix}.bit_line_{sign}"] = (waves.voltage(f"c{column}"), "V")
        if not circuit.spiking:
            continue
        signals[f"{prefix}.spike"] = (waves.voltage(f"spike{neuron}"), "V")
        top = waves.voltage(f"xneuron{neuron}.top")
        middle = waves.voltage(f"xneuron{neuron}.mid")
        memristor = isinstance(circuit.device, MemristorNeuron)
        signals[f"{prefix}.device"] = (top - middle if memristor else top, "V")
        for node, name, unit in (
            ("mid", "read_node", "V"),
            ("h", "hazard", "1"),
            ("x", "state", "1"),
        ):
            signals[f"{prefix}.{name}"] = (waves.voltage(f"xneuron{neuron}.{node}"), unit)
    return signals
