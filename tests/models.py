"""Periphery of models: closed forms everywhere, decks of milliseconds; what most tests run."""

from __future__ import annotations

import memspice as ms

MODELS = ms.load_device("fast-memristor", "behavioural")
