"""How much a co-simulation of the headline's network puts through SPICE."""

from __future__ import annotations

import pytest

import memspice as ms
from memspice.experiment.cosim import _choose, _infer, _spice_jobs
from memspice.experiment.cosim_state import CosimState
from memspice.windows.fidelity import WindowJob
from tests.helpers import ngspice

PLAN = ms.CosimPlan()
BURST = 8


@pytest.mark.ngspice
def test_two_rounds_of_transistors_have_events_enough_to_judge_by() -> None:
    """What the plan's defaults are made for: 1,500 events in `reduced`, two windows in `full`."""
    chip = ms.Chip("cifar10-skip", ms.load_device("fast-memristor", "freepdk45"))
    request = chip.request(chip.images("test", 4), cycles=BURST, burst=BURST)
    found: dict[str, WindowJob] = {}
    for number in range(2):
        chosen = _choose(request, PLAN, number)
        inference = _infer(request, CosimState(), chosen, number, None)
        jobs = _spice_jobs(request, PLAN, chosen, inference, number, engine=ngspice())
        found |= {job.name: job for job in jobs}
    reduced = [job for job in found.values() if not job.fidelity.exact and job.circuit.spiking]
    outputs = [len(job.outputs) for job in reduced]
    assert set(outputs) == {1}
    assert 1500 <= sum(outputs) * BURST < 1600
    assert all(len(job.inputs) == BURST for job in found.values())
    full = [job for job in found.values() if job.fidelity.exact]
    assert len({job.window for job in full}) == len(full) == 2
    assert all(job.circuit.spiking and len(job.outputs) <= 8 for job in full)
