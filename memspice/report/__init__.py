"""Pages: of a co-simulation with its summary and figures, and to look at waveforms."""

from memspice.analysis.macros import published_macros as published_macros
from memspice.report.cosim_report import COSIM_FILES as COSIM_FILES
from memspice.report.cosim_report import STORE as STORE
from memspice.report.cosim_report import write_cosim_report as write_cosim_report
from memspice.report.html import embedded as embedded
from memspice.report.viewer import write_viewer as write_viewer
