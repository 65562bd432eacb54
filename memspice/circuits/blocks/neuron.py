"""The stochastic neuron: a write voltage and a draw in, the state of a device out, to a latch.

::

               write/read/reset              read
    drive --> [target]--driver--(top)--device--(mid)--comparator--latch--> spike
                                                |
                                     series or reference resistor
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from memspice.circuits import nodes
from memspice.circuits.blocks.latch import Latch
from memspice.circuits.clocks import Clock
from memspice.circuits.deck import Deck, step_train
from memspice.circuits.neuron_curve import NeuronCurve
from memspice.circuits.own_circuit import OwnCircuit
from memspice.circuits.signals import Signals, source_power
from memspice.circuits.spice import Circuit, SubCircuit
from memspice.circuits.timing import Schedule, Timing
from memspice.devices.neurons import NeuronDevice
from memspice.devices.variation import NeuronVariation
from memspice.quantities import format_si

#: The hazard integrator charges ``pulse * 1 uS``; every other state moves 1000 times less charge.
#: A charge tolerance in between lets the hazard integral alone decide the solver's step.
HAZARD_CHARGE_PER_SECOND = 1e-6
#: Terminals that are each neuron's own; clocks and supplies are shared.
DRIVE, THRESHOLD = "drive", "threshold"


class Neuron(ABC):
    """A stochastic neuron without its latch.

    In a deck neuron ``n`` stands between the nodes `memspice.circuits.nodes.drive`, ``threshold``
    and ``spike`` of its number; all other nodes are its own, or those of its supplies and clocks.

    A neuron is a frozen value that `memspice.jobs.content_hash` understands.
    """

    # --- physics

    #: One word for it: in titles of decks, and ``about.device`` of a parameter set.
    kind: ClassVar[str]
    #: Values of a parameter set that decide when the device switches, and what then flows.
    constants: ClassVar[frozenset[str]] = frozenset()
    #: By component of the energy, the values of a parameter set (``table.name``) that stand in the
    #: place of a circuit of the block: where one of them is assumed, so are the joules.
    circuit_constants: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    #: Stochastic device: its hazard law, and how devices differ.
    device: NeuronDevice

    @property
    @abstractmethod
    def write_fraction(self) -> float:
        """Share of the drive voltage that biases the unswitched device, [1]."""

    @property
    @abstractmethod
    def read_bias(self) -> float:
        """Voltage over the unswitched device in a read, where it could switch it, [V]."""

    @property
    def at_rest(self) -> str:
        """What an unswitched device does at 0 V, in words."""
        mean_time = self.device.hazard.mean_time(0.0)
        if math.isinf(mean_time):
            return "stays unswitched"
        return f"sets itself in {format_si(mean_time, 's')} in the mean"

    #: Where `read_disturb` comes from.
    disturb_note: ClassVar[str] = "extrapolated by the hazard law, not simulated"

    def read_disturb(self, timing: Timing) -> float:
        """Probability that one read pulse sets an unswitched device, [1]; by default its law's.

        A memristor is read through the terminal that writes it and sees its share of the read
        voltage.  The read current of an MTJ does not flow in its write line, so only the thermal
        rate at zero drive is left; a spin-transfer torque of that current is not modelled.  The
        circuits gate the hazard off outside the write phase, so this is not part of the transients.
        """
        law = self.device.hazard
        return float(law.switching_probability(self.read_bias, timing.read, timing.edge))

    #: Whether charges of 0.01 fC count, so that a deck is solved as a bench is.
    fine: ClassVar[bool] = False

    # --- at its terminals

    @property
    @abstractmethod
    def trim(self) -> tuple[float, float]:
        """Step of the trim of its drive's offset, 0 for none, and the largest trim, [V]."""

    @property
    @abstractmethod
    def write_limits(self) -> tuple[float, float]:
        """Lowest and highest write voltage that it may be driven with, [V]."""

    @property
    @abstractmethod
    def rails(self) -> tuple[float, float]:
        """Lowest and highest voltage of its driver, [V]."""

    @property
    @abstractmethod
    def supplies(self) -> Mapping[str, float]:
        """Supplies: each a source of this name on the node of this name, [V]."""

    @abstractmethod
    def clocks(self, schedule: Schedule) -> Mapping[str, Clock]:
        """Clocks of neuron and latch, each on the node of its name."""

    @property
    def electrode(self) -> float:
        """Voltage of the devices' common electrode in a write, from which drives count, [V]."""
        return 0.0

    #: Whether a lower voltage at its drive writes harder: the write voltage is then what the
    #: electrode is above the drive, else what the drive is above the electrode.
    falls: ClassVar[bool] = False
    #: Whether it takes current and charge from its drive, so that nothing must stand for it there.
    loads: ClassVar[bool] = False
    #: Whether `event_energy` has what a reset takes besides its device, as it was measured.
    measured_reset: ClassVar[bool] = False

    def drive_for(self, write: np.ndarray) -> np.ndarray:
        """Voltages at its drive for write voltages, any shape, [V]."""
        return self.electrode - write if self.falls else self.electrode + write

    # --- closed form

    @abstractmethod
    def write_power(
        self, drive: np.ndarray, on: np.ndarray, source: np.ndarray | float = 0.0
    ) -> np.ndarray:
        """Power that the supplies give to all neurons during the write pulse of each cycle.

        Parameters
        ----------
        drive : ndarray, shape (cycles, neurons), [V]
            What the neurons are driven with.
        on : ndarray, shape (cycles, neurons), [1]
            Share of the pulse for which the device is switched.
        source : ndarray, shape (cycles, neurons), or float, [ohm]
            Resistance of the drives, where neurons load them.

        Returns
        -------
        ndarray, shape (cycles,), [W]
        """

    @abstractmethod
    def read_power(self, switched: np.ndarray) -> np.ndarray:
        """Power [W] during the read pulse of each cycle, for bools (cycles, neurons)."""

    @abstractmethod
    def reset_energy(self, schedule: Schedule, timing: Timing) -> float:
        """Energy of one reset, [J]."""

    def sunk_power(
        self, drive: np.ndarray, on: np.ndarray, source: np.ndarray | float = 0.0
    ) -> np.ndarray:
        """Power that devices give to what drives them, where that is a circuit; none by default.

        Arguments and shape as of :meth:`write_power`.
        """
        del on, source
        return np.zeros(len(drive))

    def event_energy(
        self, schedule: Schedule, drive: np.ndarray, switched: np.ndarray
    ) -> np.ndarray:
        """Energy of all events besides in each phase; none by default.

        Parameters
        ----------
        schedule : Schedule
            Pulses of a cycle.
        drive : ndarray, shape (cycles, neurons), [V]
            What the neurons are driven with.
        switched : ndarray of bool, shape (cycles, neurons)

        Returns
        -------
        ndarray, shape (3, cycles), [J]
            Write, read and reset phase.
        """
        del schedule, drive
        return np.zeros((3, len(switched)))

    def idle_energy(self, schedule: Schedule) -> np.ndarray:
        """Energy (3,) [J] of a cycle in which nothing happens, by phase as `event_energy`."""
        del schedule
        return np.zeros(3)

    def quiet_energy(self) -> float:
        """Energy that a neuron takes in a reset phase without a reset, [J]."""
        return 0.0

    @property
    def name(self) -> str:
        """What errors call it: its kind by default."""
        return self.kind

    @property
    def unmeasured(self) -> MeasurableNeuron | None:
        """Itself, if its curve must be measured before a drive is chosen; None by default."""
        return None

    @abstractmethod
    def doubts(self, timing: Timing) -> list[str]:
        """Why a write or a reset would not do what the closed form takes for granted."""

    @abstractmethod
    def read_levels(self) -> tuple[tuple[float, float], float]:
        """Voltages of the read node, switched and not [V], and its largest resistance [ohm]."""

    # --- in SPICE

    @abstractmethod
    def subcircuit(self, latch: Latch, timing: Timing, *, own_law: bool, ideal: bool) -> SubCircuit:
        """One neuron with its latch.

        Parameters
        ----------
        latch : Latch
        timing : Timing
        own_law : bool
            The constants of the hazard law are parameters ``tau0`` [s] and ``v0`` [V].
        ideal : bool
            An ideal element drives it, so that its device does not move its drive.

        Returns
        -------
        SubCircuit
            Terminals: ``drive``, clocks, ``threshold``, supplies, those of the latch, ``spike``.
        """

    @abstractmethod
    def hazard_signal(self, neuron: str) -> str:
        """Node of an instance whose voltage is the hazard integral, a pure number."""

    @abstractmethod
    def signals(self, neuron: str) -> list[str]:
        """Names of the signals of an instance that the other methods need."""

    @abstractmethod
    def power(self, signals: Signals, neuron: str) -> np.ndarray:
        """Power that an instance dissipates, (points,), [W]; without its latch."""

    def ammeters(self, neuron: str) -> list[str]:
        """Names of the signals of an instance that :meth:`delivered` needs besides supplies."""
        del neuron
        return []

    def delivered(
        self, signals: Signals, neurons: Sequence[str], *, driven: bool = True
    ) -> np.ndarray:
        """Power that the sources of some instances deliver, (points,), [W]; without the latches.

        Drives are sources as well if they are ``driven`` by ideal elements; what a circuit gives
        to them is of its own sources.
        """
        del neurons, driven
        return np.asarray(sum(source_power(signals, *supply) for supply in self.supplies.items()))

    @abstractmethod
    def read_voltage(self, signals: Signals, neuron: str) -> np.ndarray:
        """Voltage of the read node of an instance, (points,), [V]."""

    @abstractmethod
    def shown(self, signals: Signals, neuron: str) -> dict[str, tuple[np.ndarray, str]]:
        """Waveforms of an instance for people, with their units, by name."""

    def define(self, deck: Deck) -> None:
        """Add the text of circuits that instances need; by default they need none."""
        del deck

    def add(
        self,
        deck: Deck,
        latch: Latch,
        cycle: tuple[Timing, Schedule],
        thresholds: np.ndarray,
        variation: NeuronVariation | None = None,
        drives: Sequence[str] | None = None,
    ) -> None:
        """Add neurons 0, 1, ... and their thresholds, without supplies and clocks.

        Parameters
        ----------
        deck : Deck
        latch : Latch
        cycle : Timing and Schedule
            Phases of a cycle.
        thresholds : ndarray, shape (cycles, neurons), [1]
            Draws of the hazard integral.
        variation : NeuronVariation, optional
            Where neurons differ, each instance has the constants of its own hazard law.
        drives : sequence of str, optional
            Node of an ideal element that drives each; by default the stage's own drive,
            `memspice.circuits.nodes.drive` of its number.
        """
        self.define(deck)
        draws = deck.section("Thresholds of the hazard integral: one draw E ~ Exp(1) per event")
        timing, schedule = cycle
        for number, values in enumerate(thresholds.T):
            train, node = step_train(values, timing.edge, schedule.cycle), nodes.threshold(number)
            draws.V(node, node, draws.gnd, train)
        subcircuit = self.subcircuit(
            latch, timing, own_law=variation is not None, ideal=drives is not None
        )
        comment = "One neuron: driver, device, read divider, comparator and latch"
        latch.define(deck)
        deck.subcircuit(comment, subcircuit)
        neurons = deck.section("Stochastic neurons")
        terminals = (DRIVE, *self.clocks(schedule), THRESHOLD, *self.supplies)
        for number in range(thresholds.shape[1]):
            drive = drives[number] if drives else nodes.drive(number)
            own = {DRIVE: drive, THRESHOLD: nodes.threshold(number)}
            neurons.X(
                f"neuron{number}",
                subcircuit.name,
                *(self._outside(neurons, number, name, own.get(name, name)) for name in terminals),
                *(latch.outside(neurons, instance(number), name) for name in latch.terminals),
                nodes.spike(number),
                **_own_law(variation, number),
            )

    def _outside(self, circuit: Circuit, number: int, terminal: str, node: str) -> str:
        """Node at a terminal of a neuron, from that of the deck; adds what it needs in between."""
        del circuit, number, terminal
        return node


def instance(number: int) -> str:
    """Name of a neuron's instance in a deck, before its own nodes."""
    return f"xneuron{number}"


def _own_law(variation: NeuronVariation | None, number: int) -> dict[str, float]:
    """Parameters of one instance."""
    if variation is None:
        return {}
    return {
        "tau0": float(variation.time_scale[number]),
        "v0": float(variation.voltage_scale[number]),
    }


class MeasurableNeuron(Neuron):
    """A neuron without a closed form, for which a curve measured in SPICE stands."""

    circuit: OwnCircuit

    @property
    @abstractmethod
    def curve_points(self) -> int:
        """Drives at which it is measured."""

    @abstractmethod
    def with_curve(self, curve: NeuronCurve) -> MeasurableNeuron:
        """The same neuron, measured."""
