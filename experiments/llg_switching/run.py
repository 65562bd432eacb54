"""Switching of the stochastic-LLG MTJ: regimes of the pulse length, and convergence of the step.

Claims.  (1) Spin-transfer switching is thermally activated for pulses longer than 10 ns, mixed from
1 to 10 ns and precessional below (arXiv 2505.00418): below 1 ns half of the events switch only
above the critical current, and the activation law is off by orders of magnitude.  (2) The
probability does not depend on the interval of the thermal field from 0.5 to 4 ps, a range of eight,
because a coarser path is the average of a finer one; event by event the paths and the outcomes
tend to each other in proportion to the interval.  (At 8 ps, a quarter of a radian of precession a
step, too many switch.)

The Monte Carlo runs of the equation are compared with the Fokker-Planck equation of the same
device, which uses no random number, and with Brown's rate, which is the activation law.

    .venv/bin/python experiments/llg_switching/run.py

writes ``result.json`` and ``llg_switching.png`` beside this file, in a few minutes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
from figure import draw  # beside this file: experiments are scripts, not a package

import memspice as ms
from memspice import physics

HERE = Path(__file__).resolve().parent
SEED = 1
#: Pulse lengths [s] and currents over the critical one.
PULSES = {
    0.5e-9: (1.8, 4.2),
    1e-9: (1.05, 1.8),
    3e-9: (0.7, 1.25),
    10e-9: (0.45, 0.95),
    30e-9: (0.3, 0.75),
}
POINTS = 7
#: Finest interval [s] and the factors by which it is coarsened; the first is the reference.
FINEST, FACTORS = 0.5e-12, (1, 2, 4, 8, 16)
CONVERGENCE_PULSE, CONVERGENCE_DRIVES = 3e-9, (0.8, 0.9, 1.0, 1.1)
#: Intervals held in memory at once.
CHUNK = 480


@click.command()
@click.option("--events", default=2000, show_default=True, help="Events at each point.")
def main(events: int) -> None:
    """Run the experiment, write its result and its figure."""
    device = ms.physics.load_table("llg-mtj", "llg_mtj", physics.MacrospinMtj).values
    bath = ms.physics.load_table("llg-mtj", "thermal", physics.ThermalBath).values
    result: dict[str, Any] = {
        "device": "llg-mtj",
        "barrier": device.barrier(bath.temperature),
        "critical_current_ampere": device.critical_current,
        "seed": SEED,
        "events": events,
        "regimes": [
            regime(device, bath, pulse, drives, events) for pulse, drives in PULSES.items()
        ],
        "convergence": convergence(device, bath, events),
    }
    text = json.dumps(result, indent=1, allow_nan=False)
    (HERE / "result.json").write_text(text + "\n", encoding="utf-8")
    ms.plot.save(draw(result), HERE / "llg_switching.png")


def regime(
    device: physics.MacrospinMtj,
    bath: physics.ThermalBath,
    pulse: float,
    limits: tuple[float, float],
    events: int,
) -> dict[str, Any]:
    """Switching probability against current for one pulse length, three times."""
    coarse = bath if pulse < 5e-9 else bath.model_copy(update={"interval": 2 * bath.interval})
    drives = np.linspace(*limits, POINTS)
    states = [start(device, bath, events) for _ in drives]
    for path in thermal_paths(device, coarse, round(pulse / coarse.interval), events):
        states = [
            physics.evolve(
                device, state, path, coarse.interval, current=drive * device.critical_current
            )
            for drive, state in zip(drives, states, strict=True)
        ]
    # Brown's rate is asymptotic in the barrier left: drawn down to 2 kT.
    limit = 1 - math.sqrt(2 / device.barrier(bath.temperature))
    fine = np.geomspace(0.28, 4.5, 90)
    return {
        "pulse_second": pulse,
        "interval_second": coarse.interval,
        "drive": drives.tolist(),
        "probability": [float((state[2] > 0).mean()) for state in states],
        "fine_drive": fine.tolist(),
        "fokker_planck": [exact(device, bath, drive, pulse) for drive in fine],
        "fokker_planck_at_drive": [exact(device, bath, drive, pulse) for drive in drives],
        "activated": [activated(device, bath, drive, pulse) for drive in fine[fine < limit]],
    }


def exact(
    device: physics.MacrospinMtj, bath: physics.ThermalBath, drive: float, pulse: float
) -> float:
    """Probability from the Fokker-Planck equation."""
    current = drive * device.critical_current
    return physics.density_switching_probability(device, bath.temperature, current, pulse)


def activated(
    device: physics.MacrospinMtj, bath: physics.ThermalBath, drive: float, pulse: float
) -> float:
    """Probability from Brown's rate."""
    rate = physics.escape_rate(device, bath.temperature, drive * device.critical_current)
    return -math.expm1(-rate * pulse)


def convergence(
    device: physics.MacrospinMtj, bath: physics.ThermalBath, events: int
) -> list[dict[str, Any]]:
    """Outcomes of the same events with finer and coarser paths of the same noise."""
    finest = bath.model_copy(update={"interval": FINEST})
    found = []
    for drive in CONVERGENCE_DRIVES:
        states = [start(device, bath, events) for _ in FACTORS]
        intervals = round(CONVERGENCE_PULSE / FINEST)
        for path in thermal_paths(device, finest, intervals, events):
            states = [
                physics.evolve(
                    device,
                    state,
                    physics.coarsen(path, factor),
                    factor * FINEST,
                    current=drive * device.critical_current,
                )
                for factor, state in zip(FACTORS, states, strict=True)
            ]
        reference = states[0]
        found.append(
            {
                "drive": drive,
                "pulse_second": CONVERGENCE_PULSE,
                "interval_second": [factor * FINEST for factor in FACTORS],
                "probability": [float((state[2] > 0).mean()) for state in states],
                "other_outcome": [
                    float(((state[2] > 0) != (reference[2] > 0)).mean()) for state in states
                ],
                "median_distance": [
                    float(np.median(np.sqrt(((state - reference) ** 2).sum(axis=0))))
                    for state in states
                ],
                "fokker_planck": exact(device, bath, drive, CONVERGENCE_PULSE),
            }
        )
    return found


def start(device: physics.MacrospinMtj, bath: physics.ThermalBath, events: int) -> np.ndarray:
    """Magnetisations (3, events) at thermal rest, the same for every run."""
    uniforms = physics.event_uniforms(SEED, 0, 0, 0, 0, 2 * events).reshape(events, 2).T
    return physics.thermal_start(device, bath.temperature, uniforms)


def thermal_paths(
    device: physics.MacrospinMtj, bath: physics.ThermalBath, intervals: int, events: int
) -> Iterator[np.ndarray]:
    """Thermal field of all events, a chunk of intervals after the other."""
    strength = physics.thermal_strength(device, bath)
    for first in range(0, intervals, CHUNK):
        count = min(CHUNK, intervals - first)
        normals = [physics.thermal_normals(SEED, 0, 0, 0, n, first, count) for n in range(events)]
        yield strength * np.stack(normals, axis=-1)


if __name__ == "__main__":
    main()
