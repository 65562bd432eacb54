"""Points of a sweep: the values that are varied, and what each point is asked for."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import product
from pathlib import Path
from typing import Any

from memspice.datasets import Images
from memspice.engines.base import Engine
from memspice.errors import ConfigError, DataError
from memspice.experiment.convert import load_network
from memspice.experiment.device import Device, load_device
from memspice.experiment.images import check_fit, images_for
from memspice.inputs import read_input
from memspice.network.weights import Network
from memspice.outputs import number_or_word, parse_tile
from memspice.windows.fidelity import Fidelity

#: Largest file of points, [bytes].
LARGEST = 1 << 24
#: Most points of a sweep.
MOST_POINTS = 100_000

Value = float | str
Point = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class PointSetting:
    """Setting of one point: a chip, images, and how they are simulated.

    Parameters
    ----------
    network, device, periphery, tile, seed, flaws
        The chip; ``tile`` also as ``"128x128"``, ``periphery`` as of `load_device`.
    changes : mapping
        Values of the device, by the names that `Device.change` takes.
    data, images
        Images, and how many of them.
    layer : str or None
        Layer whose windows are simulated; None for the whole network.
    cycles, burst, positions
        See `Layer.simulate`.
    fidelity, engine
        What SPICE sees, and on which simulator.
    """

    network: Network | str
    device: Device | str
    periphery: str | None
    tile: tuple[int, int] | str
    seed: int
    flaws: bool
    data: Images | Path | str | None
    images: int
    layer: str | None
    cycles: int
    burst: int | None
    positions: int
    fidelity: Fidelity | str
    engine: Engine | str | None
    changes: Mapping[str, Value] = field(default_factory=dict)

    def at(self, point: Point) -> PointSetting:
        """PointSetting with the values of a point in their place.

        Raises
        ------
        ConfigError
            If a number must be a whole one and is not.
        """
        own = {name: _whole(name, value) for name, value in point.items() if name in RUN_NAMES}
        others = {name: value for name, value in point.items() if name not in RUN_NAMES}
        return replace(self, **own, changes={**self.changes, **others})

    @property
    def chosen_device(self) -> Device:
        """Device with flaws and changes.

        Raises
        ------
        ConfigError, DataError
            As of `Device.change`.
        """
        device = self.device
        if isinstance(device, str):
            device = load_device(device, self.periphery)
        elif self.periphery is not None:
            raise ConfigError(
                f"periphery = {self.periphery!r} is for a device that a name stands for; "
                f"{device.name} is loaded with {device.periphery!r} already"
            )
        if self.flaws:
            device = device.with_flaws()
        return device.change(**self.changes) if self.changes else device

    @property
    def usual_burst(self) -> int:
        """Cycles of a burst, also where nobody says."""
        if self.burst is not None:
            return self.burst
        return self.chosen_device.parameters.sense.usual_burst(self.cycles)

    @property
    def loaded_network(self) -> Network:
        """Network of a name, or as given.

        Raises
        ------
        ConfigError, DataError
            If it cannot be loaded.
        """
        return load_network(self.network) if isinstance(self.network, str) else self.network

    def images_for(self, network: Network) -> Images:
        """First test images of the data.

        Raises
        ------
        ConfigError, ShapeError, DataError
            If there are none for the network.
        """
        if isinstance(self.data, Images):
            check_fit(network, self.data)
            return self.data[: self.images]
        return images_for(network, "test", self.images, self.data)

    @property
    def contents_key(self) -> tuple[object, ...]:
        """Names whose content decides numbers, too."""
        return self.network, self.device, self.periphery, self.data, self.images, self.flaws

    @property
    def sides(self) -> tuple[int, int]:
        """Rows and columns of a tile."""
        return parse_tile(self.tile) if isinstance(self.tile, str) else self.tile

    @property
    def chip_key(self) -> tuple[object, ...]:
        """What decides the chip and its images."""
        return (
            *(self.network, self.device, self.periphery, self.sides, self.seed, self.flaws),
            *(self.data, self.images),
            *sorted(self.changes.items()),
        )


#: What a point can say of a run; any other name is one of the device's values.
RUN_NAMES = frozenset(item.name for item in fields(PointSetting)) - {"changes"}
_COUNTS = frozenset({"seed", "images", "cycles", "burst", "positions"})


def _whole(name: str, value: Any) -> Any:
    if name not in _COUNTS:
        return value
    if isinstance(value, bool) or int(value) != value:
        raise ConfigError(f"{name} = {value} must be a whole number")
    return int(value)


#: What is varied: values by name, points one by one, or a file of them.
Vary = Mapping[str, Sequence[Value]] | Sequence[Point] | Path


def points_of(vary: Vary) -> list[Point]:
    """Points of a grid, the last name running fastest, or those of a list as they are.

    Parameters
    ----------
    vary : mapping of str to sequence, sequence of mapping, or Path
        Values by name: every combination is a point.  Or the points one by one, all of the same
        names; also as a CSV file, see `read_points`.

    Raises
    ------
    ConfigError
        If nothing is varied, a name has no value or one twice, points have different names, or
        there are too many.
    """
    if isinstance(vary, Mapping):
        for name, values in vary.items():
            _check_values(name, list(values))
        points: list[Point] = [
            dict(zip(vary, each, strict=True)) for each in product(*vary.values())
        ]
    else:
        points = read_points(vary) if isinstance(vary, Path) else [dict(each) for each in vary]
    if not points or not points[0]:
        raise ConfigError("a sweep varies nothing: give at least one name with values")
    for number, point in enumerate(points):
        if set(point) != set(points[0]):
            raise ConfigError(
                f"point {number} has the names {', '.join(point)}, point 0 "
                f"{', '.join(points[0])}: give every point the same"
            )
    if len(points) > MOST_POINTS:
        raise ConfigError(f"{len(points):,} points are more than {MOST_POINTS:,}: vary less")
    return points


def _check_values(name: str, values: list[Value]) -> None:
    if not values:
        raise ConfigError(f"{name} has no value to take: give some, or leave it out")
    twice = [value for number, value in enumerate(values) if value in values[:number]]
    if twice:
        raise ConfigError(f"{name} = {twice[0]} is given twice: leave one out")


def read_points(path: Path) -> list[Point]:
    """Points of a CSV file, one a row under a line of names.

    Raises
    ------
    DataError
        If it is no such file.
    """
    try:
        lines = read_input(path, LARGEST).decode("utf-8-sig").splitlines()
        rows = [row for row in csv.reader(lines, strict=True) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is no CSV file of points: {error}") from error
    if len(rows) < 2:
        raise DataError(f"{path} holds no points: a line of names, and a line for each point")
    names = [name.strip().replace("-", "_") for name in rows[0]]
    if len(set(names)) < len(names) or not all(names):
        raise DataError(f"{path}: names must differ, and none be empty: {', '.join(names)}")
    for number, row in enumerate(rows[1:]):
        if len(row) != len(names):
            raise DataError(f"{path}: point {number} has {len(row)} values for {len(names)} names")
    return [
        {name: number_or_word(cell.strip()) for name, cell in zip(names, row, strict=True)}
        for row in rows[1:]
    ]
