"""Figures show the numbers they were given, and refuse what cannot be drawn."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from memspice.circuits.energy_model import NETWORK_COMPONENTS
from memspice.errors import ConfigError, ShapeError, StoreError
from memspice.plot import energy_figures, event_figures, signal_figures, style
from memspice.plot.style import COMPONENT_COLORS, si
from tests import report_helpers as examples

LOW_DPI = 40


def texts(figure: Figure) -> list[str]:
    return [text for item in figure.findobj(Text) if (text := item.get_text())]


def all_figures() -> dict[str, Figure]:
    return {
        "energy": energy_figures.energy_figure(examples.example_energy()),
        "rate": event_figures.rate_figure(examples.example_rates()),
        "raster": event_figures.raster_figure(*examples.example_raster(), title="conv4"),
        "neuron": signal_figures.neuron_waveform_figure(*examples.example_waveform()),
        "drop": signal_figures.ir_drop_figure(examples.example_drop()),
        "pathwise": event_figures.pathwise_figure(**examples.example_events()),
    }


def test_texts_lie_inside_the_figure_and_not_on_each_other() -> None:
    for name, figure in all_figures().items():
        figure.draw_without_rendering()
        # A tick outside the limits has a label too, which is never drawn.
        sides = [side for axis in figure.axes for side in (axis.xaxis, axis.yaxis)]
        ticks = [*chain.from_iterable(side.get_ticklabels(which="both") for side in sides)]
        shown = [item for item in figure.findobj(Text) if item.get_visible() and item not in ticks]
        boxes = [item.get_window_extent() for item in shown if item.get_text()]
        for k, box in enumerate(boxes):
            assert box.x0 >= -1, name
            assert box.x1 <= figure.bbox.x1 + 1, name
            overlapping = [other for other in boxes[k + 1 :] if box.padded(-1.5).overlaps(other)]
            assert not overlapping, (name, box, overlapping)


def test_every_component_has_its_own_colour() -> None:
    assert tuple(COMPONENT_COLORS) == NETWORK_COMPONENTS
    assert len(set(COMPONENT_COLORS.values())) == len(NETWORK_COMPONENTS)


def test_every_component_is_seen_at_its_value_in_its_colour() -> None:
    energy = examples.example_energy()
    # What a small periphery does to the rest: 97 % in one component, one of them nothing.
    energy["conv1"]["sense"] = 40 * sum(energy["conv1"].values())
    for parts in energy.values():
        parts["driver"] = 0.0
    axis = energy_figures.energy_figure(energy).axes[0]
    points = [line for line in axis.lines if line.get_marker() == "o"]
    low, high = axis.get_xlim()
    assert axis.get_xscale() == "log"
    for row, name in enumerate(NETWORK_COMPONENTS):
        total, at = sum(parts[name] for parts in energy.values()), points[row].get_xdata()[0]
        assert (points[row].get_ydata()[0], to_hex(points[row].get_color())) == (
            row, COMPONENT_COLORS[name],
        )  # fmt: skip
        assert at == pytest.approx(total) if total else at == low
        assert low <= at < high
    assert "0" in texts(axis.figure)


def test_table_holds_every_energy_and_both_sums() -> None:
    energy = examples.example_energy()
    shown = texts(energy_figures.energy_figure(energy))
    total = sum(sum(parts.values()) for parts in energy.values())
    assert f"Energy per inference: {si(total, 'J')}" in shown
    rests = texts(energy_figures.energy_figure(energy, "91 % assumed, what-if device"))
    assert f"Energy per inference: {si(total, 'J')}, 91 % assumed, what-if device" in rests
    for parts in energy.values():
        assert {si(value, "J") if value else "0" for value in parts.values()} <= set(shown)
    for name in NETWORK_COMPONENTS:
        assert si(sum(parts[name] for parts in energy.values()), "J") in shown


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sense": -1e-9}, "dissipated"),
        ({"sense": np.nan}, "not finite"),
        ({"sense": "much"}, "give numbers"),
        ({"heat": 1.0}, "heat missing or unknown"),
        (dict.fromkeys(NETWORK_COMPONENTS, 0.0), "not all of them zero"),
    ],
)
def test_impossible_energy_is_refused(change: dict[str, Any], message: str) -> None:
    parts = {**examples.example_energy()["conv1"], **change}
    with pytest.raises(ConfigError, match=message):
        energy_figures.energy_figure({"conv1": parts})


def test_no_layer_is_refused() -> None:
    with pytest.raises(ShapeError, match="energy by layer"):
        energy_figures.energy_figure({})
    with pytest.raises(ShapeError, match="rates by layer"):
        event_figures.rate_figure({})


def test_missing_component_is_named() -> None:
    parts = examples.example_energy()["conv1"]
    del parts["sense"]
    with pytest.raises(ConfigError, match="layer conv1: sense missing"):
        energy_figures.energy_figure({"conv1": parts})


def test_rate_figure_names_the_worst_deviation() -> None:
    shown = texts(event_figures.rate_figure({"a": (0.2, 0.206, 0.002), "b": (0.1, 0.1, 0.01)}))
    assert "Spike rates: SPICE within 3.0 standard errors" in shown


def test_rate_without_error_is_refused() -> None:
    with pytest.raises(ConfigError, match="rate of b = 0 must be positive"):
        event_figures.rate_figure({"a": (0.2, 0.2, 0.01), "b": (0.1, 0.1, 0.0)})
    with pytest.raises(ShapeError, match="give three"):
        event_figures.rate_figure({"a": (0.2, 0.2)})  # type: ignore[dict-item]


def test_raster_sorts_neurons_and_draws_every_spike() -> None:
    spikes = np.zeros((20, 3), bool)
    spikes[:, 1], spikes[4, 2] = True, True
    figure = event_figures.raster_figure(spikes, [0.0, 1.0, 0.1], "three")
    segments = figure.axes[0].collections[0].get_segments()  # type: ignore[attr-defined]
    middles = [(line[0, 0], line[:, 1].mean()) for line in segments]
    assert sorted(middles) == sorted([(k + 1, 0.0) for k in range(20)] + [(5, 1.0)])


@pytest.mark.parametrize(("count", "outside"), [(9, 1), (10, 0), (20, 0), (21, 1)])
def test_band_is_the_binomial_interval(count: int, outside: int) -> None:
    """Of 30 fair draws 95 % lie in 10 to 20; with P = 0 and 1 only one count is possible."""
    spikes = np.zeros((30, 3), bool)
    spikes[:, 1] = True
    spikes[:count, 2] = True
    shown = texts(event_figures.raster_figure(spikes, [0.0, 1.0, 0.5], "three"))
    assert f"{outside} of 3 outside" in shown


def test_raster_refuses_what_does_not_fit() -> None:
    with pytest.raises(ShapeError, match="2 probabilities do not fit the spikes of 3 neurons"):
        event_figures.raster_figure(np.zeros((4, 3)), [0.1, 0.2], "")
    with pytest.raises(ShapeError, match="spikes has shape"):
        event_figures.raster_figure(np.zeros(4), [0.1], "")
    with pytest.raises(ConfigError, match="must lie in 0 to 1"):
        event_figures.raster_figure(np.zeros((4, 1)), [1.1], "")


def test_switch_is_marked_where_the_integral_reaches_the_draw() -> None:
    time, signals, phases = examples.example_waveform()
    figure = signal_figures.neuron_waveform_figure(time, signals, phases)
    shown = texts(figure)
    assert shown.count("switches") == 1
    assert shown.count("does not switch") == 1
    assert [shown.count(name) for name in ("write", "read", "reset")] == [2, 2, 2]
    ring = next(line for line in figure.axes[1].lines if len(line.get_xdata()) == 1)
    at = float(np.asarray(ring.get_xdata())[0])
    crossing = time[np.argmax(signals["hazard"] >= signals["threshold"])]
    assert at == crossing


def test_waveform_refuses_what_does_not_fit() -> None:
    time, signals, phases = examples.example_waveform()
    short = {**signals, "drive": signals["drive"][1:]}
    with pytest.raises(ShapeError, match="drive has 2399 points, time has 2400"):
        signal_figures.neuron_waveform_figure(time, short, phases)
    with pytest.raises(ConfigError, match="phase 'wait' is not one of write, read, reset"):
        signal_figures.neuron_waveform_figure(time, signals, [("wait", 0.0, 1e-9)])
    broken = {**signals, "state": np.where(time > 0, signals["state"], np.nan)}
    with pytest.raises(ConfigError, match="signal state has 1 of 2400 values"):
        signal_figures.neuron_waveform_figure(time, broken, phases)
    del signals["spike"]
    with pytest.raises(ConfigError, match="spike missing"):
        signal_figures.neuron_waveform_figure(time, signals, phases)


def test_worst_cell_is_named_and_row_0_is_at_the_top() -> None:
    voltage = np.full((8, 5), 0.99)
    voltage[2, 4] = 0.95
    figure = signal_figures.ir_drop_figure(voltage)
    shown = texts(figure)
    assert "worst: 5.00 %\nrow 2, column 4" in shown
    assert "IR drop over 8 × 5 cells: 1.10 % on average" in shown
    bottom, top = figure.axes[0].get_ylim()
    assert bottom > top
    image = figure.axes[0].images[0].get_array()
    assert image is not None
    assert float(image[2, 4]) == pytest.approx(5)


def test_drop_needs_two_axes_and_finite_values() -> None:
    with pytest.raises(ShapeError, match="relative voltage"):
        signal_figures.ir_drop_figure(np.ones(4))
    with pytest.raises(ConfigError, match="not finite"):
        signal_figures.ir_drop_figure([[1.0, np.inf]])


def test_flat_array_has_no_drop() -> None:
    assert "IR drop over 1 × 1 cells: 0.00 % on average" in texts(
        signal_figures.ir_drop_figure([[1.0]])
    )


def test_pathwise_counts_each_kind_of_event() -> None:
    shown = texts(event_figures.pathwise_figure(**examples.example_events()))
    assert "3 of 4,000 spikes differ between surrogate and SPICE" in shown
    found = [re.fullmatch(r"(?:no spike .*|spike .*|differ) \((.*)\)", text) for text in shown]
    counts = [int(match[1].replace(",", "")) for match in found if match]
    assert counts[2] == 3
    assert sum(counts) == 4000


def test_far_events_are_drawn_at_the_edge_and_counted() -> None:
    events = examples.example_events()
    events["spice_hazard"][100] = 0.5 * events["surrogate_hazard"][100]
    events["spikes_spice"][100] = events["spikes_surrogate"][100]
    figure = event_figures.pathwise_figure(**events)
    assert "all events: within 50 %, 1 drawn at the edge" in texts(figure)
    assert figure.axes[0].get_ylim()[1] < 2


def test_identical_hazards_can_be_drawn() -> None:
    ones = np.ones((2, 3))
    shown = texts(event_figures.pathwise_figure(ones, ones, ones, ones > 0, ones > 0))
    assert "0 of 6 spikes differ between surrogate and SPICE" in shown


def test_pathwise_refuses_what_does_not_fit() -> None:
    events = examples.example_events(100)
    with pytest.raises(ShapeError, match="different shapes"):
        event_figures.pathwise_figure(**{**events, "thresholds": events["thresholds"][1:]})
    with pytest.raises(ConfigError, match="thresholds = 0 must be positive"):
        event_figures.pathwise_figure(**{**events, "thresholds": 0 * events["thresholds"]})


@pytest.mark.parametrize(("form", "begin"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_saved_file_is_the_same_every_time_and_the_figure_is_emptied(
    form: str, begin: bytes, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        figure = event_figures.rate_figure(examples.example_rates())
        style.save(figure, tmp_path / "new" / f"{name}.{form}", dpi=LOW_DPI)
        assert not figure.axes
    first, second = (tmp_path / "new" / f"{name}.{form}" for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes().startswith(begin)
    assert b"Software" not in first.read_bytes()


def test_a_notebook_shows_a_figure_without_pyplot() -> None:
    figure = event_figures.rate_figure(examples.example_rates())
    picture = figure._repr_png_()  # type: ignore[attr-defined]
    assert picture.startswith(b"\x89PNG")
    width = int.from_bytes(picture[16:20], "big")
    assert width == pytest.approx(figure.get_figwidth() * 200, abs=1)


def test_unwritable_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="name another folder"):
        style.save(event_figures.rate_figure(examples.example_rates()), tmp_path / "file" / "a.png")
