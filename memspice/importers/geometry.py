"""Which imported convolutions and poolings memspice has: the rules, and their refusals."""

from __future__ import annotations

from memspice.errors import ShapeError
from memspice.importers.operations import (
    AdaptiveAveraging,
    Averaging,
    Convolution,
    refusal,
    shape_text,
)


def check_convolution(operation: Convolution, channels: int, image: tuple[int, int]) -> bool:
    """Whether the kernel covers the whole image, which makes it a fully connected layer.

    Any other must have stride and dilation one, one group, and a square odd kernel padded so that
    the image keeps its size.

    Raises
    ------
    ConfigError
        If it has not.
    ShapeError
        If its weight does not fit ``channels``, or it was made for images of another size.
    """
    where, shape = operation.where, operation.weight.shape
    if operation.groups != 1:
        raise refusal(
            where,
            f"groups = {operation.groups}: every output must see every input",
            "use groups = 1, with zeros where nothing is connected",
        )
    if len(shape) != 4 or shape[1] != channels:
        raise ShapeError(
            f"{where}: a weight of shape {shape} does not fit {channels} channels; "
            "check the shape of the input"
        )
    if operation.image not in (None, image):
        raise ShapeError(
            f"{where}: made for images of {shape_text(operation.image or ())}, but gets "
            f"{shape_text(image)}; check the shape of the input"
        )
    kernel = (shape[2], shape[3])
    _check_unit(operation, "dilation")
    if kernel == image and operation.padding == (0, 0):
        return True
    _check_unit(operation, "stride")
    _check_padding(operation, kernel)
    return False


def _check_unit(operation: Convolution, name: str) -> None:
    value = getattr(operation, name)
    if value != (1, 1):
        raise refusal(
            operation.where,
            f"{name} = {value} instead of (1, 1)",
            f"train with {name} 1, and average pooling to shrink images",
        )


def _check_padding(operation: Convolution, kernel: tuple[int, int]) -> None:
    if kernel[0] != kernel[1] or kernel[0] % 2 == 0:
        raise refusal(
            operation.where,
            f"a kernel of {shape_text(kernel)}",
            "use a square kernel with an odd side: 1, 3, 5",
        )
    margin = kernel[0] // 2
    if operation.padding != (margin, margin):
        raise refusal(
            operation.where,
            f"padding = {operation.padding} does not keep the size of the image",
            f"train with padding {margin}",
        )


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


def check_averaging(operation: Averaging, image: tuple[int, int]) -> bool:
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
