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

from memspice.analysis.cmos import NeuronDecision
from memspice.analysis.statistics import NORMAL_QUANTILE
from memspice.engines import find_engine
from memspice.engines.base import Engine
from memspice.errors import IncompleteResults
from memspice.network.mapping import map_network
from memspice.network.weights import load_network
from memspice.outputs import write_text
from memspice.parameters import load_parameter_set
from memspice.plot.style import save
from memspice.quantities import units

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
        result = simulated(find_engine("ngspice"), cycles)
    summary = json.loads((HERE.parent / "cifar_energy" / "summary.json").read_text("utf-8"))
    decision = neuron_decision(result["circuits"]["reference"])
    result["decision"] = decision.model_dump()
    result["sensitivity"] = sensitivity(summary, result["circuits"], decision)
    parameter_set = load_parameter_set(summary["device"])
    mapped = map_network(load_network(summary["network"]), parameter_set, (128, 128), 0)
    result["analogue_network_joule"] = analogue_rows(summary, conversions(mapped))
    write_text(RESULT, json.dumps(result, indent=1, allow_nan=False) + "\n")
    save(draw(result), HERE / "cmos_neuron.png")
    text = decision_table(decision, result["engine"])
    write_text(HERE.parents[1] / "models" / "cmos45_neuron.toml", text)


def decision_table(decision: NeuronDecision, engine: str) -> str:
    """Parameter file of the decision."""
    source = f"simulated: experiments/cmos_neuron, {engine}, BSIM4 of models/cmos45_nmos and _pmos"
    unit = units(decision)
    lines = [
        f'{name} = {{ value = {value:.4g}, unit = "{unit[name]}", '
        f'label = "{"A" if name == "period" else "D"}", '
        f'source = "{"clock of 1 GHz, as simulated" if name == "period" else source}" }}'
        for name, value in decision.model_dump().items()
    ]
    return "\n".join([HEADER, *lines, ""])


def simulated(engine: Engine, cycles: int) -> dict[str, Any]:
    """Currents of the transistors and every circuit's energies."""
    circuits = {}
    for name, variant in variants():
        circuits[name] = measured = measure(engine, variant, cycles)
        if measured["other_spikes"] or measured["other_states"]:
            raise IncompleteResults(f"{name}: not the spikes of the arithmetic; slow its clock")
        click.echo(f"{name:28} {1e15 * circuits[name]['energy_total_joule']:.1f} fJ")
    return {
        "engine": f"{engine.info.name} {engine.info.version}",
        "current_ampere_per_metre": currents(engine),
        "circuits": circuits,
    }


def neuron_decision(measured: dict[str, Any]) -> NeuronDecision:
    """The reference circuit's energies by block, and how sure their sum is."""
    energy = measured["energy_joule"]
    half_width = NORMAL_QUANTILE * measured["standard_error_joule"] / measured["energy_total_joule"]
    return NeuronDecision(
        clock=energy["clock"], random_number=energy["register"], table=energy["table"],
        compare=energy["compare"], latch=energy["latch"],
        period=measured["period_second"], leakage=measured["leakage_watt"], half_width=half_width,
    )  # fmt: skip


if __name__ == "__main__":
    main()
