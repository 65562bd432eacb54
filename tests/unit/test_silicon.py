"""Gates and capacitors of subcircuits, counted from their text."""

from __future__ import annotations

from pathlib import Path

import pytest

from memspice.circuits.library import Library, library_text
from memspice.circuits.silicon import Silicon, package_silicon, silicon
from memspice.errors import NetlistError

TEXT = """\
.subckt inner a b params: w=1u l=50n
Mx a b 0 0 nmos w={w} l={l}
Ra a b 1k
.ends inner
.subckt outer a b params: w=2u k=3 ch=4f
X1 a b inner w={k*w}
X2 a b inner w={(w + 1u) / 2} l=100n
Ch a b {2*ch}
.ends outer
"""


def test_what_a_hand_counts_of_a_small_circuit() -> None:
    found = silicon(Library("text", TEXT), "outer")
    assert found.gate == pytest.approx(6e-6 * 50e-9 + 1.5e-6 * 100e-9)
    assert found.capacitance == pytest.approx(8e-15)
    other = silicon(Library("text", TEXT), "OUTER", {"k": 1.0, "ch": 1e-15})
    assert other.gate == pytest.approx(2e-6 * 50e-9 + 1.5e-6 * 100e-9)
    assert other.capacitance == pytest.approx(2e-15)


def test_gates_of_stage_e3_are_those_of_its_deck() -> None:
    # Widths and lengths in um as the prototype's deck has them, transistor by transistor.
    pairs = [
        (1, 0.05), (0.5, 0.05), (6, 0.05), (6, 0.05), (1, 0.05), (1, 0.15), (1.5, 0.1), (1.5, 0.1),
        (0.6, 0.2), (0.6, 0.2), (0.3, 0.05), (8, 0.1), (4, 0.1), (1, 0.06), (1, 0.06),
        *[(0.25, 0.05), (0.5, 0.05)] * 5,
    ]  # fmt: skip
    found = package_silicon("sense_e3")
    assert found.gate == pytest.approx(sum(w * length for w, length in pairs) * 1e-12)
    assert found.capacitance == pytest.approx(33e-15)


def test_drivers_add_to_a_stage_and_circuits_add_up() -> None:
    for name in ("sense_e3", "sense_copier", "sense_burst"):
        assert package_silicon(f"{name}_driven").gate > package_silicon(name).gate
    one = Silicon(2.0, 1.0)
    assert one + one == one * 2 == Silicon(4.0, 2.0)


@pytest.mark.parametrize(
    ("text", "name", "part"),
    [
        (TEXT, "absent", "no subcircuit absent"),
        (TEXT.replace("{k*w}", "{k*area}"), "outer", "'{k\\*area}'"),
        (TEXT.replace("{k*w}", "{sqrt(w)}"), "outer", "no arithmetic"),
    ],
)
def test_what_cannot_be_counted_is_refused(text: str, name: str, part: str) -> None:
    with pytest.raises(NetlistError, match=part):
        silicon(Library("text", text), name)


def test_text_of_a_library_needs_no_transistor_cards(tmp_path: Path) -> None:
    path = tmp_path / "own.lib"
    path.write_text(TEXT, encoding="utf-8")
    assert library_text(path).cards == ()
    assert silicon(library_text(path), "inner").gate == pytest.approx(5e-14)
