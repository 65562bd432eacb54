"""From a bench to a large network: processor hours of ResNet-18 on ImageNet, stage by stage."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from benchmarks.fit import PowerLaw
from memspice.errors import ConfigError
from memspice.network.mapping import column_groups
from memspice.windows.reduced import deck_count

#: Images of the validation set of ImageNet (Russakovsky et al., IJCV 115, 211 (2015), table 2).
IMAGES = 50_000
HOUR = 3600.0


class LayerShape(NamedTuple):
    """Layers of one shape: inputs, outputs, kernel, side of the output image, how many."""

    name: str
    inputs: int
    outputs: int
    kernel: int
    side: int
    number: int

    @property
    def rows(self) -> int:
        """Rows of the crossbar, the bias row included."""
        return self.inputs * self.kernel**2 + 1

    @property
    def products(self) -> int:
        """Multiplications of one image in one cycle, of all layers of the shape."""
        return self.number * (self.rows - 1) * self.outputs * self.side**2

    def groups(self, side: int) -> int:
        """Column groups of all layers of the shape on square tiles: their `full` decks."""
        return self.number * len(column_groups(self.outputs, side))

    def tiles(self, side: int) -> int:
        """Square tiles of all layers of the shape."""
        return math.ceil(self.rows / side) * self.groups(side)

    def decks(self, side: int) -> int:
        """Decks of a `reduced` window of every layer of the shape."""
        groups = column_groups(self.outputs, side)
        return self.number * sum(deck_count(group.stop - group.start) for group in groups)


#: He et al., arXiv 1512.03385, table 1, 18 layers; shortcuts with projections (option B).
RESNET18 = (
    LayerShape("conv1", 3, 64, 7, 112, 1),
    LayerShape("conv2", 64, 64, 3, 56, 4),
    LayerShape("conv3, first", 64, 128, 3, 28, 1),
    LayerShape("conv3", 128, 128, 3, 28, 3),
    LayerShape("shortcut 3", 64, 128, 1, 28, 1),
    LayerShape("conv4, first", 128, 256, 3, 14, 1),
    LayerShape("conv4", 256, 256, 3, 14, 3),
    LayerShape("shortcut 4", 128, 256, 1, 14, 1),
    LayerShape("conv5, first", 256, 512, 3, 7, 1),
    LayerShape("conv5", 512, 512, 3, 7, 3),
    LayerShape("shortcut 5", 256, 512, 1, 7, 1),
    LayerShape("fc", 512, 1000, 1, 1, 1),
)
LAYERS = sum(layer.number for layer in RESNET18)


class Cost(NamedTuple):
    """Processor time [s], the interval of a fitted exponent if there is one, and its origin."""

    seconds: float
    low: float | None
    high: float | None
    basis: str


@dataclass(frozen=True)
class WorkStage:
    """One stage of the work: independent pieces that can run at the same time, and their cost.

    A piece is what cannot be divided between processors: a tile, an image, a deck.  ``cost`` is
    that of each, on average.
    """

    name: str
    pieces: int
    cost: Cost

    @property
    def hours(self) -> float:
        """Processor hours of all pieces."""
        return self._total(self.cost.seconds)

    @property
    def interval(self) -> tuple[float, float] | None:
        """Ends of the 95 % interval of :attr:`hours` [h] that comes from a fitted exponent."""
        low, high = self.cost.low, self.cost.high
        return None if low is None or high is None else (self._total(low), self._total(high))

    def hours_on(self, processors: int) -> float:
        """Hours on some processors: as many pieces at a time, no piece divided."""
        return math.ceil(self.pieces / processors) * self.cost.seconds / HOUR

    def _total(self, seconds: float) -> float:
        return self.pieces * seconds / HOUR


def stages(
    content: Mapping[str, Any], *, side: int = 128, cycles: int = 16, windows: int = 1000
) -> list[WorkStage]:
    """Work of ResNet-18 on ImageNet with sampled windows, from what a bench measured.

    Parameters
    ----------
    content : mapping
        Of ``bench.json``.
    side : int
        Rows and columns of a tile.
    cycles : int
        Per image.
    windows : int
        Sampled windows, the same number of each of the 21 weight layers; a hundredth of them, at
        least one, is also simulated in full.

    Returns
    -------
    list of WorkStage
        Port reductions, network loop, `reduced` windows on each engine, `full` windows on each.

    Raises
    ------
    ConfigError
        If the bench did not measure, to the end, what a stage starts from.
    """
    for name in ("crossbar", "loop", "ladder"):
        if content["sections"].get(name, {}).get("status") != "ok":
            raise _unmeasured(f"whole section {name}")
    few = max(1, windows // 100)
    engines = tuple(content["engines"])
    return [
        _ports(content["crossbar"], side),
        _loop(content["loop"], cycles),
        *(_reduced(content["ladder"], engine, side, cycles, windows) for engine in engines),
        *(_full(content["ladder"], engine, side, cycles, few) for engine in engines),
    ]


def bottleneck(work: Iterable[WorkStage]) -> WorkStage:
    """Stage that takes most processor hours."""
    return max(work, key=lambda stage: stage.hours)


def _ports(crossbar: Mapping[str, Any], side: int) -> WorkStage:
    tiles = sum(layer.tiles(side) for layer in RESNET18)
    for point in crossbar["points"]:
        if (point["contender"], point["size"], point["status"]) == ("memspice", side, "ok"):
            cost = Cost(point["cpu_seconds"], None, None, f"measured at {side} x {side}")
            return WorkStage("port reductions", tiles, cost)
    law = crossbar["exponents"].get("memspice")
    return WorkStage("port reductions", tiles, _scaled("port reductions", law, side))


def _loop(loop: Iterable[Mapping[str, Any]], cycles: int) -> WorkStage:
    ended = [item for item in loop if item["status"] == "ok"]
    if not ended:
        raise _unmeasured("run of the network loop")
    last = ended[-1]
    # Pixels are the same in every cycle: the first layer is multiplied once.
    products = RESNET18[0].products + cycles * sum(layer.products for layer in RESNET18[1:])
    seconds = 2 * products * last["cpu_seconds"] / last["operations"]
    basis = f"operations at the rate of {last['network']}, {last['images']} images"
    return WorkStage(f"network loop, {IMAGES:,} images", IMAGES, Cost(seconds, None, None, basis))


def _reduced(
    ladder: Mapping[str, Any], engine: str, side: int, cycles: int, windows: int
) -> WorkStage:
    """Decks of sampled windows; a run of the ladder is all decks of a group of ``side / 2``."""
    decks = sum(layer.decks(side) for layer in RESNET18)
    measured = deck_count(side // 2)
    group = _layer_cost(ladder, engine, "reduced", side, cycles)
    cost = _times(group, 1 / measured, f", a deck of {measured}")
    name = f"{windows:,} reduced windows, {engine}"
    return WorkStage(name, math.ceil(windows * decks / LAYERS), cost)


def _full(
    ladder: Mapping[str, Any], engine: str, side: int, cycles: int, windows: int
) -> WorkStage:
    """Decks of sampled windows, each a column group with all its row tiles.

    Its cost is taken for proportional to their number.
    """
    groups = sum(layer.groups(side) for layer in RESNET18)
    tiles = sum(layer.tiles(side) for layer in RESNET18) / groups
    tile = _layer_cost(ladder, engine, "full", side, cycles)
    cost = _times(tile, tiles, f", times {tiles:.1f} row tiles")
    name = f"{windows:,} full windows, {engine}"
    return WorkStage(name, math.ceil(windows * groups / LAYERS), cost)


def _layer_cost(
    ladder: Mapping[str, Any], engine: str, fidelity: str, side: int, cycles: int
) -> Cost:
    """One tile through all cycles: measured, or scaled with its size and then with cycles."""
    key = (engine, fidelity, side, cycles, "ok")
    for run in ladder["runs"]:
        if tuple(run[name] for name in ("engine", "fidelity", "size", "cycles", "status")) == key:
            basis = f"measured at {side} x {side}, {cycles} cycles"
            return Cost(run["cpu_seconds"], None, None, basis)
    laws = [law for law in ladder["exponents"] if (law["engine"], law["fidelity"]) == key[:2]]
    by_size = {law["cycles"]: law for law in laws if law["variable"] == "size"}
    what = f"{fidelity} runs on {engine}"
    if cycles in by_size:
        return _scaled(what, by_size[cycles], side)
    cost = _scaled(what, by_size.get(1), side)
    growth = next((law for law in laws if law["variable"] == "cycles"), None)
    if growth is None:
        raise _unmeasured(f"exponent with cycles for {what}")
    factor = cycles ** growth["exponent"]
    return _times(cost, factor, f", {factor:.1f} times for {cycles} cycles")


def _times(cost: Cost, factor: float, words: str) -> Cost:
    low, high = (end if end is None else factor * end for end in (cost.low, cost.high))
    return Cost(factor * cost.seconds, low, high, cost.basis + words)


def _scaled(what: str, item: Mapping[str, Any] | None, side: int) -> Cost:
    """Cost by a power law, from the largest size that it was fitted to."""
    if item is None:
        raise _unmeasured(f"exponent for {what}")
    law = PowerLaw(**{field.name: item[field.name] for field in fields(PowerLaw)})
    largest = max(law.sizes)
    low = high = None
    if law.low is not None and law.high is not None:
        ends = (law.at(largest) * (side / largest) ** end for end in (law.low, law.high))
        low, high = sorted(ends)
    basis = f"scaled from {largest} to {side} by N^{law.exponent:.2f}"
    return Cost(law.at(side), low, high, basis)


def _unmeasured(what: str) -> ConfigError:
    return ConfigError(f"the bench has no {what}: run make bench again")
