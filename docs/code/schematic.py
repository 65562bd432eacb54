"""The periphery of 45 nm transistors as a drawing: what stands around one neuron."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Rectangle

from docs.code.sketches import blank
from memspice.plot.style import MUTED, SPICE, SURROGATE, new_figure, save

#: Columns of the plus and the minus line, and rows; the neuron's column.
LINES, ROWS, NEURON = (21.0, 28.0), (57.0, 51.0, 45.0), 63.0
_SMALL, _WORDS, _DIM = 9, 9.5, "#555555"


def periphery(path: Path) -> None:
    """Draw rows, crossbar, sense stage, write path, neuron, electrode, latch, clocks, bias."""
    figure = new_figure(5.6)
    axis = figure.subplots()
    blank(axis, 78, 64)
    axis.set_ylim(3.5, 64)
    array(axis)
    stage(axis)
    neuron(axis)
    shared(axis)
    save(figure, path)


def array(axis: Axes) -> None:
    """Level drivers, rows, a pair of cells in each, bit lines."""
    for height in ROWS:
        block(axis, (1, height - 2, 11, 4), "level driver", "")
        axis.plot([12, 34], [height, height], color="black", linewidth=1)
        for column in LINES:
            axis.add_patch(
                Rectangle((column - 3.6, height - 2.7), 2.0, 2.0, facecolor=SURROGATE, zorder=3)
            )
            wire(axis, [(column - 2.6, height), (column - 2.6, height - 0.7)])
            wire(axis, [(column - 2.6, height - 2.7), (column - 2.6, height - 3.6)])
            wire(axis, [(column - 2.6, height - 3.6), (column, height - 3.6)])
    for column, name in zip(LINES, ("plus", "minus"), strict=True):
        wire(axis, [(column, ROWS[0] - 3.6), (column, 36)])
        axis.text(column + 0.6, 37.5, name, fontsize=_SMALL)
    axis.text(27, 60.5, "crossbar, a tile of 128 rows", ha="center", fontsize=_WORDS)
    axis.text(6.5, 59.8, "0 to 4 quarters\nof the read level", ha="center", fontsize=_SMALL,
              color=_DIM)  # fmt: skip


def stage(axis: Axes) -> None:
    """Both halves of the stage of bursts, from the bit lines to the drive."""
    block(axis, (14, 24, 18, 12), "front", "line amplifier,\nmirror,\ncurrent copier")
    block(axis, (38, 24, 14, 12), "sum", "ch holds,\nan drives")
    arrow(axis, (32, 30), (38, 30))
    axis.text(33.3, 31, "x", ha="center", fontsize=_SMALL)
    arrow(axis, (35, 39.5), (35, 30.2), color=MUTED)
    axis.text(37, 40, "other tiles", ha="center", fontsize=_SMALL, color=_DIM)


def neuron(axis: Axes) -> None:
    """Write path, resistor, device, latch."""
    arrow(axis, (52, 30), (57, 30))
    axis.text(54.3, 31, "drive", ha="center", fontsize=_SMALL)
    words = "pass: drive to own\nread: own to 0.8 V\nreset: mid to 1 V"
    block(axis, (57, 24, 20, 12), "write path", words)
    wire(axis, [(NEURON, 36), (NEURON, 39)])
    axis.text(NEURON + 0.8, 37.1, "own", fontsize=_SMALL)
    part(axis, 39, 3.5, "white", "resistor")
    wire(axis, [(NEURON, 42.5), (NEURON, 46.5)])
    axis.plot(NEURON, 44.5, "o", color="black", markersize=4)
    axis.text(NEURON + 0.8, 43.9, "mid", fontsize=_SMALL)
    part(axis, 46.5, 3.5, SURROGATE, "device")
    wire(axis, [(NEURON, 50), (NEURON, 55)])
    axis.text(NEURON + 0.8, 52, "common", fontsize=_SMALL)
    block(axis, (57, 55, 20, 6.5), "electrode driver", "0 or 1.6 V, one for 64")
    block(axis, (40, 41.5, 14, 6.5), "latch", "StrongARM")
    arrow(axis, (NEURON, 44.5), (54, 44.5))
    arrow(axis, (47, 48), (47, 53))
    axis.text(47, 54, "spike, to rows\nof other layers", ha="center", fontsize=_SMALL)
    wire(axis, [(72, 36), (72, 44.5), (NEURON, 44.5)], color=MUTED)


def shared(axis: Axes) -> None:
    """Clock drivers and the generator of bias lines."""
    block(
        axis,
        (14, 11, 63, 6.5),
        "clock drivers",
        "one for each clock of each block, with its joules",
    )
    for column in (23, 45, 67):
        arrow(axis, (column, 17.5), (column, 24), color=MUTED)
    block(axis, (1, 24, 10, 12), "bias", "vtail,\none for\n64 stages")
    arrow(axis, (11, 30), (14, 30), color=MUTED)
    axis.text(
        39, 5, "orange: transistors that were simulated   blue: devices of the parameter set",
        ha="center", fontsize=_SMALL, color=_DIM,
    )  # fmt: skip


def block(axis: Axes, place: tuple[float, float, float, float], name: str, words: str) -> None:
    """Box with left, bottom, width, height; a name, and words below it."""
    left, bottom, width, height = place
    box = FancyBboxPatch(
        (left, bottom), width, height, boxstyle="round,pad=0,rounding_size=0.8",
        facecolor="#fdf1e6", edgecolor=SPICE, zorder=2,
    )  # fmt: skip
    axis.add_patch(box)
    middle, top = left + width / 2, bottom + height
    if not words:
        axis.text(middle, bottom + height / 2, name, ha="center", va="center", fontsize=_SMALL)
        return
    axis.text(middle, top - 1.9, name, ha="center", va="center", weight="bold", fontsize=_WORDS)
    axis.text(middle, (bottom + top - 3.4) / 2, words, ha="center", va="center", fontsize=_SMALL)


def part(axis: Axes, bottom: float, height: float, color: str, name: str) -> None:
    """Two-terminal part in the neuron's column."""
    edge = "black" if color == "white" else color
    place = (NEURON - 1.1, bottom)
    axis.add_patch(Rectangle(place, 2.2, height, facecolor=color, edgecolor=edge, zorder=2))
    axis.text(NEURON + 2, bottom + height / 2, name, va="center", fontsize=_SMALL)


def wire(axis: Axes, points: list[tuple[float, float]], color: str = "black") -> None:
    """Line through points."""
    across, up = zip(*points, strict=True)
    axis.plot(across, up, color=color, linewidth=1, zorder=1)


def arrow(
    axis: Axes, start: tuple[float, float], stop: tuple[float, float], color: str = "black"
) -> None:
    """Arrow between two points."""
    axis.annotate("", stop, start, arrowprops={"arrowstyle": "->", "color": color}, zorder=1)
