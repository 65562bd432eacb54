"""Every non-ideality at once: what ``--flaws`` changes of a parameter set, and training expects.

Cells as they come out of a process without program-and-verify, but for what a chip can do about
them once it is written: a stuck cell is known, and the offsets of the difference stages are
trimmed.  Wires, drivers, finite gain of the sense stages and levels are in every parameter set.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

#: Values in the place of a parameter set's, by ``"table.name"``, in SI units.
#:
#: The spread of cells is the ~9 % that Yu et al. measured in HfOx (IEDM 2012), rounded up.  Stuck
#: cells are those of MNSIM 2.0@ca39ccb, 0.1 % each way; a 4 Mb chip had 1.75 % and 9.04 %, which
#: ``experiments/robustness`` sweeps.  Spreads of neurons are assumed: no value per device was found
#: in the literature; 1 % of V0 is 12 mV at the voltage where ``fast-memristor`` switches.  The trim
#: is assumed, too: 5 mV is a step of 8 bit over its range of 0.5 V either way.
FLAWS: Mapping[str, float | str] = MappingProxyType(
    {
        "synapse.variation": 0.10,
        "synapse.stuck_on": 0.001,
        "synapse.stuck_off": 0.001,
        "synapse.pair_correction": 1,
        "neuron.voltage_scale_spread": 0.01,
        "neuron.time_scale_spread": 0.1,
        "neuron.threshold_spread": 5e-3,
        "periphery.trim_step": 5e-3,
        "periphery.trim_range": 0.5,
    }
)
