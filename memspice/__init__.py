"""Circuit-level SPICE co-simulation of memristive deep spiking networks."""

from memspice.circuits.crossbar_solution import CrossbarSolution as CrossbarSolution
from memspice.circuits.crossbar_solution import solve_crossbar as solve_crossbar
from memspice.circuits.nonlinear_solution import NonlinearSolution as NonlinearSolution
from memspice.circuits.nonlinear_solution import (
    solve_nonlinear_crossbar as solve_nonlinear_crossbar,
)
from memspice.circuits.reduction import PortAdmittance as PortAdmittance
from memspice.circuits.reduction import port_admittance as port_admittance
from memspice.circuits.updates import ChangingCrossbar as ChangingCrossbar
