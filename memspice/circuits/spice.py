"""What memspice uses of PySpice: the only module that imports it.

Its sources make the compiler warn, which ends the program where a user has made warnings errors.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from PySpice.Spice.Netlist import Circuit as Circuit
    from PySpice.Spice.Netlist import SubCircuit as SubCircuit
