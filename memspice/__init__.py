"""Circuit-level SPICE co-simulation of memristive deep spiking networks."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memspice.solver.crossbar_solution import CrossbarSolution as CrossbarSolution
    from memspice.solver.crossbar_solution import solve_crossbar as solve_crossbar
    from memspice.solver.nonlinear_solution import NonlinearSolution as NonlinearSolution
    from memspice.solver.nonlinear_solution import (
        solve_nonlinear_crossbar as solve_nonlinear_crossbar,
    )
    from memspice.solver.reduction import PortAdmittance as PortAdmittance
    from memspice.solver.reduction import port_admittance as port_admittance
    from memspice.solver.updates import ChangingCrossbar as ChangingCrossbar

# Imported when first used: the command line must be able to answer Ctrl-C before a second of
# imports is over.
_HOMES = {
    "CrossbarSolution": "solver.crossbar_solution",
    "solve_crossbar": "solver.crossbar_solution",
    "NonlinearSolution": "solver.nonlinear_solution",
    "solve_nonlinear_crossbar": "solver.nonlinear_solution",
    "PortAdmittance": "solver.reduction",
    "port_admittance": "solver.reduction",
    "ChangingCrossbar": "solver.updates",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'memspice' has no attribute {name!r}")
    return getattr(importlib.import_module(f"memspice.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
