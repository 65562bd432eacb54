"""One group of neurons of a layer as a circuit: what is built, before any netlist."""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field, replace
from functools import cached_property

import numpy as np

from memspice.circuits.blocks.latch import Latch
from memspice.circuits.blocks.neuron import Neuron
from memspice.circuits.blocks.sense import SenseStage
from memspice.circuits.bursts import burst_means, leaky_means
from memspice.circuits.parameters import ArrayParameters
from memspice.circuits.ports import PortArray, PortSource, port_array
from memspice.circuits.timing import Pulse, Schedule, Timing, schedule
from memspice.devices.variation import NeuronVariation
from memspice.errors import ConfigError


@dataclass(frozen=True, eq=False)
class LayerCircuit:
    """Crossbar tiles, sense stages and neurons of the outputs that share a column tile.

    ``conductances`` are the row tiles, each (rows, 2 * outputs) with columns G+, G- of output 0,
    G+, G- of output 1 and so on, in [S].  The drive of a neuron is ``bias_voltage`` and what its
    sense stage makes of its bit lines' currents, limited to ``write_limits``.  An accumulating
    layer (``spiking`` false) has no neurons.  Where neurons differ, ``variation`` has their
    constants in the place of the hazard law of ``neuron``, shifts of their thresholds, which count
    as offsets of the difference stages, and gains of these.  ``trim``, shape (outputs,) [V], is
    added to what the difference stages give.

    A :meth:`part` has some of the neurons of ``whole``, from number ``first`` on; the others' bit
    lines share its rows.  ``port_source`` reduces the crossbar when its ports are first asked for.
    Who knows the ports of the same crossbar already gives them as ``known_ports``; what is made of
    the circuit by another crossbar does not inherit them.
    """

    conductances: tuple[np.ndarray, ...]
    array: ArrayParameters
    sense: SenseStage
    bias_voltage: float
    write_limits: tuple[float, float]
    neuron: Neuron
    latch: Latch
    timing: Timing
    spiking: bool
    variation: NeuronVariation | None = None
    trim: np.ndarray | None = None
    whole: LayerCircuit | None = None
    first: int = 0
    port_source: PortSource = field(default=port_array, compare=False, repr=False)
    known_ports: InitVar[PortArray | None] = None

    def __post_init__(self, known_ports: PortArray | None) -> None:
        level = self.sense.line_level
        if self.array.cell.grounded and level != 0:
            raise ConfigError(
                f"cells of the kind {self.array.cell.kind} are measured against ground, and the "
                f"sense stage holds its lines at {level:g} V: use a stage that holds them at 0 V"
            )
        if known_ports is not None:
            object.__setattr__(self, "ports", known_ports)  # a frozen object is being made

    def part(self, outputs: range) -> LayerCircuit:
        """Neurons of some numbers, for a ``reduced`` deck of their own; itself if these are all."""
        if outputs == range(self.outputs):
            return self
        columns = slice(2 * outputs.start, 2 * outputs.stop)
        tiles = tuple(tile[:, columns] for tile in self.conductances)
        own = self.variation and self.variation.take(slice(outputs.start, outputs.stop))
        trim = self.trim if self.trim is None else self.trim[outputs.start : outputs.stop]
        return replace(
            self,
            conductances=tiles,
            sense=self.sense.part(slice(outputs.start, outputs.stop)),
            variation=own,
            trim=trim,
            whole=self.whole or self,
            first=self.first + outputs.start,
        )

    def alone(self, outputs: slice) -> LayerCircuit:
        """Neurons of some numbers on a crossbar of their own, whose rows the others do not load."""
        return replace(self.part(range(outputs.start, outputs.stop)), whole=None, first=0)

    def with_trim(self, trim: np.ndarray) -> LayerCircuit:
        """The same crossbar with another trim (outputs,) [V]; its ports are not reduced again."""
        return replace(self, trim=trim, known_ports=self.ports)

    @property
    def outputs(self) -> int:
        """Number of neurons."""
        return int(self.conductances[0].shape[1]) // 2

    @property
    def turned(self) -> bool:
        """Whether an ideal element stands between each sense stage and its neuron.

        One of them rises and the other falls: it turns the drive round, and takes no current.
        """
        return self.spiking and self.sense.falls != self.neuron.falls

    @property
    def ideal(self) -> list[str]:
        """What ideal elements between sense stages and neurons do, in words."""
        turns = ["turn the drive round"] if self.turned else []
        shifts = ["shift it to the bias voltage"] if self.spiking and self.sense.shifted else []
        return [*turns, *shifts]

    @property
    def loaded(self) -> bool:
        """Whether neurons take their current from the drives of the sense stages."""
        return self.spiking and not self.turned and self.neuron.loads

    @property
    def fine(self) -> bool:
        """Whether charges of 0.01 fC count in one of its blocks: those of transistors."""
        blocks = self.sense.fine or self.array.row_driver.fine
        return blocks or (self.spiking and self.neuron.fine)

    def source_resistance(self, drive: np.ndarray) -> np.ndarray:
        """Resistance of drives [V], any shape, for what neurons that load them draw, [ohm]."""
        if not self.loaded:
            return np.zeros_like(drive)
        return self.sense.source_resistance(self.drive_for(drive))

    @property
    def _origin(self) -> tuple[float, int]:
        """Drive of a sense stage at a write voltage of 0 [V], and whether it rises or falls."""
        joined = self.spiking and not self.turned
        return self.neuron.electrode if joined else 0.0, -1 if self.sense.falls else 1

    def drive_for(self, write: np.ndarray) -> np.ndarray:
        """Voltage of the sense stages' drives for write voltages, any shape, [V]."""
        origin, sign = self._origin
        return np.asarray(origin + sign * write)

    def write_voltage(self, level: np.ndarray) -> np.ndarray:
        """Write voltage, counted from the neurons' electrode, for drives, any shape, [V]."""
        origin, sign = self._origin
        return np.asarray(sign * (level - origin))

    @property
    def rows(self) -> int:
        """Number of rows of all row tiles."""
        return sum(len(tile) for tile in self.conductances)

    @cached_property
    def schedule(self) -> Schedule:
        """Pulses of one cycle."""
        return schedule(self.timing)

    @property
    def lead(self) -> float:
        """Time that a deck takes to warm its sense stages up, before anything counts, [s]."""
        return self.sense.warm_up * self.schedule.cycle

    @property
    def row_pulse(self) -> Pulse:
        """When rows are driven in a cycle."""
        return self.sense.row_pulse(self.schedule)

    @cached_property
    def ports(self) -> PortArray:
        """Exact port reduction of the tiles, in a part those of the whole."""
        if self.whole:
            return self.whole.ports
        return self.port_source(self.conductances, self.array, self.sense.input_resistance)

    @cached_property
    def drawn_array(self) -> ArrayParameters:
        """Wires, drivers and cells as a ``full`` deck has them: 0 for what is too small."""
        return self.array.drawn(self.conductances)

    @property
    def columns(self) -> slice:
        """Columns of :attr:`ports` that belong to the neurons."""
        return slice(2 * self.first, 2 * (self.first + self.outputs))

    @cached_property
    def drive_gain(self) -> np.ndarray:
        """Settled drive voltage per row voltage, shape (outputs, rows), [1].

        Raises
        ------
        ConfigError
            If the drive is not straight in the currents of the bit lines.
        """
        if self.sense.transimpedance is None:
            raise ConfigError(
                "the drive of this sense stage is not straight in the currents of its bit lines, "
                "so that it has no gain: use the drive of each pattern of rows"
            )
        current = self.ports.transfer[self.columns]
        drive = self.sense.transimpedance * (current[0::2] - current[1::2])
        return np.asarray(self.sense_gain[:, None] * drive)

    def line_current(self, row_voltage: np.ndarray) -> np.ndarray:
        """Settled currents [A] of the bit lines, (..., columns), for row voltages (..., rows)."""
        return np.asarray(row_voltage @ self.ports.transfer[self.columns].T)

    def pulse_energy(self, row_voltage: np.ndarray) -> np.ndarray:
        """Joules of the row drivers besides their resistance, the part's share, (cycles,).

        None of a cycle in which no row at all is driven: a deck ends with such cycles where drives
        are held, while rows already have the pulses of the next burst.
        """
        share = self.outputs / (self.whole or self).outputs
        joules = self.array.row_driver.pulse_energy(row_voltage, self.schedule.cycle)
        return np.asarray(share * joules * row_voltage.any(axis=-1))

    @property
    def line_conductance(self) -> np.ndarray:
        """Conductance of each bit line, the others ended, shape (columns,), [S]."""
        return np.asarray(self.ports.own_conductance[self.columns])

    def drive_voltage(self, row_voltage: np.ndarray) -> np.ndarray:
        """Settled drive [V] for row voltages (..., rows) [V]; shape (..., outputs)."""
        return np.asarray(np.clip(self.unlimited_drive(row_voltage), *self.write_limits))

    def unlimited_drive(self, row_voltage: np.ndarray) -> np.ndarray:
        """What `drive_voltage` would be without limits."""
        if self.sense.transimpedance is None:
            return self.drive_of(self.line_current(row_voltage))
        # one product in the place of two
        return np.asarray(self.output_bias + row_voltage @ self.drive_gain.T)

    def drive_of(self, current: np.ndarray) -> np.ndarray:
        """The same for settled currents [A] of the bit lines, (..., columns)."""
        own = self.sense.drive(current, self.line_conductance)
        return np.asarray(self.output_bias + self.sense_gain * own)

    def beyond(self, row_voltage: np.ndarray) -> np.ndarray:
        """Whether an output's own transistors bring its stage to where its drive is not known.

        Row voltages as of `unlimited_drive`; ndarray of bool, (..., outputs).
        """
        return self.sense.beyond(self.line_current(row_voltage), self.line_conductance)

    def held_drive(self, row_voltage: np.ndarray, burst: int) -> np.ndarray:
        """Settled drive [V] of each cycle, shape (cycles, outputs), held through each burst.

        Parameters
        ----------
        row_voltage : ndarray, shape (cycles, rows), [V]
            Row pulses from the first on; those of a burst, or of a leaky average, are integrated.
        burst : int
            Cycles of a burst; see `memspice.circuits.bursts`.

        Raises
        ------
        ConfigError
            If the sense stages do not integrate.
        """
        self.sense.in_bursts(burst, self.schedule)
        pulses = leaky_means(row_voltage, len(row_voltage), self.sense.share)
        return self.drive_voltage(burst_means(pulses, burst)).repeat(burst, axis=0)

    @property
    def output_bias(self) -> np.ndarray:
        """Bias voltage of each difference stage, offset and trim, shape (outputs,), [V]."""
        bias = np.full(self.outputs, self.bias_voltage)
        if self.variation:
            bias -= self.variation.threshold_shift
        if self.trim is not None:
            bias += self.trim
        return bias

    @property
    def sense_gain(self) -> np.ndarray:
        """Factor of what each sense stage makes of its currents, shape (outputs,), [1]."""
        return self.variation.sense_gain if self.variation else np.ones(self.outputs)

    @property
    def hazard_slope(self) -> np.ndarray:
        """Change of the logarithm of a hazard integral per volt of drive, (outputs,), [1/V].

        That of an exponential law, which no other rises by more than near its unit voltage.
        """
        law = self.variation or self.neuron.device.hazard
        scale = np.broadcast_to(law.voltage_scale, (self.outputs,))
        return np.asarray(self.neuron.write_fraction / scale)

    def log_hazard(self, drive: np.ndarray) -> np.ndarray:
        """Logarithm of the hazard integral of a write pulse, [1].

        Parameters
        ----------
        drive : ndarray, shape (..., outputs) or what broadcasts to it, [V]
            Settled drive of each neuron.
        """
        law = self.variation or self.neuron.device.hazard
        return law.log_hazard_integral(
            drive * self.neuron.write_fraction, self.timing.write, self.timing.edge
        )
