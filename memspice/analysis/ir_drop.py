"""IR drop: what the resistance of wires and row drivers leaves of a layer's currents.

The difference of the two bit-line currents of an output is a line in the row voltages, from the
exact port matrix of its tiles.  The same cells without resistance have another one; the factor that
brings the second nearest to the first is the gain of the output.  The input of the sense stage
counts in both: it is no wire.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from memspice.circuits.layer import LayerCircuit
from memspice.circuits.ports import port_array

#: Resistances of an array.
_ALL = ("wire_resistance_row", "wire_resistance_col", "driver_resistance")


@dataclass(frozen=True, eq=False)
class IrDrop:
    """Gain of each output by resistance: 1 where there is none.  Arrays are (outputs,).

    Parameters
    ----------
    gain : ndarray, [1]
        With the resistance of rows, columns and drivers together.
    columns, rows, drivers : ndarray, [1]
        With that of bit lines, word lines or row drivers alone.
    rest : ndarray, [1]
        What the gain does not tell: root mean square over the rows of what is left, relative to the
        currents without resistance.
    """

    gain: np.ndarray = field(metadata={"unit": "1"})
    columns: np.ndarray = field(metadata={"unit": "1"})
    rows: np.ndarray = field(metadata={"unit": "1"})
    drivers: np.ndarray = field(metadata={"unit": "1"})
    rest: np.ndarray = field(metadata={"unit": "1"})


def ir_drop(circuits: Sequence[LayerCircuit]) -> IrDrop:
    """IR drop of a layer; cells that are no resistors count as `memspice.circuits.ports` says.

    Parameters
    ----------
    circuits : sequence of LayerCircuit
        Its column groups, whole.
    """
    ideal = _currents(circuits, ())
    size = np.sum(ideal**2, axis=1)
    size = np.where(size > 0, size, np.nan)  # an output whose two columns are alike has no gain

    def gain(found: np.ndarray) -> np.ndarray:
        return np.asarray(np.sum(found * ideal, axis=1) / size)

    found = _currents(circuits, _ALL)
    whole = gain(found)
    return IrDrop(
        gain=whole,
        columns=gain(_currents(circuits, ("wire_resistance_col",))),
        rows=gain(_currents(circuits, ("wire_resistance_row",))),
        drivers=gain(_currents(circuits, ("driver_resistance",))),
        rest=np.sqrt(np.sum((found - whole[:, None] * ideal) ** 2, axis=1) / size),
    )


def _currents(circuits: Sequence[LayerCircuit], kept: Sequence[str]) -> np.ndarray:
    """Difference of bit-line currents per row voltage with some resistances, (outputs, rows)."""
    left_out = dict.fromkeys((name for name in _ALL if name not in kept), 0.0)
    parts = []
    for circuit in circuits:
        array = circuit.array.model_copy(update=left_out)
        ports = (
            port_array(circuit.conductances, array, circuit.sense.input_resistance)
            if left_out
            else circuit.ports
        )
        current = ports.transfer
        parts.append(current[0::2] - current[1::2])
    return np.concatenate(parts)
