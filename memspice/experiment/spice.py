"""Circuits of one's own: a deck, what to simulate of it, and how closely.

``engine.run(engine.write(deck), Transient(stop=1e-6, max_step=1e-9))`` gives its waveforms.
"""

from memspice.circuits.deck import Deck as Deck
from memspice.engines.base import Engine as Engine
from memspice.engines.base import OperatingPoint as OperatingPoint
from memspice.engines.base import SolverOptions as SolverOptions
from memspice.engines.base import Transient as Transient
