"""The figures of a report, all that a caller needs to draw and write them."""

from memspice.report.energy_figures import energy_figure as energy_figure
from memspice.report.energy_figures import iteration_figure as iteration_figure
from memspice.report.event_figures import pathwise_figure as pathwise_figure
from memspice.report.event_figures import raster_figure as raster_figure
from memspice.report.event_figures import rate_figure as rate_figure
from memspice.report.signal_figures import ir_drop_figure as ir_drop_figure
from memspice.report.signal_figures import neuron_waveform_figure as neuron_waveform_figure
from memspice.report.style import own_style as own_style
from memspice.report.style import save as save
