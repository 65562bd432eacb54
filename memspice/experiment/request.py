"""What a run is asked for: a network on crossbars, images, cycles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from memspice.datasets import Images
from memspice.engines.base import Engine, EngineInfo
from memspice.jobs import content_hash
from memspice.network.mapping import MappedNetwork
from memspice.network.weights import Network
from memspice.store import Provenance


@dataclass(frozen=True, eq=False)
class Request:
    """A network on crossbars, the images to run on it, and for how long.

    Parameters
    ----------
    network : Network
        Trained weights.
    mapped : MappedNetwork
        The same as circuits.
    tile : tuple of int
        Most rows and columns of a tile.
    images : Images
        In the shape that the network takes.
    cycles, burst : int
        Cycles of an image, and of a burst.
    seed : int
        Of every draw.
    remarks : tuple of str
        What a reader must know of network, device and images.
    """

    network: Network
    mapped: MappedNetwork
    tile: tuple[int, int]
    images: Images
    cycles: int
    burst: int
    seed: int
    remarks: tuple[str, ...]

    @property
    def notes(self) -> list[str]:
        """What a reader must know besides the names: remarks, changes, weights out of place."""
        mapped = self.mapped
        coded = mapped.code.notes(self.cycles, self.burst)
        return [*self.remarks, *mapped.parameter_set.notes, *mapped.notes, *coded]

    def config(self, more: Mapping[str, object]) -> str:
        """Configuration of a run as JSON, for its hash and its store.

        The checksums tell apart what a name does not: a file that has changed, other images.

        Parameters
        ----------
        more : mapping
            What the run adds.
        """
        network, device, images = self.network, self.mapped.parameter_set, self.images
        content = {
            "network": network.name,
            "device": device.name,
            "changes": device.changes,
            "tile": self.tile,
            "images": len(images),
            "cycles": self.cycles,
            "burst": self.burst,
            "seed": self.seed,
            "checksums": {
                "network": content_hash(network.architecture, network.layers, network.span),
                "device": content_hash(device),
                "images": content_hash(images.x, images.y),
            },
        }
        return json.dumps(content | dict(more), sort_keys=True, default=str, indent=1)

    def provenance(
        self, more: Mapping[str, object], engine: Engine | None, command: str
    ) -> Provenance:
        """What a run of it is made with.

        Parameters
        ----------
        more : mapping
            What the run adds to the configuration.
        engine : Engine or None
            Circuit simulator; None where all of it is NumPy's.
        command : str
            Command line.
        """
        return Provenance(
            config=self.config(more),
            seed=self.seed,
            engine=engine_record(engine),
            command=command,
        )


def engine_record(engine: Engine | None) -> dict[str, str | bool]:
    """Engine as JSON and store write it; what none simulates is NumPy's."""
    info = engine.info if engine else EngineInfo("numpy", np.__version__, "", False, False)
    return info.as_json()
