"""Port matrices of crossbars out of the user's cache: tiles are solved once a chip, not once a run.

An entry is a column group: the port admittances of its row tiles.  It lies under the hash of all
that decides them (cells, wires, drivers, code and versions).  Where a column ends comes after: the
input resistance of the sense stages is no part of the matrices.  A tile of 128 x 128 takes 0.4 MB,
in memory and on disk; the 59 tiles of ``cifar10-cnn`` 16 MB.
"""

from __future__ import annotations

import numpy as np

from memspice.circuits.parameters import ArrayParameters
from memspice.circuits.ports import PortArray, port_array, reduced_from
from memspice.errors import StoreError
from memspice.jobs import Entry, JobCache, content_hash
from memspice.jobs.sources import tools
from memspice.solver.reduction import PortAdmittance

_PARTS = ("row_row", "row_col", "col_col")


class PortCache:
    """Reduces crossbars like `port_array`, those of earlier runs by reading them.

    ``problems`` are things that a reader must know, and that change no result.
    """

    def __init__(self) -> None:
        self._cache = JobCache()
        self.problems: list[str] = []

    def __call__(
        self,
        conductances: tuple[np.ndarray, ...],
        array: ArrayParameters,
        input_resistance: float,
    ) -> PortArray:
        """Reduce the row tiles of a group of columns; see `port_array`."""
        cells, wires = reduced_from(conductances, array)
        key = content_hash("ports 1", tools(None), cells, wires)
        found = _tiles(self._cache.get(key), cells)
        if found:
            return PortArray(found, input_resistance)
        made = port_array(conductances, array, input_resistance)
        self._keep(key, made)
        return made

    def _keep(self, key: str, ports: PortArray) -> None:
        """Put matrices into the cache; one that cannot be written costs no result."""
        arrays = {
            f"{part}{number}": getattr(tile, part)
            for number, tile in enumerate(ports.tiles)
            for part in _PARTS
        }
        columns, rows = ports.injection.shape
        name = f"ports of {rows} x {columns} cells, row tiles: {len(ports.tiles)}"
        label = {"job": name, "engine": f"numpy {np.__version__}"}
        try:
            self._cache.put(key, Entry({}, arrays, label))
        except StoreError as error:
            if str(error) not in self.problems:
                self.problems.append(str(error))


def _tiles(entry: Entry | None, cells: tuple[np.ndarray, ...]) -> tuple[PortAdmittance, ...] | None:
    """Port admittances of an entry; None if it does not have those of these cells."""
    if entry is None:
        return None
    found = []
    for number, (rows, columns) in enumerate(tile.shape for tile in cells):
        names = [f"{part}{number}" for part in _PARTS]
        if not entry.arrays.keys() >= set(names):
            return None
        parts = [entry.arrays[name] for name in names]
        shapes = [(rows, rows), (rows, columns), (columns, columns)]
        if any(part.dtype != np.float64 for part in parts) or [p.shape for p in parts] != shapes:
            return None
        found.append(PortAdmittance(*parts))
    return tuple(found)
