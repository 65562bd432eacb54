"""The page of a co-simulation: its summary, its figures, its HTML."""

from memspice.report.cosim_report import COSIM_FILES as COSIM_FILES
from memspice.report.cosim_report import STORE as STORE
from memspice.report.cosim_report import write_cosim_report as write_cosim_report
from memspice.report.html import embedded as embedded
