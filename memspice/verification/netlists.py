"""Text of the example netlists: to read, and as decks that measure what they foretell."""

from __future__ import annotations

from pathlib import Path

from memspice.circuits.blocks.neuron import HAZARD_CHARGE_PER_SECOND
from memspice.engines import ENGINES
from memspice.errors import ConfigError
from memspice.outputs import write_text
from memspice.verification.examples import EXAMPLES, ExampleNetlist


def golden_text(example: ExampleNetlist) -> str:
    """Complete deck of an example for ``ngspice -b``: it measures every probe and ends."""
    step, stop = f"{example.max_step:.12g}", f"{example.stop:.12g}"
    # The flat part of a write pulse is 25 of the longest steps.
    charge = 0.1 * HAZARD_CHARGE_PER_SECOND * 25 * example.max_step
    lines = [
        "*",
        "* Analysis: from rest, tight enough for the hazard integral",
        f".options method=gear reltol=1e-5 chgtol={charge:.6g}",
        f".tran {step} {stop} 0 {step} uic",
    ]
    lines += [
        f".meas tran {probe.name} find {probe.signal} at={probe.time:.12g}"
        for probe in example.probes
    ]
    return example.text + "\n".join([*lines, ".end", ""])


def example_text(name: str, engine: str = "ngspice") -> str:
    """Netlist of an example for a reader, with its header; no engine is needed.

    Parameters
    ----------
    name : str
        One of `EXAMPLES`.
    engine : str
        Whose dialect.

    Raises
    ------
    ConfigError
        If there is no such example or engine.
    """
    for value, known in ((name, sorted(EXAMPLES)), (engine, list(ENGINES))):
        if value not in known:
            raise ConfigError(f"{value!r} is unknown; choose from {', '.join(known)}")
    example = EXAMPLES[name]()
    return ENGINES[engine].example(example.deck, example.header)


def write_golden(folder: Path) -> list[Path]:
    """Write every example as a deck that ``ngspice -b`` runs as it is.

    Parameters
    ----------
    folder : Path
        Exists; files ``<name>.cir`` in it are replaced.

    Returns
    -------
    list of Path
        One for each of ``EXAMPLES``, in its order.
    """
    paths = []
    for name, make in EXAMPLES.items():
        path = folder / f"{name}.cir"
        write_text(path, golden_text(make()))
        paths.append(path)
    return paths
