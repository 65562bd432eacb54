"""Energy of one inference against CMOS, for the memristor and for the MTJ, with its interval.

Claims: the all-memristor network consumes about 6.4 times less energy than its CMOS counterpart
(Wijesinghe et al., arXiv 1712.01472, abstract of version 3; a summary of version 1: 11 times), the
MTJ one 20 times less (Sengupta et al., arXiv 1605.04494).  At which scope they count, and against
what, is not known to us; so the ratio is taken like for like at three scopes against three digital
networks, and once more as they seem to count, to stand beside their number.

    .venv/bin/python experiments/energy_ratio/run.py --full --data DIR

writes ``result.json`` and ``energy_ratio.png`` beside this file; without ``--full``, a few windows
of each layer into ``results/paper/energy_ratio``.  The windows' waveforms lie in
``results/paper/energy_ratio``.  Stages and neurons are transistors for ``fast-memristor``; for the
MTJ and other devices they are models with assumed currents, as nothing is drawn for them.  The
CMOS neuron's energy was simulated by ``experiments/cmos_neuron``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from figure import draw

import memspice as ms
from memspice import cmos

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))  # scripts, not a package
from energy_run import NETWORK, SIZE, energy_chip  # noqa: E402
from question import ROOT, Question, question_command, write_result  # noqa: E402

#: Images; twenty are enough for joules.
FULL, QUICK = 200, 20
QUICK_PLAN = ms.CosimPlan(spice_windows=2, full_windows=1, showcase_outputs=1, max_iterations=1)
MTJ = "sot-mtj"


def answer(question: Question) -> None:
    """Simulate windows with both devices and compare them with CMOS."""
    neuron = json.loads((HERE.parent / "cmos_neuron" / "result.json").read_text("utf-8"))
    found = [_device(question, device) for device in dict.fromkeys((question.device, MTJ))]
    result = {"network": NETWORK, "devices": found, "cmos_neuron": _decision(neuron)}
    write_result(question, result, {"energy_ratio": draw(result)})


def _device(question: Question, device: str) -> dict[str, Any]:
    """Ratio and its doubts with one device."""
    images = FULL if question.full else QUICK
    chip = energy_chip(device)
    plan = ms.CosimPlan() if question.full else QUICK_PLAN
    folder = ROOT / "results/paper/energy_ratio" if question.full else question.out
    folder.mkdir(parents=True, exist_ok=True)
    click.echo(f"SPICE windows with {device}", err=True)
    summary = ms.cosim(
        chip,
        chip.images("test", images, question.data),
        **SIZE,
        plan=plan,
        options=ms.RunOptions(
            execution=ms.Execution(cache=True),
            out=folder / f"waveforms-{Path(device).stem}.h5",
        ),
    ).as_json()
    summary["dataset"].pop("source")
    kept = (
        "dataset", "notes", "device", "cycles", "burst", "seed", "ann_accuracy",
        "energy_per_inference_joule", "energy_by_layer_joule", "energy_total_joule",
        "assumed_fraction", "device_source", "sense_split_joule", "memristive_joule",
        "memristive_ci95", "opponents", "cmos_baseline_joule", "ratio", cmos.PAPERS, "workload",
        "spice", "settled", "parameters", "excluded", "engine", "failures",
    )  # fmt: skip
    return {key: summary[key] for key in kept}


def _decision(neuron: dict[str, Any]) -> dict[str, float]:
    """Simulated energy of a decision of the CMOS neuron and its doubt."""
    decision = ms.physics.load_table("cmos45_neuron", "decision", cmos.NeuronDecision).values
    return {
        "energy_joule": decision.energy(),
        "relative_half_width": decision.half_width,
        "decisions": neuron["circuits"]["reference"]["decisions"],
    }


if __name__ == "__main__":
    question_command("energy_ratio", answer)()
