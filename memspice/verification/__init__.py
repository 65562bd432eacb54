"""Whether an installation is sound: engines that agree, models with two forms, circuits to read.

``doctor()`` looks at what is installed, ``verify_engines()`` runs the same decks on every engine,
``verify_device()`` a device of one's own at steps of 1 to 8 times;
``EXAMPLES`` are small circuits to read, each with what to expect of it.
"""

from memspice.verification.engines import EngineVerification as EngineVerification
from memspice.verification.engines import verify_engines as verify_engines
from memspice.verification.examples import EXAMPLES as EXAMPLES
from memspice.verification.installation import Installation as Installation
from memspice.verification.installation import doctor as doctor
from memspice.verification.netlists import example_text as example_text
from memspice.verification.netlists import write_golden as write_golden
from memspice.verification.own_device import DeviceVerification as DeviceVerification
from memspice.verification.own_device import verify_device as verify_device
