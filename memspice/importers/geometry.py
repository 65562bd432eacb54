"""Which imported convolutions and poolings memspice has: the rules, and their refusals."""

from __future__ import annotations

from memspice.errors import ShapeError
from memspice.importers.operations import (
    AdaptiveAveraging,
    Averaging,
    Convolution,
    Maximum,
    refusal,
    shape_text,
)
from memspice.network.architecture import Conv, Dense


def convolution_kind(operation: Convolution, channels: int, image: tuple[int, int]) -> Conv | Dense:
    """Layer of a convolution; one whose kernel covers the whole image is a dense layer.

    Any other must have a square kernel, and the same stride and padding along rows and columns.

    Raises
    ------
    ConfigError
        If it has not.
    ShapeError
        If its weight does not fit ``channels``, or it was made for images of another size.
    """
    where, shape, groups = operation.where, operation.weight.shape, operation.groups
    if len(shape) != 4 or groups < 1 or shape[1] * groups != channels or shape[0] % groups:
        raise ShapeError(
            f"{where}: a weight of shape {shape} in {groups} groups does not fit {channels} "
            "channels; check the shape of the input"
        )
    if operation.image not in (None, image):
        raise ShapeError(
            f"{where}: made for images of {shape_text(operation.image or ())}, but gets "
            f"{shape_text(image)}; check the shape of the input"
        )
    kernel = (shape[2], shape[3])
    _check_pair(operation, "dilation", (1, 1), "train with dilation 1")
    if kernel == image and operation.padding == (0, 0) and groups == 1:
        return Dense(shape[0])
    if kernel[0] != kernel[1]:
        raise refusal(where, f"a kernel of {shape_text(kernel)}", "use a square kernel: 1, 3, 5")
    stride, padding = operation.stride[0], operation.padding[0]
    _check_pair(operation, "stride", (stride, stride), "use the same along rows and columns")
    _check_pair(operation, "padding", (padding, padding), "use the same along rows and columns")
    if stride < 1 or padding < 0:
        raise refusal(where, f"stride = {stride}, padding = {padding}", "export it again")
    same = kernel[0] % 2 == 1 and padding == kernel[0] // 2
    kind = Conv(
        channels=shape[0],
        kernel=kernel[0],
        also=(),
        stride=stride,
        padding="same" if same else padding,
        groups=groups,
    )
    if min(kind.sides(*image)) < 1:
        raise refusal(
            where,
            f"a kernel of {shape_text(kernel)} on images of {shape_text(image)}",
            "use a smaller kernel, or more padding",
        )
    return kind


def _check_pair(operation: Convolution, name: str, allowed: tuple[int, int], advice: str) -> None:
    value = getattr(operation, name)
    if value != allowed:
        raise refusal(operation.where, f"{name} = {value} instead of {allowed}", advice)


def equal_blocks(operation: AdaptiveAveraging, image: tuple[int, int]) -> Averaging:
    """Averaging that leaves the asked number of rows and columns.

    Raises
    ------
    ConfigError
        If the image does not divide into as many equal blocks.
    """
    output = [
        side if asked is None else asked
        for asked, side in zip(operation.output, image, strict=True)
    ]
    if any(asked < 1 or side % asked for asked, side in zip(output, image, strict=True)):
        raise refusal(
            operation.where,
            f"images of {shape_text(image)} do not divide into {shape_text(output)} equal blocks",
            "use an output size that divides them, such as 1",
        )
    rows, cols = (side // asked for asked, side in zip(output, image, strict=True))
    return Averaging(operation.where, (rows, cols), (rows, cols))


def check_blocks(operation: Averaging | Maximum, image: tuple[int, int]) -> bool:
    """Whether there is one block, the whole image, of a shape that is not square.

    Any others must be square, side by side, and fill the image.

    Raises
    ------
    ConfigError
        If they are not.
    """
    size = operation.size
    if operation.padding == (0, 0) and size == image:  # one block, whatever the stride
        return size[0] != size[1]
    if size[0] != size[1] or operation.stride != size or operation.padding != (0, 0):
        raise refusal(
            operation.where,
            f"size {size}, stride {operation.stride}, padding {operation.padding}: blocks must be "
            "square (or the whole image), side by side and without padding",
            "use a stride equal to the size and no padding",
        )
    if size[0] < 1 or image[0] % size[0] or image[1] % size[0]:
        raise refusal(
            operation.where,
            f"images of {shape_text(image)} do not divide into blocks of {shape_text(size)}",
            "use another size, or images padded to a multiple of it",
        )
    return False
