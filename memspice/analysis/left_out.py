"""What the joules of a network leave out, estimated: to be read beside a total, never in it.

Nothing here was simulated.  Each estimate is a count times a price of ``models/left-out.toml``, so
that a reader sees whether what is missing could change an answer, and which part of it would.
"""

from __future__ import annotations

from dataclasses import dataclass

from memspice.quantities import Parameters, quantity


class LeftOutPrices(Parameters):
    """Prices of what is not built."""

    supply_voltage: float = quantity("V", "Of clocks and spike wires", gt=0)
    spike_wire: float = quantity("F", "From a neuron's tile to where its spike is kept", ge=0)
    kept_spike: float = quantity("J", "A bit written once and read once", ge=0)
    clock_input: float = quantity("F", "Gate and wire of a clock at a block", ge=0)
    clock_inputs: float = quantity("1", "Clocks of a stage, a neuron and a latch, in a cycle", ge=0)
    leakage: float = quantity("W", "Of a stage, a neuron and a latch that wait", ge=0)
    generators: float = quantity("W", "Bias lines and levels of a group of stages", ge=0)
    group: float = quantity("1", "Stages of a group", gt=0)
    write_energy: float = quantity("J", "A pulse that programs a cell, its driver too", ge=0)
    write_pulses: float = quantity("1", "Pulses a cell, with verification", ge=0)
    inferences: float = quantity("1", "Inferences between two programmings", gt=0)


@dataclass(frozen=True)
class LayerCounts:
    """Circuits and events of a layer in an inference, with circuits of its own at every position.

    Parameters
    ----------
    stages : float, [1]
        Sense stages.
    events : float, [1]
        Cycles of its neurons, or of its stages where it has none.
    spikes : float, [1]
        Of its neurons.
    cells : float, [1]
        Of its crossbar.
    active : float, [s]
        How long its circuits work.
    """

    stages: float
    events: float
    spikes: float
    cells: float
    active: float


def left_out(
    prices: LeftOutPrices, layers: tuple[LayerCounts, ...], latency: float
) -> dict[str, float]:
    """Estimated joules of an inference by what they would be for.

    Parameters
    ----------
    prices : LeftOutPrices
    layers : tuple of LayerCounts
    latency : float, [s]
        From the first row pulse to the answer.

    Returns
    -------
    dict of str to float, [J]
    """

    def total(name: str) -> float:
        return float(sum(getattr(layer, name) for layer in layers))

    square = prices.supply_voltage**2
    working = sum(layer.stages * layer.active for layer in layers)
    waiting = sum(layer.stages * max(0.0, latency - layer.active) for layer in layers)
    pulses = prices.write_pulses * total("cells") / prices.inferences
    return {
        "routing of spikes between tiles": total("spikes") * prices.spike_wire * square,
        "keeping spikes between layers": total("events") * prices.kept_spike,
        "distribution of clocks": total("events")
        * prices.clock_inputs * prices.clock_input * square,
        "leakage of circuits that wait": waiting * prices.leakage,
        "bias and level generators": working / prices.group * prices.generators,
        "programming of the weights": pulses * prices.write_energy,
    }  # fmt: skip
