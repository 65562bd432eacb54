"""Figures of results: what a neuron, a layer, a network and its joules look like.

Each takes a result and gives a ``matplotlib.figure.Figure`` that belongs to no window and no global
state; a notebook shows it, ``save`` writes it.
"""

from memspice.plot.fit_plot import fit as fit
from memspice.plot.of_results import energy as energy
from memspice.plot.of_results import ir_drop as ir_drop
from memspice.plot.of_results import neuron as neuron
from memspice.plot.of_results import pathwise as pathwise
from memspice.plot.of_results import raster as raster
from memspice.plot.of_results import rates as rates
from memspice.plot.of_results import signals as signals
from memspice.plot.of_results import sweep as sweep
from memspice.plot.of_results import transfer as transfer
from memspice.plot.style import MUTED as MUTED
from memspice.plot.style import SPICE as SPICE
from memspice.plot.style import SURROGATE as SURROGATE
from memspice.plot.style import headline as headline
from memspice.plot.style import new_figure as new_figure
from memspice.plot.style import numbers as numbers
from memspice.plot.style import save as save
from memspice.plot.style import si as si
from memspice.plot.style import tidy as tidy
