"""Results: one family of frozen types, in SI units, that tables, JSON, pandas and files know."""

from memspice.analysis.comparison import MARGIN as MARGIN
from memspice.experiment.convert import Conversion as Conversion
from memspice.experiment.results.against_cmos import CmosComparison as CmosComparison
from memspice.experiment.results.against_cmos import EnergyRatio as EnergyRatio
from memspice.experiment.results.characterization import Characterization as Characterization
from memspice.experiment.results.chip import ChipResult as ChipResult
from memspice.experiment.results.chips import ChipsResult as ChipsResult
from memspice.experiment.results.cosim import CosimResult as CosimResult
from memspice.experiment.results.energy import Energy as Energy
from memspice.experiment.results.energy import SampledEnergy as SampledEnergy
from memspice.experiment.results.events import Events as Events
from memspice.experiment.results.export import Export as Export
from memspice.experiment.results.layer import LayerResult as LayerResult
from memspice.experiment.results.merit import Merit as Merit
from memspice.experiment.results.run import FailedJob as FailedJob
from memspice.experiment.results.run import RunResult as RunResult
from memspice.experiment.results.summary_file import cosim_from_summary as cosim_from_summary
from memspice.experiment.results.sweep import SweepResult as SweepResult
from memspice.experiment.results.trace import NeuronWaveforms as NeuronWaveforms
from memspice.experiment.train import Trained as Trained
from memspice.network.switching import Calibration as Calibration
