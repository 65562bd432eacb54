"""Port matrices out of the cache: the same to the bit, and no tile is solved twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import memspice as ms
from memspice.circuits import ports as module
from memspice.circuits.layer import LayerCircuit
from memspice.jobs import JobCache, content_hash
from memspice.network.mapping import MappedNetwork, map_network
from memspice.network.port_cache import PortCache
from memspice.parameters import load_parameter_set
from tests.cli_helpers import DIGITS, call
from tests.loop_helpers import make_network
from tests.models import MODELS
from tests.settings import Setting

SETUP = Setting(network="digits-mlp", images=3, cycles=2, tile=(33, 20))


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Shapes of the tiles that are solved."""
    shapes: list[tuple[int, ...]] = []
    solve: Callable[..., Any] = module.port_admittance

    def counted(cells: np.ndarray, *wires: float) -> Any:
        shapes.append(cells.shape)
        return solve(cells, *wires)

    monkeypatch.setattr(module, "port_admittance", counted)
    return shapes


def chip(
    ports: PortCache | None, tile: tuple[int, int] = (30, 6), **changes: float
) -> MappedNetwork:
    values = {name.replace("__", "."): value for name, value in changes.items()}
    return map_network(
        make_network(), load_parameter_set("fast-memristor", values), tile, ports=ports
    )


def gains(mapped: MappedNetwork) -> list[np.ndarray]:
    return [layer.drive_line()[0] for layer in mapped.layers]


def circuits(mapped: MappedNetwork) -> list[LayerCircuit]:
    return [circuit for layer in mapped.layers for circuit in layer.circuits]


def test_a_second_chip_solves_no_tile_and_is_the_same_to_the_bit(
    solved: list[tuple[int, ...]],
) -> None:
    plain = chip(None)
    expected = gains(plain)
    tiles = sum(len(circuit.conductances) for circuit in circuits(plain))
    assert len(solved) == tiles
    for _ in range(2):
        found = chip(PortCache())
        for one, other in zip(gains(found), expected, strict=True):
            np.testing.assert_array_equal(one, other)
        for one, other in zip(circuits(found), circuits(plain), strict=True):
            np.testing.assert_array_equal(
                one.ports.column_admittance, other.ports.column_admittance
            )
    assert len(solved) == 2 * tiles


@pytest.mark.parametrize(
    "changes",
    [
        {"array__wire_resistance_row": 2.0},
        {"array__wire_resistance_col": 2.0},
        {"array__driver_resistance": 200.0},
        {"synapse__variation": 0.1},
    ],
)
def test_what_decides_the_matrices_is_in_the_key(
    solved: list[tuple[int, ...]], changes: dict[str, float]
) -> None:
    gains(chip(PortCache()))
    tiles = len(solved)
    gains(chip(PortCache(), **changes))
    assert len(solved) == 2 * tiles


def test_other_code_does_not_get_the_matrices_of_before(
    solved: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    gains(chip(PortCache()))
    tiles = len(solved)
    monkeypatch.setattr("memspice.network.port_cache.tools", lambda _: {"memspice": "other"})
    gains(chip(PortCache()))
    assert len(solved) == 2 * tiles


def test_the_end_of_a_column_comes_after(solved: list[tuple[int, ...]]) -> None:
    """Another input resistance needs no tile anew, and counts."""
    circuit = circuits(chip(PortCache()))[0]
    ends = circuit.ports.input_resistance
    tiles = len(solved)
    other = PortCache()(circuit.conductances, circuit.array, 10 * ends)
    assert len(solved) == tiles
    fresh = module.port_array(circuit.conductances, circuit.array, 10 * ends)
    np.testing.assert_array_equal(other.transfer, fresh.transfer)
    assert (other.transfer != circuit.ports.transfer).any()


@pytest.mark.parametrize("damage", ["cut", "flipped", "shape", "kind"])
def test_a_damaged_entry_is_as_good_as_absent(
    solved: list[tuple[int, ...]], result_cache: Path, damage: str
) -> None:
    expected = gains(chip(PortCache()))
    tiles, cache = len(solved), JobCache()
    for file in cache.files():
        content = file.path.read_bytes()
        if damage == "cut":
            file.path.write_bytes(content[: len(content) // 2])
        elif damage == "flipped":
            file.path.write_bytes(content[:-200] + bytes([content[-200] ^ 1]) + content[-199:])
        else:  # by another hand, with a checksum that is right
            entry = cache.read(file)
            arrays = dict(entry.arrays)
            first = arrays["row_row0"]
            arrays["row_row0"] = first[1:] if damage == "shape" else first.astype(np.float32)
            cache.put(file.key, replace(entry, arrays=arrays))
    for one, other in zip(gains(chip(PortCache())), expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(solved) == 2 * tiles
    gains(chip(PortCache()))  # written anew
    assert len(solved) == 2 * tiles


def test_a_trim_uses_them(solved: list[tuple[int, ...]]) -> None:
    setup = replace(SETUP, changes={"periphery.trim_step": 1e-3, "periphery.trim_range": 0.1})
    options = {"tile": SETUP.tile, "cache": True}
    device = MODELS.change(**setup.changes)
    first = ms.Chip("digits-mlp", device, **options)
    tiles = len(solved)
    assert tiles > 0  # the trim itself asks for them
    second = ms.Chip("digits-mlp", device, **options)
    assert len(solved) == tiles
    for one, other in zip(circuits(first.mapped), circuits(second.mapped), strict=True):
        np.testing.assert_array_equal(one.trim, other.trim)


def test_a_cache_that_cannot_be_written_costs_no_result(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("MEMSPICE_CACHE", str(blocked / "cache"))
    cached = ms.Chip("digits-mlp", MODELS, cache=True).run(SETUP.pictures, cycles=2)
    plain = ms.Chip("digits-mlp", MODELS).run(SETUP.pictures, cycles=2)
    assert cached.accuracy == plain.accuracy
    assert [note for note in cached.notes if note not in plain.notes][0].startswith("the cache")


def test_a_second_command_solves_no_tile(
    solved: list[tuple[int, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("infer", *DIGITS, "--images", 3, "--cycles", 2, "--json")
    first = call(capsys, *words)
    tiles = len(solved)
    assert (first.code, tiles) == (0, 2)
    listed = call(capsys, "cache", "ls")
    assert "ports of 65 x 64 cells, row tiles: 1" in listed.out
    again = call(capsys, *words)
    assert len(solved) == tiles
    drop = "wall_seconds"
    assert {**again.content, drop: 0} == {**first.content, drop: 0}
    assert call(capsys, "cache", "verify", "--rerun", 5).out.startswith("2 results, 0 damaged")
    call(capsys, *words, "--no-cache")
    assert len(solved) == 2 * tiles


def test_where_ports_come_from_is_no_part_of_a_circuit() -> None:
    one, other = circuits(chip(None))[0], circuits(chip(PortCache()))[0]
    assert content_hash(one) == content_hash(other)
