"""Runs of small networks through the front door, with every setting in one value.

A test changes one of them with `dataclasses.replace`, and says the rest only once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import memspice as ms
from memspice.datasets import Images
from memspice.experiment.request import Request


@dataclass(frozen=True)
class Setting:
    """Network, device, images and cycles of a run, by name and number."""

    network: str = "cifar10-cnn"
    device: str = "fast-memristor"
    periphery: str = "behavioural"
    images: int = 1
    cycles: int = 8
    burst: int = 1
    tile: tuple[int, int] = (128, 128)
    wire_resistance: float | None = None
    changes: Mapping[str, float | str] = field(default_factory=dict)
    seed: int = 0
    data: str | Path | None = None

    @cached_property
    def chip(self) -> ms.Chip:
        """Network on its crossbars."""
        changes: dict[str, Any] = dict(self.changes)
        if self.wire_resistance is not None:
            changes["wire_resistance"] = self.wire_resistance
        device = ms.load_device(self.device, self.periphery).change(**changes)
        return ms.Chip(self.network, device, tile=self.tile, seed=self.seed, training=self.data)

    @cached_property
    def pictures(self) -> Images:
        """The images themselves."""
        return self.chip.images("test", self.images, self.data)

    def request(self) -> Request:
        """What a run is asked for."""
        return self.chip.request(self.pictures, cycles=self.cycles, burst=self.burst)

    def run(self, **values: Any) -> ms.results.ChipResult:
        """Classify the images in the network loop."""
        return self.chip.run(self.pictures, **self._arguments(values))

    def run_chips(self, count: int, **values: Any) -> ms.results.ChipsResult:
        """Classify the images on several chips."""
        return ms.Chips(self.chip, count).run(self.pictures, **self._arguments(values))

    def infer(self, fidelity: str = "surrogate", **values: Any) -> dict[str, Any]:
        """Classify the images; the object of ``infer --json``."""
        if fidelity == "surrogate":
            return self.run(**values).as_json()
        arguments = self._arguments(values)
        return self.chip.simulate(self.pictures, fidelity=fidelity, **arguments).as_json()

    def simulate(
        self, layer: str | None = None, fidelity: str = "reduced", **values: Any
    ) -> ms.results.LayerResult:
        """Simulate windows of a layer, by default the first."""
        chosen = self.chip[layer] if layer else next(iter(self.chip))
        return chosen.simulate(self.pictures, fidelity=fidelity, **self._arguments(values))

    def cosim(self, plan: ms.CosimPlan, **values: Any) -> ms.results.CosimResult:
        """Let the network loop and SPICE teach each other."""
        return ms.cosim(self.chip, self.pictures, plan=plan, **self._arguments(values))

    def _arguments(self, values: dict[str, Any]) -> dict[str, Any]:
        """Arguments of a run: those of `memspice.RunOptions` put together."""
        names = {field.name for field in fields(ms.RunOptions)}
        options = ms.RunOptions(**{name: values[name] for name in names & set(values)})
        rest = {name: value for name, value in values.items() if name not in names}
        return {"cycles": self.cycles, "burst": self.burst, "options": options, **rest}
