"""How much the presets of ``memspice cosim`` put through SPICE."""

from __future__ import annotations

import memspice as ms
from memspice.cli.cosim import PRESETS
from tests.settings import Setting

#: Events of transistors in `reduced` that a network's report rests on, where all goes well.
EVENTS = 1500


def test_transistors_are_few_enough_to_wait_for_and_enough_to_judge_by() -> None:
    plan = PRESETS["transistors"]()
    layers = Setting(network="cifar10-skip", images=1, cycles=8, burst=8).request().mapped.layers
    spiking = [layer for layer in layers if layer.spiking]
    widths = [min(layer.outputs, plan.spice_outputs) for layer in spiking]
    events = plan.max_iterations * plan.spice_windows * 8 * sum(widths)
    assert len(spiking) == 9
    assert EVENTS <= events < 1.2 * EVENTS
    assert plan.full_windows == 2
    assert plan.full_outputs <= 8
    assert plan.spice_outputs < ms.CosimPlan().spice_outputs
