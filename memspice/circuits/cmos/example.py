"""A CMOS neuron that is small enough to read: two bits, 16 table entries, two decisions."""

from __future__ import annotations

import numpy as np

from memspice.circuits.cmos.cells import CmosTechnology
from memspice.circuits.cmos.logic import activation_table
from memspice.circuits.cmos.neuron import CmosNeurons

#: Values of models/cmos45_cells.toml, written out: circuits do not read files of parameters.
TECHNOLOGY = CmosTechnology(
    supply=1.0,
    nmos_width=120e-9,
    pmos_width=180e-9,
    diffusion_length=100e-9,
    load_capacitance=0.4e-15,
    cell_wire=0.06e-15,
)
#: Accumulated sums of the table's entries: P = 0.7 % to 98.9 %.
SUMS = np.linspace(-5.0, 1.5, 16)


def example_neurons() -> CmosNeurons:
    """One neuron with the same sum (P = 0.7) twice: it spikes once."""
    codes = np.array([[12], [12]])
    return CmosNeurons(TECHNOLOGY, activation_table(SUMS, 2), 2, codes)
