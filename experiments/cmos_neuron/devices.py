"""On and off currents of the two transistors, against the published ones."""

from __future__ import annotations

from typing import Any

import memspice as ms

#: DNN_NeuroSim_V1.3@388f421, Technology.cpp: 45 nm high performance, [A/m].
PUBLISHED = {
    "nmos_on": 1270.0,
    "pmos_on": 1080.0,
    "nmos_off": 0.1,
    "pmos_off": 0.1,
}
SUPPLY, WIDTH = 1.0, 1e-6


def device_deck() -> ms.spice.Deck:
    """Each transistor 1 um wide at full drain voltage, once on and once off."""
    deck = ms.spice.Deck("On and off currents", "Transistors of 1 um at the supply voltage")
    circuit = deck.section("Transistors")
    for name in PUBLISHED:
        kind, state = name.split("_")
        circuit.V(name, name, circuit.gnd, SUPPLY if kind == "nmos" else -SUPPLY)
        gate = name if state == "on" else "0"
        circuit.X(name, f"cmos45_{kind}", name, gate, "0", "0", width=WIDTH)
    return deck


def currents(engine: ms.spice.Engine) -> dict[str, Any]:
    """Current per width [A/m], which is uA/um, beside the published one."""
    waves = engine.run(engine.write(device_deck()), ms.spice.OperatingPoint())
    found = {}
    for name, published in PUBLISHED.items():
        simulated = abs(float(waves.current(f"v{name}")[0])) / WIDTH
        found[name] = {
            "simulated": simulated,
            "published": published,
            "deviation": simulated / published - 1,
        }
    return found
