"""Device physics by itself: random draws, cells in their conditions, a macrospin in its field.

``load_table`` reads one table of a published device, ``units`` the units of its values;
``switching_probability`` is the activation of stochastic neurons as a module of PyTorch.
"""

from memspice.devices.draws import event_draws as event_draws
from memspice.devices.draws import event_thresholds as event_thresholds
from memspice.devices.draws import event_uniforms as event_uniforms
from memspice.devices.drift import CellConditions as CellConditions
from memspice.devices.magnet.macrospin import MacrospinMtj as MacrospinMtj
from memspice.devices.magnet.macrospin import evolve as evolve
from memspice.devices.magnet.macrospin_density import (
    density_switching_probability as density_switching_probability,
)
from memspice.devices.magnet.macrospin_density import escape_rate as escape_rate
from memspice.devices.magnet.macrospin_density import thermal_start as thermal_start
from memspice.devices.magnet.macrospin_noise import ThermalBath as ThermalBath
from memspice.devices.magnet.macrospin_noise import coarsen as coarsen
from memspice.devices.magnet.macrospin_noise import thermal_normals as thermal_normals
from memspice.devices.magnet.macrospin_noise import thermal_strength as thermal_strength
from memspice.experiment.convert import switching_probability as switching_probability
from memspice.parameters import load_table as load_table
from memspice.quantities import units as units
