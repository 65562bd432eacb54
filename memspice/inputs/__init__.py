"""Files from outside: opened once, judged before use, within limits of time and memory."""

from memspice.inputs.files import open_input as open_input
from memspice.inputs.files import parse_json as parse_json
from memspice.inputs.files import read_input as read_input
from memspice.inputs.files import read_json as read_json
from memspice.inputs.hdf5 import Group as Group
from memspice.inputs.hdf5 import Hdf5Dataset as Hdf5Dataset
from memspice.inputs.hdf5 import open_hdf5 as open_hdf5
