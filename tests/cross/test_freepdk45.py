"""Transistors of FreePDK45: the same card on two engines, corners in order, and temperature."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from memspice.circuits.deck import ROOM, ZERO_CELSIUS, Deck
from memspice.circuits.freepdk45 import CORNERS, transistor_cards
from memspice.circuits.library import read_library
from memspice.engines import find_engine
from memspice.engines.base import OperatingPoint
from memspice.errors import ConfigError, NetlistError
from memspice.resources import resource_path

HOT, COLD = ZERO_CELSIUS + 85, ZERO_CELSIUS
TRANSISTORS = ("n_vtg", "n_vth", "p_vtg")


def currents(
    engine: str, corner: str = "nom", temperature: float = ROOM, gate: float = 0.5
) -> dict[str, float]:
    """Drain current [A] of 1 um by 50 nm, gate [V], and half the supply on the drain."""
    deck = Deck("transistors at half supply", "one instance each")
    deck.temperature = temperature
    path = resource_path("freepdk45", "transistors.lib")
    deck.library(read_library(path, transistor_cards(corner)))
    circuit = deck.section("One transistor of each kind")
    for kind in TRANSISTORS:
        sign = 1 if kind[0] == "n" else -1
        circuit.V(kind, kind, circuit.gnd, sign * 0.5)
        circuit.V(f"{kind}_gate", f"{kind}_gate", circuit.gnd, sign * gate)
        circuit.X(kind, kind, kind, f"{kind}_gate", circuit.gnd, circuit.gnd, w=1e-6, l=50e-9)
    simulator = find_engine(engine)
    names = [f"i(v{kind})" for kind in TRANSISTORS]
    waves = simulator.run(simulator.write(deck), OperatingPoint(), save=names)
    return {kind: abs(float(waves.current(f"v{kind}")[0])) for kind in TRANSISTORS}


@pytest.mark.ngspice
@pytest.mark.vacask
def test_both_engines_read_the_same_cards() -> None:
    # Two codes of BSIM4 4.8; ngspice has constants of physics to five digits.
    for case in (*((corner,) for corner in CORNERS), ("nom", HOT), ("nom", COLD)):
        assert currents("vacask", *case) == pytest.approx(currents("ngspice", *case), rel=1e-4)


@pytest.mark.ngspice
def test_the_swing_below_threshold_goes_with_the_temperature() -> None:
    """Diffusion over a barrier: ln of the current by the gate goes as 1 over kT."""

    def swing(temperature: float) -> dict[str, float]:
        low, high = (currents("ngspice", "nom", temperature, gate) for gate in (0.15, 0.2))
        return {kind: 0.05 / math.log(high[kind] / low[kind]) for kind in TRANSISTORS}

    room, hot, cold = swing(ROOM), swing(HOT), swing(COLD)
    for kind in TRANSISTORS:
        # the gate's share of the barrier changes with the depletion layer, up to 1.3 %
        assert hot[kind] / room[kind] == pytest.approx(HOT / ROOM, rel=0.02)
        assert cold[kind] / room[kind] == pytest.approx(COLD / ROOM, rel=0.02)


@pytest.mark.ngspice
def test_a_hot_transistor_leaks_more_and_carries_less() -> None:
    off, on = ([currents("ngspice", "nom", t, gate) for t in (ROOM, HOT)] for gate in (0.0, 1.0))
    for kind in TRANSISTORS:
        assert off[1][kind] > 3 * off[0][kind]
        assert on[1][kind] < on[0][kind]


@pytest.mark.ngspice
def test_slow_transistors_carry_less_and_fast_ones_more() -> None:
    slow, nominal, fast = (currents("ngspice", corner) for corner in ("ss", "nom", "ff"))
    for kind in TRANSISTORS:
        assert slow[kind] < nominal[kind] < fast[kind]
    assert nominal["n_vth"] < 0.1 * nominal["n_vtg"]


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'typ' is unknown; use nom, ss, ff"):
        transistor_cards("typ")
    path = tmp_path / "own.lib"
    path.write_text(".subckt own a b\nM1 a b 0 0 nmos_lvt w=1u l=50n\n.ends\n")
    with pytest.raises(NetlistError, match=r"own.lib, line 2: .*'nmos_lvt'"):
        read_library(path, transistor_cards("nom"))
