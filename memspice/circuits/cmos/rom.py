"""Table of activation thresholds: a dynamic NOR array behind a decoder, 45 nm CMOS.

While the clock is low the bit lines are charged; while it is high one word line rises, and a bit
line falls where the entry has a 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memspice.circuits.cmos.cells import CmosCell, CmosTechnology, nand
from memspice.circuits.spice import SubCircuit
from memspice.errors import ShapeError

#: Address bits of a table: two predecoders of two or three bits each.
ADDRESS_BITS = (4, 5, 6)


def address_bits(entries: int) -> int:
    """Address bits of a table.

    Raises
    ------
    ShapeError
        If a table of ``entries`` cannot be decoded.
    """
    bits = entries.bit_length() - 1
    if entries != 2**bits or bits not in ADDRESS_BITS:
        sizes = ", ".join(str(2**k) for k in ADDRESS_BITS)
        raise ShapeError(f"a table of {entries} entries cannot be decoded; make it {sizes}")
    return bits


def decoder_cells(technology: CmosTechnology, entries: int) -> dict[str, SubCircuit]:
    """Gates that `threshold_table` of so many entries needs, by name."""
    bits = address_bits(entries)
    high = bits // 2
    sizes = sorted({high, bits - high + 1, 2})
    return {f"and{k}": nand(technology, k, inverted=True) for k in sizes}


def threshold_table(
    technology: CmosTechnology, name: str, thresholds: NDArray[np.int64], bits: int
) -> SubCircuit:
    """Table with terminals ``z0..``, ``clock``, ``p0..``, ``pn0..`` and ``vdd``.

    Parameters
    ----------
    technology : CmosTechnology
        Sizes and wires.
    name : str
        Of the subcircuit.
    thresholds : ndarray of int, shape (entries,)
        Contents, by address; ``z0`` and ``p0`` are least significant.
    bits : int
        Bits of an entry.  ``pn`` is the bit line: high while the clock is low.
    """
    entries = len(thresholds)
    n_address = address_bits(entries)
    outputs = [f"p{b}" for b in range(bits)] + [f"pn{b}" for b in range(bits)]
    cell = CmosCell(technology, name, *(f"z{k}" for k in range(n_address)), "clock", *outputs)
    for k in range(n_address):
        cell.inverter(f"z{k}", f"z{k}_0")
        cell.inverter(f"z{k}_0", f"z{k}_1")
    _decoder(cell, n_address, entries)
    for entry, threshold in enumerate(thresholds.tolist()):
        cell.wire(f"word{entry}", f"word{entry}", bits * technology.cell_wire)
        for bit in range(bits):
            if threshold >> bit & 1:
                cell.nmos(f"pn{bit}", f"word{entry}", "0")
    for bit in range(bits):
        cell.wire(f"bit{bit}", f"pn{bit}", entries * technology.cell_wire)
        cell.pmos(f"pn{bit}", "clock", "vdd")
        cell.inverter(f"pn{bit}", f"p{bit}")
        cell.keeper(f"pn{bit}", f"p{bit}")
    return cell.loaded(*outputs[:bits])


def _decoder(cell: CmosCell, n_address: int, entries: int) -> None:
    """Two predecoders, the lower one gated by the clock, and one gate per word line."""
    high = n_address // 2
    low = n_address - high
    groups = (("low", range(low), ("clock",)), ("high", range(low, n_address), ()))
    for name, wires, extra in groups:
        for value in range(2 ** len(wires)):
            inputs = [f"z{wire}_{value >> k & 1}" for k, wire in enumerate(wires)] + list(extra)
            cell.circuit.X(f"{name}{value}", f"and{len(inputs)}", *inputs, f"{name}{value}", "vdd")
    for entry in range(entries):
        lines = (f"low{entry % 2**low}", f"high{entry >> low}")
        cell.circuit.X(f"word{entry}", "and2", *lines, f"word{entry}", "vdd")
