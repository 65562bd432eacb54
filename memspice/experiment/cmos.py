"""Digital CMOS beside the memristors: its neuron as a circuit, its prices, and how both compare."""

from memspice.analysis.accounts import Accounts as Accounts
from memspice.analysis.accounts import assumption_changes as assumption_changes
from memspice.analysis.accounts import ratio_changes as ratio_changes
from memspice.analysis.cmos import LIKE_FOR_LIKE as LIKE_FOR_LIKE
from memspice.analysis.cmos import OPPONENTS as OPPONENTS
from memspice.analysis.cmos import PAPERS as PAPERS
from memspice.analysis.cmos import SCOPES as SCOPES
from memspice.analysis.cmos import CmosOperations as CmosOperations
from memspice.analysis.cmos import Conversions as Conversions
from memspice.analysis.cmos import Converters as Converters
from memspice.analysis.cmos import NeuronDecision as NeuronDecision
from memspice.analysis.cmos import Workload as Workload
from memspice.analysis.cmos import analogue_energy as analogue_energy
from memspice.circuits.cmos.cells import CmosTechnology as CmosTechnology
from memspice.circuits.cmos.events import CmosEvents as CmosEvents
from memspice.circuits.cmos.events import cmos_events as cmos_events
from memspice.circuits.cmos.events import cmos_signals as cmos_signals
from memspice.circuits.cmos.logic import activation_table as activation_table
from memspice.circuits.cmos.logic import random_numbers as random_numbers
from memspice.circuits.cmos.logic import register_states as register_states
from memspice.circuits.cmos.neuron import BLOCKS as BLOCKS
from memspice.circuits.cmos.neuron import CmosNeurons as CmosNeurons
from memspice.circuits.cmos.neuron import cmos_neuron_deck as cmos_neuron_deck
from memspice.circuits.cmos.neuron import transistor_count as transistor_count
