"""What an imported network does, step by step, in no framework's terms.

Importers (:mod:`memspice.importers.nir_import`, :mod:`memspice.importers.torch_sequential`) write
these; :func:`memspice.importers.assembly.assemble_network` makes a network of them, or refuses.
``where`` is what the reader calls the operation: ``node 'conv1' (Conv2d)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from memspice.errors import ConfigError, DataError
from memspice.importers.rate_match import Integrators
from memspice.outputs import printable

#: Largest number that is read of a network of another tool, and largest side, step or number.
LARGEST, MOST = 1e12, 100_000


@dataclass(frozen=True, eq=False)
class Convolution:
    """Cross-correlation with ``weight`` (outputs, inputs, kernel rows, kernel columns).

    ``bias`` is (outputs,); outside of the image there are ``padding`` rows and columns of zeros.
    ``image`` is the size (rows, columns) of the input where the source states it.
    """

    where: str
    weight: np.ndarray
    bias: np.ndarray
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    image: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class FullProduct:
    """Fully connected layer: ``weight`` (outputs, inputs) times the flat input, plus ``bias``."""

    where: str
    weight: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True, eq=False)
class Scaling:
    """``scale * x + shift``: one number, or one a channel, or one for each number of the input.

    Folded batch normalisation, thresholds, resistances.
    """

    where: str
    scale: np.ndarray
    shift: np.ndarray


@dataclass(frozen=True)
class Averaging:
    """Mean over blocks of ``size`` (rows, columns)."""

    where: str
    size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Maximum:
    """Largest of blocks of ``size`` (rows, columns): of spikes, whether there is any."""

    where: str
    size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Joining:
    """Inputs side by side: the channels of one after those of the other."""

    where: str


@dataclass(frozen=True)
class Addition:
    """Sum of inputs of one shape."""

    where: str


@dataclass(frozen=True)
class AdaptiveAveraging:
    """Mean over the blocks, all equal, that leave ``output`` (rows, columns); None: as many."""

    where: str
    output: tuple[int | None, int | None]


@dataclass(frozen=True)
class Flattening:
    """(channel, row, column) to one axis, the column the fastest."""

    where: str


@dataclass(frozen=True)
class StochasticNeurons:
    """Stochastic neurons: a spike with the probability ``1 - exp(-exp(z))``."""

    where: str


@dataclass(frozen=True, eq=False)
class Replacement:
    """Neurons of another kind, whose rate the stochastic ones behind this are to have.

    ``law`` has one number a channel, or one for all.  Behind the last layer (``last``) nothing
    spikes: the input is brought to the scale of the device, and that is all.
    """

    where: str
    law: Integrators
    last: bool


Operation = (
    Convolution
    | FullProduct
    | Scaling
    | Averaging
    | Maximum
    | AdaptiveAveraging
    | Joining
    | Addition
    | Flattening
    | StochasticNeurons
    | Replacement
)


@dataclass(frozen=True, eq=False)
class Step:
    """An operation and the numbers of what it takes: 0 is the image, n the result of step n."""

    operation: Operation
    takes: tuple[int, ...]


def chained(operations: Sequence[Operation], first: int) -> list[Step]:
    """Steps one behind the other, the first of which takes what step ``first`` gives."""
    return [Step(operation, (first + place,)) for place, operation in enumerate(operations)]


def refusal(where: str, what: str, advice: str) -> ConfigError:
    """Error of something that cannot be mapped: where, what, and what to try."""
    return ConfigError(f"{where}: {what}; {advice}")


def real_array(value: object, where: str, name: str) -> np.ndarray:
    """``value`` as float64.

    Raises
    ------
    DataError
        If it is no array of real numbers, or one of them is not finite.
    """
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise DataError(
            f"{where}: {name} of type {array.dtype} is no array of real numbers; "
            "export it as float32 or float64"
        )
    array = array.astype(float)
    bad = int(np.count_nonzero(~np.isfinite(array)))
    if bad:
        raise DataError(
            f"{where}: {bad} of {array.size} numbers in {name} are not finite; "
            "train or export the network again"
        )
    if array.size and np.abs(array).max() > LARGEST:
        raise DataError(
            f"{where}: {name} holds {np.abs(array).max():g}, the largest number that is read is "
            f"{LARGEST:g}; train or export the network again"
        )
    return array


def whole_pair(value: object, where: str, name: str) -> tuple[int, int]:
    """Rows and columns of a setting given as one whole number or as two.

    Raises
    ------
    ConfigError
        If it is neither.
    """
    array = np.asarray(value)
    if (
        array.dtype.kind not in "iuf"
        or array.size not in (1, 2)
        or not np.isfinite(array).all()
        or np.any(array != array // 1)
        or np.any(np.abs(array) > MOST)
    ):
        raise refusal(
            where,
            f"{name} = {printable(str(value))[:60]} is not one or two whole numbers of at most "
            f"{MOST:,}",
            "export again",
        )
    rows, cols = np.broadcast_to(array.ravel(), 2).tolist()
    return int(rows), int(cols)


def shape_text(shape: Sequence[int]) -> str:
    """Shape as the command line writes it: ``1x8x8``."""
    return "x".join(str(side) for side in shape)
