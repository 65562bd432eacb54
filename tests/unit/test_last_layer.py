"""The last layer on transistors: stages whose drives rise with the score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import memspice as ms
from memspice.circuits import nodes
from memspice.circuits.blocks.sense_design import SenseNeeds
from memspice.circuits.blocks.subcircuit import SubcircuitStage
from memspice.circuits.deck import Deck
from memspice.circuits.sense_bench import SenseBench, sense_bench_deck
from memspice.circuits.sense_surface import SenseSurface, Sheet, SurfaceError
from memspice.circuits.timing import Pulse
from memspice.errors import ConfigError
from memspice.parameters import load_parameter_set

SET = load_parameter_set("fast-memristor", periphery="freepdk45")
#: Lines of a pair, of which one has fewer cells than its stage, [S], and their currents, [A].
LINES, CURRENTS = np.array([1.2e-4, 4e-5]), np.array([3.2e-6, 2.9e-6])


def stage(burst: int, spiking: bool) -> SubcircuitStage:
    needs = SenseNeeds(1e5, 1e-5, (40e-6, 120e-6), 23e-9, "own", "a test", spiking)
    found = SET.sense.for_bursts(burst).sized(needs)
    assert isinstance(found, SubcircuitStage)
    return found


def bent(plus: np.ndarray, minus: np.ndarray) -> np.ndarray:
    """Drive of a circuit that falls with the difference of its lines, bent, [V]."""
    return np.asarray(0.45 - 0.3 * np.tanh((plus - minus) / 2e-6) + 2e3 * (plus + minus))


def measured(own: SubcircuitStage) -> SubcircuitStage:
    """With the surface of `bent`."""
    places = np.stack(np.meshgrid(*own.axes.nodes, indexing="ij"), axis=-1)
    currents = own.axes.currents(places)
    drive = bent(currents[..., 0], currents[..., 1])
    sheet = Sheet(own.axes.nodes, np.stack([drive, *np.zeros((3, *drive.shape))], axis=-1))
    none = SurfaceError(0, 0.0, 0.0, 0.0, 0.0, 0.0)
    ranges = (own.axes, own.conductances, own.pair)
    return own.with_surface(SenseSurface(*ranges, sheet, (), 0.0, 0.0, 0.0, 0.0, none))


@pytest.mark.parametrize(("burst", "falls"), [(1, False), (8, True)])
def test_it_has_the_stages_of_spiking_layers_with_lines_exchanged_where_drives_fall(
    burst: int, falls: bool
) -> None:
    spiking, last = stage(burst, spiking=True), stage(burst, spiking=False)
    assert (spiking.falls, last.falls, last.exchanged) == (falls, False, falls)
    # whichever way round, the surface is that of the same circuit
    assert spiking.slope == last.slope == (-1 if falls else 1)


def test_the_drive_of_the_circuit_rises_with_the_score() -> None:
    last, spiking = measured(stage(8, spiking=False)), measured(stage(8, spiking=True))
    plus, minus = CURRENTS
    # the stage has the line of G- at its plus terminal; nodes of the surface are 0.3 uA apart
    (found,) = last.drive(CURRENTS, LINES)
    assert found + last.rest == pytest.approx(bent(minus, plus), abs=1e-3)
    assert found == pytest.approx(-spiking.drive(CURRENTS[::-1], LINES[::-1])[0], abs=1e-12)
    assert found > last.drive(CURRENTS[::-1], LINES) + 0.05


def test_a_deck_has_each_line_with_its_unused_cells_where_the_surface_has_it() -> None:
    last = measured(stage(8, spiking=False))
    deck = Deck("last", "alone")
    last.add(deck, np.zeros(1), np.ones(1), LINES, (-1.0, 1.0))
    words = {line.split()[0]: line.split() for line in str(deck).splitlines() if line}
    g_plus, g_minus = nodes.bit_lines(0)
    assert words["Vplus0"][1:3] == ["plus0", g_minus]
    assert words["Vminus0"][1:3] == ["minus0", g_plus]
    for terminal, line in (("plus0", LINES[1]), ("minus0", LINES[0])):
        cells = 1 / float(words[f"Runused_{terminal}"][-1].removesuffix("Ohm"))
        assert line + cells == pytest.approx(last.filled, rel=1e-6)


def test_a_deck_is_at_the_temperature_of_its_stage() -> None:
    own = stage(8, spiking=True)
    hot = replace(own.design, stage=replace(own.circuit, temperature=358.15))
    deck = Deck("layer", "alone")
    measured(replace(own, design=hot)).add(deck, np.zeros(1), np.ones(1), LINES, (-1.0, 1.0))
    assert deck.temperature == 358.15
    bench = SenseBench(hot.stage, 3e-7, Pulse(3e-8, 1e-7, 1e-9), CURRENTS[None], (2.4e-4, 2.4e-4))
    assert sense_bench_deck(bench).temperature == 358.15


def test_a_set_s_own_sense_table_is_not_there_beside_transistors() -> None:
    with pytest.raises(ConfigError, match=r"sense\.bandwidth cannot be changed"):
        load_parameter_set("fast-memristor", {"sense.bandwidth": 2e9}, periphery="freepdk45")


def test_no_joule_of_a_network_in_bursts_is_assumed() -> None:
    chip = ms.Chip("digits-mlp", ms.load_device("fast-memristor", "freepdk45"))
    found = chip.run(chip.images(limit=2), cycles=8, burst=8, energy_windows=2).sampled_energy
    assert found is not None
    assert found.energy["sense"] > 0
    assert found.energy.assumed_fraction == 0.0
