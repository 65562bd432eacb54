"""Exact linear algebra of wired arrays: elimination, reduction, updates, nonlinear cells.

``solve_crossbar`` and ``solve_nonlinear_crossbar`` give every voltage of an array, and
``port_admittance`` what it is at its ends.
"""

from memspice.solver.crossbar_solution import CrossbarSolution as CrossbarSolution
from memspice.solver.crossbar_solution import solve_crossbar as solve_crossbar
from memspice.solver.nonlinear_solution import NonlinearSolution as NonlinearSolution
from memspice.solver.nonlinear_solution import solve_nonlinear_crossbar as solve_nonlinear_crossbar
from memspice.solver.reduction import PortAdmittance as PortAdmittance
from memspice.solver.reduction import port_admittance as port_admittance
from memspice.solver.updates import ChangingCrossbar as ChangingCrossbar
