"""Processes by their names: where transistor cards come from, and models that come with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from memspice.circuits import freepdk45, ihp_sg13g2
from memspice.circuits.transistor_card import PspCard, TransistorCard
from memspice.resources import resource_path

#: Cards of a corner, or of the typical one where none is named.
PROCESSES: Mapping[str, Callable[..., Mapping[str, TransistorCard]]] = {
    "freepdk45": freepdk45.transistor_cards,
    "ihp-sg13g2": ihp_sg13g2.transistor_cards,
}
#: Verilog-A that a process brings, by the word of its cards.
PROCESS_MODELS: Mapping[str, Callable[[], Path]] = {PspCard.model: ihp_sg13g2.psp_source}


def model_source(name: str) -> Path:
    """Verilog-A of a model: ``models/NAME.va``, or that of a process's package.

    Raises
    ------
    DataError
        If it is not there.
    """
    return PROCESS_MODELS[name]() if name in PROCESS_MODELS else resource_path(f"{name}.va")
