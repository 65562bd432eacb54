"""The race of memspice and its peers: the same crossbars, and what is said of who was stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import peers as bench_peers
from benchmarks import race as bench_race
from benchmarks.peers import CONTENDERS, WIRE, MissingPeer, random_cells
from benchmarks.race import exponents, race, race_ratios
from memspice.devices.synapse_iv import OhmicCell
from memspice.errors import ConfigError
from memspice.solver.crossbar_solution import solve_crossbar
from memspice.solver.nonlinear_solution import solve_nonlinear_crossbar
from tests.bench_helpers import FakeChildren

GIB = 2**30
Answer = dict[str, Any]


def test_missing_peer_is_named_with_its_install_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_peers, "PEERS", tmp_path)
    monkeypatch.setattr(bench_peers.sys, "path", [])
    monkeypatch.delitem(bench_peers.sys.modules, "badcrossbar", raising=False)
    with pytest.raises(MissingPeer, match="No module named 'badcrossbar'; install it with: "):
        bench_peers.by_badcrossbar()


def test_version_of_a_peer_is_that_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_peers, "PEERS", tmp_path)
    monkeypatch.setattr(bench_peers.sys, "path", [])
    assert bench_peers.peer_versions() == {"badcrossbar": "not installed"}
    info = tmp_path / "badcrossbar-7.8.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: badcrossbar\nVersion: 7.8\n")
    assert bench_peers.peer_versions() == {"badcrossbar": "7.8"}


def test_sparse_solver_and_port_reduction_agree() -> None:
    """Two eliminations of the same network; 1e-12 is what 1e6 S/S of range leaves of rounding."""
    cells = random_cells(9)
    ours, sparse = bench_peers.by_memspice(cells), bench_peers.by_superlu(cells)
    np.testing.assert_allclose(sparse, ours, rtol=1e-11)
    voltage = np.eye(9)
    direct = solve_crossbar(1 / cells, voltage, WIRE, WIRE).output_current
    np.testing.assert_allclose(direct, ours, rtol=1e-11)


@pytest.mark.ngspice
def test_plain_decks_solve_the_same_crossbars() -> None:
    """Linear: 12 digits of the netlist. Sinh: 1e-9, the tolerance that the deck asks for."""
    cells = random_cells(5)
    read = bench_peers.by_plain_deck()(cells)
    ours = bench_peers.by_memspice(cells) @ np.full(5, bench_peers.ROW_VOLTAGE)
    np.testing.assert_allclose(read, ours, rtol=1e-9)
    sinh = CONTENDERS["ngspice-sinh"].prepare()(cells)
    np.testing.assert_allclose(sinh, bench_peers.by_newton(cells), rtol=1e-8)
    rows = np.full(5, bench_peers.ROW_VOLTAGE)
    ohmic = solve_nonlinear_crossbar(cells, OhmicCell(), rows, WIRE, WIRE).output_current
    assert np.all(sinh > 1.05 * ohmic)  # the curve is bent, else nothing was tested


def _race(monkeypatch: pytest.MonkeyPatch, fake: FakeChildren, **options: Any) -> list[Answer]:
    monkeypatch.setattr(bench_race, "run_child", fake)
    settings: dict[str, Any] = {"repeats": 2, "limit": 1e9, "memory": GIB, **options}
    return race(["memspice", "superlu"], [64, 128, 256], **settings)


def test_stopped_peer_is_reported_and_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeChildren({"superlu": 128})
    points = _race(monkeypatch, fake)
    found = {(p["contender"], p["size"]): p for p in points}
    assert found["superlu", 64]["status"] == "ok"
    assert found["superlu", 128] == {
        "contender": "superlu",
        "problem": "ports",
        "size": 128,
        "status": "stopped",
        "reason": "more than the limit",
    }
    late = found["superlu", 256]
    assert late["status"] == "not tried"
    assert late["reason"] == "stopped at 128, more than the limit"
    assert fake.tasks.count(("superlu", 256)) == 0
    assert fake.tasks.count(("superlu", 128)) == 1
    assert "superlu" not in exponents(points)  # one size: no exponent, and nothing extrapolated


def test_contenders_take_turns_and_the_least_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeChildren({}, apart=1e-3)
    points = _race(monkeypatch, fake)
    assert fake.tasks[:4] == [("memspice", 64), ("superlu", 64)] * 2
    laws = exponents(points)
    assert laws["memspice"].exponent == pytest.approx(3, abs=0.2)
    ratios = race_ratios(points)
    assert [item["size"] for item in ratios] == [64, 128, 256]
    for item in ratios:
        assert item["ratio"] == pytest.approx(20, rel=0.11)  # the noise of FakeChildren
        assert item["difference"] == pytest.approx(1e-3)
    fake = FakeChildren({})
    _race(monkeypatch, fake, limit=1.0)
    assert fake.tasks.count(("memspice", 64)) == 1  # a quarter of the limit: not repeated


def test_unknown_contender_is_refused() -> None:
    with pytest.raises(ConfigError, match="contender 'nobody' is unknown"):
        race(["nobody"], [8], repeats=1, limit=1.0, memory=GIB)
