"""Names of the nodes at which the blocks of a layer meet; what is inside a block, the block names.

::

    row drivers, cells --> bit lines --> sense stage --> drive --> neuron, latch --> spike
"""

from __future__ import annotations

#: Level at which rows rest and bit lines are held; ground where that is 0 V.
LINE_LEVEL = "line_level"


#: Gate lines of access transistors: all rows are read at once, so one node stands for all.
GATE = "gate"


def row(name: str) -> str:
    """Begin of a word line, out of its driver, by the name ``<tile>_<number>`` of the row."""
    return f"r{name}"


def bit_line(column: int) -> str:
    """End of a bit line; G+ of output n is column 2 n, G- the next one."""
    return f"c{column}"


def bit_lines(output: int) -> tuple[str, str]:
    """Ends of the bit lines G+ and G- of an output."""
    return bit_line(2 * output), bit_line(2 * output + 1)


def drive(output: int) -> str:
    """Write voltage of a neuron, out of its sense stage."""
    return f"drive{output}"


def threshold(output: int) -> str:
    """Draw of a neuron, a number carried as volts."""
    return f"threshold{output}"


def spike(output: int) -> str:
    """Spike line of a neuron, out of its latch."""
    return f"spike{output}"
