"""A rate must not depend on the solver's step: the same 256 events, steps eight times apart.

Published MTJ models draw their random numbers anew at each evaluation, so that their switching
rate follows the step; here the draw of an event is made before the run.  The macrospin, whose noise
is a path and not a threshold, has its own convergence test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from memspice.analysis.comparison import MARGIN, compare_spikes
from memspice.circuits.deck import Deck, pulse_train, step_train
from memspice.circuits.neuron_bench import NeuronBench, bench_deck, bench_events, bench_signals
from memspice.circuits.timing import Pulse
from memspice.devices.compact.stt import SttMtj, hazard_integral
from memspice.devices.draws import event_thresholds
from memspice.engines import find_engine
from memspice.engines.base import SolverOptions, Transient
from memspice.engines.waveforms import Waveforms
from memspice.parameters import load_parameter_set, load_table
from tests.device_helpers import SttPulse
from tests.helpers import solver_options
from tests.tables import EVERY_ENGINE

NEURONS, CYCLES = 16, 16  # 256 events: compared one by one, so that more only cost time
#: Steps a write pulse at least; a layer's are 25.  VACASK takes 20 between two corners anyway.
COARSE = {"ngspice": 12, "vacask": 24}
#: Drives of the neurons, in units of the voltage scale around the voltage of H = 1.
DRIVES = np.repeat([-1.5, -0.5, 0.0, 0.5], NEURONS // 4)

Events = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Bench:
    """Events of one device kind: their deck, and how to read spikes and hazards off a run."""

    deck: Deck
    duration: float
    write: float
    save: list[str]
    options: SolverOptions
    events: Callable[[Waveforms], Events]
    hazard: np.ndarray
    thresholds: np.ndarray


def draws() -> np.ndarray:
    """The draws of all events; any layer number that no other deck uses."""
    return np.stack([event_thresholds(3, 2**24 - 3, 0, k, 0, NEURONS) for k in range(CYCLES)])


def neuron_bench(name: str) -> Bench:
    """Neurons of a parameter set, in their circuit."""
    chosen = load_parameter_set(name)
    law, timing = chosen.neuron.device.hazard, chosen.timing
    fraction = chosen.neuron.write_fraction
    drive = law.unit_voltage(timing.write, timing.edge) + law.voltage_scale * DRIVES
    thresholds = draws()
    bench = NeuronBench(chosen.neuron, chosen.latch, timing, drive / fraction, thresholds)

    def events(waves: Waveforms) -> Events:
        found = bench_events(bench, waves)
        return found.spike, found.hazard

    return Bench(
        bench_deck(bench),
        bench.duration,
        timing.write,
        bench_signals(bench),
        solver_options(timing.write),
        events,
        np.broadcast_to(
            np.exp(law.log_hazard_integral(drive, timing.write, timing.edge)), thresholds.shape
        ),
        thresholds,
    )


def stt_bench() -> Bench:
    """Junctions driven by ideal sources: write, then a reverse pulse that resets and clears."""
    device = load_table("stt-mtj", "stt_mtj", SttMtj).values
    pulse = load_table("stt-mtj", "write", SttPulse).values
    gap, length = 0.5e-9, pulse.flat + 2 * pulse.edge
    write = Pulse(gap, gap + length, pulse.edge)
    reset = Pulse(write.stop + gap, write.stop + gap + 4e-9, pulse.edge)
    cycle, thresholds = reset.stop + gap, draws()
    voltage = pulse.voltage * (1 + 0.05 * DRIVES)
    deck = Deck("STT junctions", "write, reset")
    section = deck.section("Signals common to all junctions")
    ones = np.ones(CYCLES)
    section.V("gate", "gate", section.gnd, pulse_train(write, ones, cycle))
    section.V("clear", "clear", section.gnd, pulse_train(reset, ones, cycle))
    section = deck.section("Junctions, each with its drive and its draws")
    for n in range(NEURONS):
        up, down = (
            pulse_train(p, v * ones, cycle) for p, v in ((write, voltage[n]), (reset, -0.2))
        )
        section.V(f"up{n}", f"p{n}", f"m{n}", up)
        section.V(f"down{n}", f"m{n}", section.gnd, down)
        section.V(f"e{n}", f"e{n}", section.gnd, step_train(thresholds[:, n], pulse.edge, cycle))
        nodes = (f"p{n}", section.gnd, "gate", f"e{n}", "clear", f"h{n}", f"x{n}")
        section.X(f"j{n}", "stt_mtj", *nodes, **device.model_dump())
    starts = np.arange(CYCLES) * cycle + write.stop + 0.5 * gap

    def events(waves: Waveforms) -> Events:
        def sample(node: str) -> np.ndarray:
            found = [
                np.interp(starts, waves.time, waves.voltage(f"{node}{n}")) for n in range(NEURONS)
            ]
            return np.stack(found, axis=-1)

        return sample("x") > 0.5, sample("h")

    hazard = hazard_integral(device, voltage, pulse.flat, pulse.edge)
    save = [f"v({node}{n})" for n in range(NEURONS) for node in "hx"]
    return Bench(
        deck, CYCLES * cycle, pulse.flat, save, solver_options(pulse.flat), events,
        np.broadcast_to(hazard, thresholds.shape), thresholds,
    )  # fmt: skip


BENCHES: dict[str, Callable[[], Bench]] = {
    "memristor": lambda: neuron_bench("fast-memristor"),
    "sot-mtj": lambda: neuron_bench("sot-mtj"),
    "stt-mtj": stt_bench,
}


@pytest.mark.slow
@EVERY_ENGINE
@pytest.mark.parametrize("name", BENCHES)
def test_spikes_do_not_depend_on_the_step(name: str, engine: str) -> None:
    bench, simulator = BENCHES[name](), find_engine(engine)
    runs = []
    for steps in (COARSE[engine], 8 * COARSE[engine]):
        waves = simulator.run(
            simulator.write(bench.deck),
            Transient(stop=bench.duration, max_step=bench.write / steps, from_rest=True),
            save=bench.save,
            options=bench.options,
        )
        runs.append((*bench.events(waves), float(np.diff(waves.time).max())))
    coarse, fine = runs
    assert coarse[2] == pytest.approx(8 * fine[2], rel=0.1)  # the steps did become that large
    pathwise = compare_spikes(coarse[0], fine[0], coarse[1], fine[1], bench.thresholds)
    assert pathwise.events == NEURONS * CYCLES
    assert pathwise.worst_margin <= MARGIN
    expected = bench.hazard >= bench.thresholds
    closed = compare_spikes(coarse[0], expected, coarse[1], bench.hazard, bench.thresholds)
    assert closed.worst_margin <= MARGIN
    # The rate of independent events: three standard errors, exceeded in 0.3 % of seeds.
    probability = -np.expm1(-bench.hazard)
    error = np.sqrt(np.sum(probability * (1 - probability))) / probability.size
    for spikes, _, _ in runs:
        assert abs(spikes.mean() - probability.mean()) <= 3 * error
