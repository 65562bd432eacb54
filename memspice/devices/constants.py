"""Constants of physics that the SI defines, hence without error, and what follows from them."""

#: Energy per temperature, k, [J/K].
BOLTZMANN = 1.380649e-23
#: Charge of a proton, e, [C].
ELEMENTARY_CHARGE = 1.602176634e-19
#: k T / q at 27 C, at which circuits are simulated where nothing else is said, [V].
THERMAL_VOLTAGE = BOLTZMANN * 300.15 / ELEMENTARY_CHARGE
