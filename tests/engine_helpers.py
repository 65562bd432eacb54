"""What the tests of both engines run: a divider in each dialect, and how long."""

from __future__ import annotations

import os

import pytest

from memspice.engines.base import Transient

SHORT = Transient(1e-6, 1e-9)
ENDLESS = Transient(1.0, 1e-9)  # a billion steps
#: Far above what any run here needs; reached only when something does not stop, [s].
FOREVER = 60.0
ON_POSIX = pytest.mark.skipif(os.name != "posix", reason="the stand-in engine is a shell script")

#: 0.75 V at ``out``.
SPICE_DIVIDER = "divider\nV1 in 0 1\nR1 in out 1k\nR2 out 0 3k\n"
#: Title, loads and models in VACASK's dialect.
VACASK_HEAD = (
    'title\nload "resistor.osdi"\nload "capacitor.osdi"\nmodel resistor resistor\n'
    "model capacitor capacitor\nmodel vsource vsource\nmodel isource isource\nground 0\n"
)
VACASK_DIVIDER = (
    VACASK_HEAD + "v1 (in 0) vsource dc=1\nr1 (in out) resistor r=1k\nr2 (out 0) resistor r=3k\n"
)
