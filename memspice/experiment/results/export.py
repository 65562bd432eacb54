"""What circuits taught of a network, as one file that says unit and source of every number."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from memspice.analysis.output_lines import Spread
from memspice.errors import ConfigError, DataError
from memspice.experiment.results.base import Result
from memspice.experiment.results.exported import ExportedCells, ExportedLayer, ExportedNeuron
from memspice.experiment.results.run import DataFacts
from memspice.experiment.results.table import Table
from memspice.experiment.results.with_units import from_units, to_units
from memspice.experiment.targets import TARGETS
from memspice.inputs import read_json
from memspice.outputs import check_file, printable, write_text
from memspice.parameters.file import SourcedValue
from memspice.quantities import format_si

#: Says what the file is; another number where its fields mean something else.
FORMAT = "memspice-export-1"
#: Largest file that is read, [bytes].
LARGEST = 1 << 28


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

    def files_for(self, target: str) -> dict[str, str]:
        """Inputs of another tool: texts of its files by the ends of their names.

        Parameters
        ----------
        target : {"aihwkit", "crosssim", "neurosim"}

        Raises
        ------
        ConfigError
            If the tool is unknown, or has no such cells.
        """
        if target not in TARGETS:
            raise ConfigError(f"there are no files for {target!r}: use {', '.join(TARGETS)}")
        digest = hashlib.sha256(self.text().encode()).hexdigest()
        about = {
            "source": f"memspice {self.versions['memspice']}: {self.network} on {self.device}, "
            f"seed {self.seed}; export {digest}",
            "network": self.network,
            "device": self.device,
            "device_source": self.device_source,
            "tile": list(self.tile),
            "seed": self.seed,
            "export_sha256": digest,
        }
        return TARGETS[target].files(about, self.cells, self.layers)

    @staticmethod
    def places(path: Path, targets: Iterable[str] = ()) -> list[Path]:
        """Files that `save` writes: the export, and beside it those of other tools."""
        ends = [end for target in targets for end in TARGETS[target].ends]
        return [path, *(path.with_name(f"{path.stem}-{end}") for end in ends)]

    @staticmethod
    def check_place(path: Path, targets: Iterable[str] = (), *, parents: bool = False) -> None:
        """Refuse files that could not be put in place at the end; see `check_file`."""
        for place in Export.places(path, targets):
            check_file(place, parents=parents)

    def save(self, path: Path | str, targets: Iterable[str] = ()) -> None:
        """Write the file, and those of other tools beside it.

        Parameters
        ----------
        path : Path or str
            Of the export; ``circuits.json`` has ``circuits-aihwkit.json`` beside it.
        targets : iterable of str
            Other tools, as of `files_for`.

        Raises
        ------
        ConfigError
            As of `files_for`; nothing is written then.
        StoreError
            If a file cannot be written.
        """
        chosen = list(targets)
        texts = [self.text(), *(text for name in chosen for text in self.files_for(name).values())]
        for place, text in zip(self.places(Path(path), chosen), texts, strict=True):
            write_text(place, text)

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
