"""A stochastic neuron in 45 nm CMOS, simulated: what one decision costs, against the memristor.

Claim: an all-memristor spiking network takes about 6.4 times less energy than its 45 nm CMOS
counterpart (Wijesinghe et al., arXiv 1712.01472, abstract), whose neuron draws a pseudo-random
number and compares it with an activation from a table.  That neuron is built here of transistors
(BSIM4, published PTM values) and run in ngspice; its spikes and its random numbers must be those
of the arithmetic, bit for bit.  Synapses and memories of the counterpart stay published energies.

    .venv/bin/python experiments/cmos_neuron/run.py

writes ``result.json`` and ``cmos_neuron.png`` beside this file, and the reference's energies to
``models/cmos45_neuron.toml``, in about ten minutes on two cores.
``--ratios`` keeps the simulated energies and only computes the ratios again, from the present
summary of ``experiments/cifar_energy``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from devices import currents  # beside this file: experiments are scripts, not a package
from figure import draw
from ratios import analogue_rows, conversions, sensitivity
from variants import measure, variants

import memspice as ms
from memspice import cmos

HERE = Path(__file__).resolve().parent
RESULT = HERE / "result.json"
HEADER = """\
# One decision of a stochastic neuron in 45 nm CMOS: 8 bits, a table of 64 entries, an own shift
# register, 1 V.  Written by experiments/cmos_neuron/run.py.
#
# Labels: S  read in the source named;  R  known from the literature, not verified at the source;
#         D  derived from the cited values;  A  assumed by memspice, for lack of a published value.

[about]
name = "cmos45_neuron"
summary = "simulated energy of a CMOS neuron's decision, block by block"

[decision]"""


@click.command()
@click.option("--cycles", default=25, show_default=True, help="Clock cycles of each circuit.")
@click.option("--ratios", is_flag=True, help="Simulate nothing.")
def main(cycles: int, ratios: bool) -> None:
    """Run the experiment, write its result and its figure."""
    if ratios:
        result = json.loads(RESULT.read_text(encoding="utf-8"))
    else:
        result = simulated(ms.Ngspice(), cycles)
    summary = json.loads((HERE.parent / "cifar_energy" / "summary.json").read_text("utf-8"))
    decision = neuron_decision(result["circuits"]["reference"])
    result["decision"] = decision.model_dump()
    result["sensitivity"] = sensitivity(summary, result["circuits"], decision)
    chip = ms.Chip(summary["network"], summary["device"])
    result["analogue_network_joule"] = analogue_rows(summary, conversions(chip))
    text = json.dumps(result, indent=1, allow_nan=False)
    RESULT.write_text(text + "\n", encoding="utf-8")
    ms.plot.save(draw(result), HERE / "cmos_neuron.png")
    text = decision_table(decision, result["engine"])
    (HERE.parents[1] / "models" / "cmos45_neuron.toml").write_text(text, encoding="utf-8")


def decision_table(decision: cmos.NeuronDecision, engine: str) -> str:
    """Parameter file of the decision."""
    source = f"simulated: experiments/cmos_neuron, {engine}, BSIM4 of models/cmos45_nmos and _pmos"
    unit = ms.physics.units(decision)
    lines = [
        f'{name} = {{ value = {value:.4g}, unit = "{unit[name]}", '
        f'label = "{"A" if name == "period" else "D"}", '
        f'source = "{"clock of 1 GHz, as simulated" if name == "period" else source}" }}'
        for name, value in decision.model_dump().items()
    ]
    return "\n".join([HEADER, *lines, ""])


def simulated(engine: ms.spice.Engine, cycles: int) -> dict[str, Any]:
    """Currents of the transistors and every circuit's energies."""
    circuits = {}
    for name, variant in variants():
        circuits[name] = measured = measure(engine, variant, cycles)
        if measured["other_spikes"] or measured["other_states"]:
            raise ms.errors.IncompleteResults(
                f"{name}: not the spikes of the arithmetic; slow its clock"
            )
        click.echo(f"{name:28} {1e15 * circuits[name]['energy_total_joule']:.1f} fJ")
    return {
        "engine": f"{engine.info.name} {engine.info.version}",
        "current_ampere_per_metre": currents(engine),
        "circuits": circuits,
    }


def neuron_decision(measured: dict[str, Any]) -> cmos.NeuronDecision:
    """The reference circuit's energies by block, and how sure their sum is."""
    energy = measured["energy_joule"]
    half_width = (
        ms.statistics.NORMAL_QUANTILE
        * measured["standard_error_joule"]
        / measured["energy_total_joule"]
    )
    return cmos.NeuronDecision(
        clock=energy["clock"], random_number=energy["register"], table=energy["table"],
        compare=energy["compare"], latch=energy["latch"],
        period=measured["period_second"], leakage=measured["leakage_watt"], half_width=half_width,
    )  # fmt: skip


if __name__ == "__main__":
    main()
