"""On and off currents of the two transistors, against the published ones."""

from __future__ import annotations

from typing import Any

from memspice.circuits.deck import Deck
from memspice.engines.base import Engine, OperatingPoint

#: DNN_NeuroSim_V1.3@388f421, Technology.cpp: 45 nm high performance, [A/m].
PUBLISHED = {
    "nmos_on": 1270.0,
    "pmos_on": 1080.0,
    "nmos_off": 0.1,
    "pmos_off": 0.1,
}
SUPPLY, WIDTH = 1.0, 1e-6


def device_deck() -> Deck:
    """Each transistor 1 um wide at full drain voltage, once on and once off."""
    deck = Deck("On and off currents", "Transistors of 1 um at the supply voltage")
    circuit = deck.section("Transistors")
    for kind, sign in (("nmos", 1.0), ("pmos", -1.0)):
        for state, gate in (("on", "d"), ("off", "0")):
            name = f"{kind}_{state}"
            drain = f"{name}_d"
            circuit.V(name, drain, circuit.gnd, sign * SUPPLY)
            nodes = (drain, drain if gate == "d" else "0", "0", "0")
            circuit.X(name, f"cmos45_{kind}", *nodes, width=WIDTH)
    return deck


def currents(engine: Engine) -> dict[str, Any]:
    """Current per width [A/m], which is uA/um, beside the published one."""
    waves = engine.run(engine.write(device_deck()), OperatingPoint())
    found = {}
    for name, published in PUBLISHED.items():
        simulated = abs(float(waves.current(f"v{name}")[0])) / WIDTH
        found[name] = {
            "simulated": simulated,
            "published": published,
            "deviation": simulated / published - 1,
        }
    return found
