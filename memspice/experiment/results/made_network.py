"""A network that was made here, to be kept in a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from memspice.experiment.results.base import Shown
from memspice.experiment.results.plain import APART
from memspice.network.weights import Network, check_network_file, save_network


@dataclass(frozen=True, eq=False, repr=False)
class MadeNetwork(Shown):
    """A network with weights on conductance levels.

    Parameters
    ----------
    network : Network
        Its weights.
    levels : int
        Levels of a cell.
    """

    network: Network = field(metadata=APART)
    levels: int

    @staticmethod
    def check_place(path: Path, *, parents: bool = False) -> None:
        """Refuse a file in whose place the network could not be put; see `check_network_file`."""
        check_network_file(path, parents=parents)

    def save(self, path: Path | str) -> None:
        """Write the network to an HDF5 file, which `memspice.load_network` takes.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        save_network(self.network, Path(path), self.levels)
