"""Circuit-level SPICE co-simulation of memristive deep spiking networks.

>>> import memspice as ms
>>> chip = ms.Chip("digits-mlp", ms.load_device("fast-memristor").change(wire_resistance=5.0))
>>> chip.run(ms.load_images("digits", "test")[:20], cycles=16).accuracy.value
1.0

What stands in ``__all__`` is for everyone, and stays; whatever else is here is memspice's own.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memspice import errors as errors
    from memspice import plot as plot
    from memspice import report as report
    from memspice import solver as solver
    from memspice import store as store
    from memspice import verification as verification
    from memspice.analysis import statistics as statistics
    from memspice.circuits.blocks.latch import Latch as Latch
    from memspice.circuits.blocks.neuron import Neuron as Neuron
    from memspice.circuits.blocks.sense import SenseStage as SenseStage
    from memspice.datasets import Images as Images
    from memspice.datasets import digits_split as digits_split
    from memspice.datasets import load_images as load_images
    from memspice.engines.ngspice import Ngspice as Ngspice
    from memspice.engines.vacask import Vacask as Vacask
    from memspice.experiment import cache as cache
    from memspice.experiment import cmos as cmos
    from memspice.experiment import physics as physics
    from memspice.experiment import spice as spice
    from memspice.experiment.characterize import characterize as characterize
    from memspice.experiment.chip import Chip as Chip
    from memspice.experiment.chip import Layer as Layer
    from memspice.experiment.chips import Chips as Chips
    from memspice.experiment.convert import convert as convert
    from memspice.experiment.convert import from_torch as from_torch
    from memspice.experiment.convert import load_network as load_network
    from memspice.experiment.cosim import CosimPlan as CosimPlan
    from memspice.experiment.cosim_run import cosim as cosim
    from memspice.experiment.device import Device as Device
    from memspice.experiment.device import load_device as load_device
    from memspice.experiment.export import export as export
    from memspice.experiment.fit import fit as fit
    from memspice.experiment.results import family as results
    from memspice.experiment.results.load import load as load
    from memspice.experiment.run_options import RunOptions as RunOptions
    from memspice.experiment.sweep import sweep as sweep
    from memspice.experiment.train import train as train
    from memspice.jobs import Execution as Execution
    from memspice.windows.full import Full as Full
    from memspice.windows.progress import Progress as Progress
    from memspice.windows.reduced import Reduced as Reduced
    from memspice.windows.surrogate import Surrogate as Surrogate

__all__ = [
    # networks, images, devices
    "load_network", "from_torch", "convert", "train", "load_images", "digits_split", "Images",
    "load_device", "Device",
    # runs
    "Chip", "Chips", "Layer", "Surrogate", "Reduced", "Full", "Ngspice", "Vacask", "RunOptions",
    "Execution", "Progress", "cosim", "CosimPlan", "characterize", "fit", "sweep", "export",
    "load",
    # kinds of block
    "SenseStage", "Neuron", "Latch",
    # what results are and look like
    "results", "plot", "report", "statistics", "store", "errors",
    # what stands by itself
    "physics", "spice", "solver", "cmos", "verification", "cache",
]  # fmt: skip

#: Where each of them comes from; a colon tells a module of its own.  Imported when first used: the
#: command line must be able to answer Ctrl-C before a second of imports is over.
_HOMES = {
    "load_network": "experiment.convert",
    "from_torch": "experiment.convert",
    "convert": "experiment.convert",
    "load_images": "datasets",
    "digits_split": "datasets",
    "Images": "datasets",
    "load_device": "experiment.device",
    "Device": "experiment.device",
    "Chip": "experiment.chip",
    "Chips": "experiment.chips",
    "Layer": "experiment.chip",
    "Surrogate": "windows.surrogate",
    "Reduced": "windows.reduced",
    "Full": "windows.full",
    "Ngspice": "engines.ngspice",
    "Vacask": "engines.vacask",
    "RunOptions": "experiment.run_options",
    "Execution": "jobs",
    "Progress": "windows.progress",
    "cosim": "experiment.cosim_run",
    "CosimPlan": "experiment.cosim",
    "characterize": "experiment.characterize",
    "fit": "experiment.fit",
    "sweep": "experiment.sweep",
    "export": "experiment.export",
    "train": "experiment.train",
    "SenseStage": "circuits.blocks.sense",
    "Neuron": "circuits.blocks.neuron",
    "Latch": "circuits.blocks.latch",
    "load": "experiment.results.load",
    "results": "experiment.results.family:",
    "plot": "plot:",
    "report": "report:",
    "statistics": "analysis.statistics:",
    "cmos": "experiment.cmos:",
    "spice": "experiment.spice:",
    "cache": "experiment.cache:",
    "verification": "verification:",
    "store": "store:",
    "solver": "solver:",
    "physics": "experiment.physics:",
    "errors": "errors:",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'memspice' has no attribute {name!r}")
    module = importlib.import_module(f"memspice.{_HOMES[name].removesuffix(':')}")
    return module if _HOMES[name].endswith(":") else getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
