"""Windows, cut into jobs, and what a fidelity makes of one: the abstract class, and the job.

A window is all neurons of a layer at one position, through some cycles.  A job has some successive
outputs of it at one fidelity, and ends as a record that the store can keep and that
`memspice.windows.outcome` reads back, so that a resumed run and a fresh one are the same.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import ClassVar

import numpy as np

from memspice.circuits.array_circuit import Stimulus
from memspice.circuits.bursts import check_burst
from memspice.circuits.layer import LayerCircuit
from memspice.devices.draws import event_thresholds
from memspice.engines.base import Engine
from memspice.engines.waveforms import Waveforms
from memspice.jobs import EngineRequest, content_hash
from memspice.network.batch import Window
from memspice.network.mapping import MappedLayer
from memspice.store import JobRecord
from memspice.windows.kept import Kept


class Fidelity(ABC):
    """Fidelity of a simulation: how much of a layer it sees, and with which engine.

    Fidelities are values: two of one class with one engine are equal.
    """

    #: What users type, stores keep and jobs are named by.
    name: ClassVar[str]
    #: Whether it holds for any circuit, so that the others are measured by it.
    exact: ClassVar[bool] = False
    #: Simulates the circuits; None where there are none.
    engine: Engine | None

    def decks(self, circuit: LayerCircuit) -> int:
        """Jobs that a column group is cut into."""
        del circuit
        return 1

    def parts(self, layer: MappedLayer) -> list[range]:
        """Outputs of each job of a window: column groups, cut into even :meth:`decks`."""
        found, first = [], 0
        for circuit in layer.circuits:
            count = circuit.outputs
            decks = self.decks(circuit)
            edges = [first + count * k // decks for k in range(decks + 1)]
            found += [range(start, stop) for start, stop in pairwise(edges)]
            first += count
        return found

    def expected_seconds(self, layer: MappedLayer, cycles: int) -> float:
        """Processor time that one window of a layer takes, about, [s]; 0 where it is no matter.

        Parameters
        ----------
        layer : MappedLayer
        cycles : int
            Of the window.
        """
        del layer, cycles
        return 0.0

    @abstractmethod
    def request(self, job: WindowJob) -> EngineRequest | None:
        """What the engine is asked for a job; None where no engine is.

        Raises
        ------
        ConfigError
            If the fidelity would not be exact for the job's circuit, or cannot run its bursts.
        NetlistError
            If the engine cannot express an element.
        """

    @abstractmethod
    def record(self, job: WindowJob, netlist: str, kept: Kept, waves: Waveforms) -> JobRecord:
        """Record of a job from the waveforms of its netlist.

        Parameters
        ----------
        job : WindowJob
        netlist : str
            As of :meth:`request`.
        kept : Kept
            Neurons whose waveforms the record keeps.
        waves : Waveforms
            Of the requested signals.

        Raises
        ------
        EngineError
            If the waveforms lack a signal, or a number that follows from them is not finite.
        """

    @abstractmethod
    def run(
        self,
        job: WindowJob,
        *,
        timeout: float = 900.0,
        cancel: threading.Event | None = None,
        kept: Kept = Kept(),
    ) -> JobRecord:
        """Carry out a job, here and now.

        Parameters
        ----------
        job : WindowJob
        timeout : float, [s]
            Longest run of the engine.
        cancel : threading.Event, optional
            Stops the engine when set.
        kept : Kept
            Neurons whose waveforms the record keeps.

        Raises
        ------
        ConfigError
            If the fidelity would not be exact for the job's circuit, or cannot run its bursts.
        NetlistError, EngineError
            As the engine says.
        """


@dataclass(frozen=True, eq=False)
class WindowJob:
    """Some outputs of a window, at one fidelity; ``inputs`` is (cycles, inputs) in [0, 1].

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

    @cached_property
    def row_voltage(self) -> np.ndarray:
        """Row voltages (cycles, rows) of that circuit, [V]."""
        return self.layer.row_voltage(self.inputs, self.outputs.start)

    @property
    def name(self) -> str:
        """Name in the store."""
        window, outputs = self.window, self.outputs
        return (
            f"{window.layer}/image{window.image:05d}_position{window.position:04d}"
            f"_outputs{outputs.start:03d}_{outputs.stop - 1:03d}_{self.fidelity.name}"
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
                self.seed,
                self.layer.number,
                image=window.image,
                cycle=cycle,
                first=first,
                count=circuit.outputs,
            )
            for cycle in range(len(self.inputs))
        ]
        return Stimulus(self.row_voltage, np.stack(thresholds), self.burst, circuit.sense.share)


def window_jobs(
    layer: MappedLayer,
    window: Window,
    inputs: np.ndarray,
    fidelity: Fidelity,
    *,
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
        WindowJob(layer, outputs, window, inputs, fidelity, seed=seed, burst=burst)
        for outputs in fidelity.parts(layer)
    ]
