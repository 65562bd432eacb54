"""Constants of physics that the SI defines, hence without error."""

#: Energy per temperature, k, [J/K].
BOLTZMANN = 1.380649e-23
#: Charge of a proton, e, [C].
ELEMENTARY_CHARGE = 1.602176634e-19
