"""Which parameter is changed over which values, and where its range comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import memspice as ms

#: Stands among the parameters for rows and columns of a tile.
TILE = "tile"


@dataclass(frozen=True)
class Sweep:
    """One parameter from mild to harsh, all others at the set's own values.

    ``parameters`` all take the value (``table.name``, or ``tile`` for its rows and columns);
    ``fixed`` are other changes that every point has, the nominal one excepted.  ``group`` is
    ``variation`` (of synapses and conditions), ``resistance`` or ``switching`` (of the neuron).
    """

    name: str
    title: str
    parameters: tuple[str, ...]
    values: tuple[float, ...]
    unit: str
    group: str
    source: str
    fixed: Mapping[str, float] = field(default_factory=dict)

    def changes(self, value: float) -> dict[str, float]:
        """Changes of the parameter set at one value."""
        names = [name for name in self.parameters if name != TILE]
        return {**self.fixed, **dict.fromkeys(names, value)}

    def tile(self, value: float, nominal: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns of a tile at one value."""
        return (int(value), int(value)) if TILE in self.parameters else nominal

    def nominal(self, device: ms.Device, tile: tuple[int, int]) -> float:
        """What the set itself, or the tile, has in the place of the swept values."""
        if TILE in self.parameters:
            return tile[0]
        return float(device.value(self.parameters[0]))


_TEN_YEARS = 3.2e8  # s
_OXIDE_DRIFT = {"synapse.drift_exponent": 0.01}
_OXIDE = ms.physics.load_table("cells", "conditions", ms.physics.CellConditions).values
_OXIDE_HEAT = {
    "synapse.activation_temperature": _OXIDE.activation_temperature,
    "synapse.reference_temperature": _OXIDE.reference_temperature,
}

SWEEPS = (
    Sweep(
        "variation", "synapse variation", ("synapse.variation",), (0, 0.05, 0.1, 0.2, 0.3), "1",
        "variation", "studies sweep 5 to 30 % [R]; 9 % measured in HfOx, Yu, IEDM 2012 [S]",
    ),
    Sweep(
        "stuck-off", "cells stuck off", ("synapse.stuck_off",), (0, 0.001, 0.01, 0.05, 0.1), "1",
        "variation", "up to 9.04 % of a 4 Mb chip in its high-resistance state [S, secondary]",
    ),
    Sweep(
        "stuck-on", "cells stuck on", ("synapse.stuck_on",), (0, 0.001, 0.005, 0.0175, 0.05), "1",
        "variation", "1.75 % of a 4 Mb chip in its low-resistance state [S, secondary]",
    ),
    Sweep(
        "levels", "programmable levels", ("synapse.levels",), (256, 64, 32, 16, 8, 4), "1",
        "variation", "our own range, 2 to 8 bit a cell; the set has 5 bit [A]",
    ),
    Sweep(
        "drift", "age of the cells", ("synapse.age",), (0, 1e2, 1e4, 1e6, _TEN_YEARS), "s",
        "variation", "drift exponent 0 to 0.01 of oxides, upper end taken [R]; ten years",
        _OXIDE_DRIFT,
    ),
    Sweep(
        "temperature", "temperature of the cells", ("synapse.temperature",),
        (298.15, 273.15, 328.15, 358.15, 398.15), "K",
        "variation", "0 to 125 degrees C; activation as in models/cells.toml [D]", _OXIDE_HEAT,
    ),
    Sweep(
        "wires", "wire resistance per cell",
        ("array.wire_resistance_row", "array.wire_resistance_col"), (0, 1, 2, 3, 5), "ohm",
        "resistance", "0.30 to 3.5 ohm from 65 to 7 nm, NeuroSim V1.3 [S]; studies: 1 to 5 [R]",
    ),
    Sweep(
        "driver", "driver resistance", ("array.driver_resistance",),
        (30, 120, 300, 1000, 3000), "ohm",
        "resistance", "100 to 1000 ohm swept in the GENIEx family [R]",
    ),
    Sweep(
        "tile", "tile size", (TILE,), (16, 32, 64, 128, 256), "1",
        "resistance", "arrays of 16 to 64 in GENIEx and RxNN [S, secondary]; 128 is ours",
    ),
    Sweep(
        "voltage-scale", "spread of the neurons' V0", ("neuron.voltage_scale_spread",),
        (0, 0.005, 0.01, 0.02, 0.05, 0.1), "1",
        "switching", "no value for Ag/a-Si read; 7.7 % of the barrier of a measured MTJ [S]",
    ),
    Sweep(
        "time-scale", "spread of the neurons' tau0", ("neuron.time_scale_spread",),
        (0, 0.1, 0.2, 0.5, 1.0, 2.0), "1",
        "switching", "no published value read; up to a factor of e",
    ),
    Sweep(
        "threshold", "spread of the neurons' threshold", ("neuron.threshold_spread",),
        (0, 0.005, 0.01, 0.02, 0.05, 0.1), "V",
        "switching", "offset of 9.2 mV of a sense stage in 130 nm, extracted [S]",
    ),
)  # fmt: skip
