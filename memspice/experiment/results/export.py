"""What circuits taught of a network, as one file that says unit and source of every number."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from memspice.analysis.ir_drop import IrDrop
from memspice.analysis.mean_curve import MeanCurve
from memspice.analysis.output_lines import OutputLines, Spread
from memspice.errors import ConfigError, DataError
from memspice.experiment.results.base import Result
from memspice.experiment.results.run import DataFacts
from memspice.experiment.results.table import Table
from memspice.experiment.results.with_units import from_units, to_units
from memspice.inputs import read_json
from memspice.outputs import printable, write_text
from memspice.parameters.file import SourcedValue
from memspice.quantities import format_si

#: Says what the file is; another number where its fields mean something else.
FORMAT = "memspice-export-1"
#: Largest file that is read, [bytes].
LARGEST = 1 << 28
#: Metadata of fields: the unit of their values.
ONE, VOLT, SECOND, SIEMENS, OHM, JOULE = (
    {"unit": unit} for unit in ("1", "V", "s", "S", "ohm", "J")
)


@dataclass(frozen=True, eq=False)
class ExportedCells:
    """Cells, wires and row drivers of an export; `Export.parameters` has their sources.

    Parameters
    ----------
    min_conductance, max_conductance : float, [S]
        Of a weight of zero, and of the largest.
    levels : int
        Both ends included.
    variation : float, [1]
        Sigma of ``ln G``, from cell to cell.
    stuck_on, stuck_off : float, [1]
        Shares of all cells.
    aged : float, [1]
        Conductance over the programmed one, by age and temperature.
    aged_spread : float, [1]
        Sigma of ``ln G`` that age has added.
    wire_resistance_row, wire_resistance_col, driver_resistance : float, [ohm]
        A segment each cell; a row driver.
    """

    min_conductance: float = field(metadata=SIEMENS)
    max_conductance: float = field(metadata=SIEMENS)
    levels: int = field(metadata=ONE)
    variation: float = field(metadata=ONE)
    stuck_on: float = field(metadata=ONE)
    stuck_off: float = field(metadata=ONE)
    aged: float = field(metadata=ONE)
    aged_spread: float = field(metadata=ONE)
    wire_resistance_row: float = field(metadata=OHM)
    wire_resistance_col: float = field(metadata=OHM)
    driver_resistance: float = field(metadata=OHM)


@dataclass(frozen=True, eq=False)
class ExportedNeuron:
    """Neuron of an export, the median device: ``P(V)`` of one write pulse, and how devices differ.

    Parameters
    ----------
    unit_drive : float, [V]
        Drive at which the hazard integral of a pulse is 1, ``P`` 63.2 %.
    drive_scale : float, [V]
        Drive that raises it e times there.
    voltage_scale, time_scale : float, [V], [s]
        ``V0`` and ``tau0`` of the exponential law of the device's own voltage (there).
    write_fraction : float, [1]
        Share of the drive that the device sees.
    write, edge : float, [s]
        Flat part of the write pulse, and each of its edges.
    voltage_scale_spread, time_scale_spread : float, [1]
        Sigmas of ``ln V0`` and ``ln tau0``, from device to device.
    threshold_spread : float, [V]
        Sigma of the drive at which a device switches.
    drive, probability : ndarray, shape (points,), [V], [1]
        ``P(V)`` between the limits of the drive.
    """

    unit_drive: float = field(metadata=VOLT)
    drive_scale: float = field(metadata=VOLT)
    voltage_scale: float = field(metadata=VOLT)
    time_scale: float = field(metadata=SECOND)
    write_fraction: float = field(metadata=ONE)
    write: float = field(metadata=SECOND)
    edge: float = field(metadata=SECOND)
    voltage_scale_spread: float = field(metadata=ONE)
    time_scale_spread: float = field(metadata=ONE)
    threshold_spread: float = field(metadata=VOLT)
    drive: np.ndarray = field(metadata=VOLT)
    probability: np.ndarray = field(metadata=ONE)


@dataclass(frozen=True, eq=False)
class ExportedLayer:
    """Layer of an export: what its circuits made of the inputs that they were given.

    Parameters
    ----------
    name : str
        Kind and number, such as ``dense1``.
    rows, inputs, outputs, positions : int
        Rows with those of the biases, and without; neurons; places that share the weights.
    row_tiles, column_groups : int
        Tiles that the rows, and the columns, are cut into.
    spiking : bool
        Whether neurons follow; without, drives are accumulated to scores.
    bound : float, [1]
        Weight that the whole range of conductance stands for.
    read_voltage : float, [V]
        Row voltage of an input of one.
    origin, volts_per_unit : float, [V]
        Drive that a weighted input of 0 asks for, and what each unit of it adds.
    limits : tuple of float, [V]
        Lowest and highest drive.
    events : int
        Outputs in cycles of windows that all means are over.
    spike_rate : float or None, [1]
        Spikes an event; None without neurons.
    transfer : MeanCurve
        Drive and probability against the weighted input.
    array : OutputLines
        Drive, in units of a weighted input, against the weighted input that trained weights ask
        for: cells, wires, drivers, sense stage, and the shift of the neuron's threshold.
    neuron : OutputLines or None
        ``ln H`` against that drive: how neurons differ in ``V0`` and ``tau0``.
    ir_drop : IrDrop
        Gain by the resistance of wires and drivers alone.
    energy_event : mapping of str to float, [J]
        Joules an event, by component.
    assumed_fraction : float, [1]
        Share of them that rests on assumed constants.
    """

    name: str
    rows: int
    inputs: int
    outputs: int
    positions: int
    row_tiles: int
    column_groups: int
    spiking: bool
    bound: float = field(metadata=ONE)
    read_voltage: float = field(metadata=VOLT)
    origin: float = field(metadata=VOLT)
    volts_per_unit: float = field(metadata=VOLT)
    limits: tuple[float, float] = field(metadata=VOLT)
    events: int
    spike_rate: float | None = field(metadata=ONE)
    transfer: MeanCurve
    array: OutputLines
    neuron: OutputLines | None
    ir_drop: IrDrop
    energy_event: Mapping[str, float] = field(metadata=JOULE)
    assumed_fraction: float = field(metadata=ONE)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Export(Result):
    """Statistics of a network's circuits on a chip, for network simulators to import.

    Parameters
    ----------
    network, device : str
        Their names; ``summary`` says what the device is, ``device_source`` where it comes from.
    tile : tuple of int
        Most rows and columns.
    seed, cycles, burst : int
        As of `Chip` and `Layer.simulate`.
    dataset : DataFacts
        Images that the inputs are from.
    fidelity : str
        What SPICE saw: ``surrogate``, ``reduced`` or ``full``.
    engine, versions, checksums : mapping
        Who simulated; versions of memspice and its libraries; hashes of network, device, images.
    command : str
        Command line.
    notes : tuple of str
        What a reader must know.
    cells : ExportedCells
    neuron : ExportedNeuron
    layers : tuple of ExportedLayer
        In their order.
    parameters : tuple of SourcedValue
        Every constant of the parameter set, with unit, label and source.
    """

    network: str
    device: str
    summary: str
    device_source: str
    tile: tuple[int, int]
    seed: int
    cycles: int
    burst: int
    dataset: DataFacts
    fidelity: str
    engine: Mapping[str, str | bool]
    versions: Mapping[str, str]
    checksums: Mapping[str, str]
    command: str
    notes: tuple[str, ...]
    cells: ExportedCells
    neuron: ExportedNeuron
    layers: tuple[ExportedLayer, ...]
    parameters: tuple[SourcedValue, ...]

    def __getitem__(self, name: str) -> ExportedLayer:
        for layer in self.layers:
            if layer.name == name:
                return layer
        known = ", ".join(layer.name for layer in self.layers)
        raise ConfigError(f"the export has no layer {name!r}: use {known}")

    def as_json(self) -> dict[str, Any]:
        """The whole file: ``{"unit", "value"}`` for every physical value."""
        return {"format": FORMAT, **to_units(self)}

    def text(self) -> str:
        """The file."""
        return json.dumps(self.as_json(), indent=1, allow_nan=False) + "\n"

    def save(self, path: Path | str) -> None:
        """Write the file.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        write_text(Path(path), self.text())

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read a file of `save`.

        Raises
        ------
        DataError
            If it is none.
        """
        shown, content = printable(str(path)), read_json(path, LARGEST)
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise DataError(f"{shown} is no export of memspice: its format is not {FORMAT}")
        plain = {name: item for name, item in content.items() if name != "format"}
        try:
            found = from_units(cls, plain)
            whole = found.as_json() == content
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"{shown} is no whole export: {error}; write it again") from error
        if not whole:
            raise DataError(f"{shown} is not what memspice writes: a unit or a field was changed")
        return found

    def columns(self) -> Mapping[str, Any]:
        """One row a layer."""
        each = [_row(layer) for layer in self.layers]
        return {name: [row[name] for row in each] for name in each[0]}

    def table(self) -> Table:
        """A line for each layer."""
        lines = [("layer", "gain", "sd", "offset", "sd", "noise", "IR drop", "energy")]
        for row in map(_row, self.layers):
            numbers = (
                row["gain"], row["gain_sd"], row["offset"], row["offset_sd"], row["noise"],
                row["ir_drop"],
            )  # fmt: skip
            shown = ["-" if number is None else f"{number:.4f}" for number in numbers]
            lines.append((row["layer"], *shown, format_si(row["energy_joule"], "J")))
        rows = [
            ("  ".join([f"{line[0]:8}", *(f"{cell:>8}" for cell in line[1:])]), "")
            for line in lines
        ]
        title = (
            f"{self.network} on {self.device} ({self.device_source}), {self.fidelity} on "
            f"{self.engine['name']} {self.engine['version']}: gain and offset of the drive against "
            "the weighted input, joules an event"
        )
        return Table(title, tuple(rows), self.notes)


def _row(layer: ExportedLayer) -> dict[str, Any]:
    """What a table has of a layer."""
    gain, offset = Spread.of(layer.array.gain), Spread.of(layer.array.offset)
    noise = layer.array.noise
    return {
        "layer": layer.name,
        "outputs": layer.outputs,
        "gain": gain.mean,
        "gain_sd": gain.sd,
        "offset": offset.mean,
        "offset_sd": offset.sd,
        "noise": None if math.isnan(noise) else noise,
        "ir_drop": Spread.of(layer.ir_drop.gain).mean,
        "spike_rate": layer.spike_rate,
        "energy_joule": sum(layer.energy_event.values()),
    }
