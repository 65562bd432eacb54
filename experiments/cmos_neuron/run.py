"""A stochastic neuron in 45 nm CMOS, simulated: what one decision costs, against the memristor.

Claim: an all-memristor spiking network takes about 6.4 times less energy than its 45 nm CMOS
counterpart (Wijesinghe et al., arXiv 1712.01472, abstract), whose neuron draws a pseudo-random
number and compares it with an activation from a table.  That neuron is built here of transistors
(BSIM4, published PTM values) and run in ngspice; its spikes and its random numbers must be those
of the arithmetic, bit for bit.  Synapses and memories of the counterpart stay published energies.

    .venv/bin/python experiments/cmos_neuron/run.py

writes ``result.json`` and ``cmos_neuron.png`` beside this file, and the reference's energies to
``models/cmos45_neuron.toml``, in about ten minutes on two cores.  The same neuron and adders of 8
to 32 bit of FreePDK45's transistors, of which the analogue periphery is made, go to
``models/cmos45_freepdk45.toml``.  ``--ratios`` keeps the simulated energies and only computes the
ratios again, from the present summary of ``experiments/cifar_energy``; ``--process`` simulates only
what is of FreePDK45.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from adders import ADDERS, measure_adder  # beside this file: experiments are scripts, not a package
from devices import currents
from figure import draw
from ratios import analogue_rows, conversions, sensitivity
from variants import PROCESS, measure, variants

import memspice as ms
from memspice import cmos

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))  # scripts, not a package
from energy_run import PERIPHERY, energy_chip  # noqa: E402

RESULT = HERE / "result.json"
HEADER = """\
# {what}
# Written by experiments/cmos_neuron/run.py.
#
# Labels: S  read in the source named;  R  known from the literature, not verified at the source;
#         D  derived from the cited values;  A  assumed by memspice, for lack of a published value.

[about]
name = "{name}"
summary = "{summary}"
"""
NEURON = (
    "One decision of a stochastic neuron in 45 nm CMOS: 8 bits, a table of 64 entries, an own\n"
    "# shift register, 1 V."
)


@click.command()
@click.option("--cycles", default=25, show_default=True, help="Clock cycles of each circuit.")
@click.option("--ratios", is_flag=True, help="Simulate nothing.")
@click.option("--process", is_flag=True, help="Simulate only what is of FreePDK45, and adders.")
def main(cycles: int, ratios: bool, process: bool) -> None:
    """Run the experiment, write its result and its figure."""
    engine = ms.Ngspice()
    if ratios or process:
        result = json.loads(RESULT.read_text(encoding="utf-8"))
    else:
        result = simulated(engine, cycles)
    if not ratios:
        result["circuits"][PROCESS] = decided(engine, PROCESS, cycles)
        result["adders"] = {
            name: [measure_adder(engine, bits, name) for bits in ADDERS] for name in cmos.PROCESSES
        }
    summary = json.loads((HERE.parent / "cifar_energy" / "summary.json").read_text("utf-8"))
    result["decision"] = neuron_decision(result["circuits"]["reference"]).model_dump()
    for name, text in tables(result).items():
        (HERE.parents[1] / "models" / f"{name}.toml").write_text(text, encoding="utf-8")
    constants = cmos.load_cmos(PERIPHERY)  # of the tables just written
    result["sensitivity"] = sensitivity(summary, result["circuits"], PROCESS, constants)
    chip = energy_chip(summary["device"])
    result["analogue_network_joule"] = analogue_rows(summary, conversions(chip))
    text = json.dumps(result, indent=1, allow_nan=False)
    RESULT.write_text(text + "\n", encoding="utf-8")
    ms.plot.save(draw(result), HERE / "cmos_neuron.png")


def tables(result: dict[str, Any]) -> dict[str, str]:
    """Parameter files of what was simulated, by name."""
    engine = result["engine"]
    own = f"simulated: experiments/cmos_neuron, {engine}, BSIM4 of models/cmos45_nmos and _pmos"
    cards = f"simulated: experiments/cmos_neuron, {engine}, BSIM4 of FreePDK45 (c4m-pdk-freepdk45)"
    decided = neuron_decision(result["circuits"][PROCESS])
    adders = {
        f"add_{item['bits']}bit": (item["energy_joule"], "J", "D", _additions(item, cards))
        for item in result["adders"]["freepdk45"]
    }
    summary = "simulated energy of a CMOS neuron's decision, block by block"
    return {
        "cmos45_neuron": HEADER.format(what=NEURON, name="cmos45_neuron", summary=summary)
        + _decision(neuron_decision(result["circuits"]["reference"]), own),
        "cmos45_freepdk45": HEADER.format(
            what=f"{NEURON}\n# And additions, both of the transistors of FreePDK45.",
            name="cmos45_freepdk45",
            summary=f"{summary}, and of additions, in FreePDK45",
        )
        + _decision(decided, cards)
        + _table("cmos", adders),
    }


def _additions(item: dict[str, Any], source: str) -> str:
    return (
        f"{source}; {item['additions']} sums of random numbers, {item['transistors']} transistors"
    )


def _decision(decision: cmos.NeuronDecision, source: str) -> str:
    unit = ms.physics.units(decision)
    rows = {name: (value, unit[name], "D", source) for name, value in decision.model_dump().items()}
    clock = f"clock of {1e-9 / decision.period:g} GHz, as simulated"
    rows["period"] = (decision.period, "s", "A", clock)
    return _table("decision", rows)


def _table(name: str, rows: Mapping[str, tuple[float, str, str, str]]) -> str:
    lines = [
        f'{key} = {{ value = {value:.4g}, unit = "{unit}", label = "{mark}", source = "{source}" }}'
        for key, (value, unit, mark, source) in rows.items()
    ]
    return "\n".join([f"\n[{name}]", *lines, ""])


def decided(engine: ms.spice.Engine, name: str, cycles: int) -> dict[str, Any]:
    """Energies of one circuit.

    Raises
    ------
    ms.errors.IncompleteResults
        If it does not decide as the arithmetic.
    """
    measured = measure(engine, dict(variants())[name], cycles)
    if measured["other_spikes"] or measured["other_states"]:
        raise ms.errors.IncompleteResults(
            f"{name}: not the spikes of the arithmetic; slow its clock"
        )
    click.echo(f"{name:28} {1e15 * measured['energy_total_joule']:.1f} fJ")
    return measured


def simulated(engine: ms.spice.Engine, cycles: int) -> dict[str, Any]:
    """Currents of the transistors and every circuit's energies."""
    return {
        "engine": f"{engine.info.name} {engine.info.version}",
        "current_ampere_per_metre": currents(engine),
        "circuits": {
            name: decided(engine, name, cycles) for name, _ in variants() if name != PROCESS
        },
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
