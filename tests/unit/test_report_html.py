"""The page is one whole file that says what the summary says, or it is not written."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from memspice.circuits.energy_model import NETWORK_COMPONENTS
from memspice.errors import IncompleteResults, StoreError
from memspice.plot.style import COMPONENT_COLORS
from memspice.report.html import ReportFigure, write_report
from tests.report_helpers import LAYERS, example_summary

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Text, tags and attributes of a page; fails where a tag is not closed."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self.feed(source)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.pieces.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.pieces).split())


def render(folder: Path, summary: dict[str, Any]) -> Page:
    figure = folder / "figure.svg"
    figure.write_text('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>')
    path, files = folder / "new" / "report.html", (figure, folder / "figure.csv")
    write_report(path, summary, [ReportFigure("Energy", "By <layer> & part.", files)] * 2)
    return Page(path.read_text(encoding="utf-8"))


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to all keys of a summary, the first entry of each list."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        yield from leaves(value[0], (*path, 0))


def parent(summary: dict[str, Any], path: tuple[Any, ...]) -> Any:
    value: Any = summary
    for key in path[:-1]:
        value = value[key]
    return value


def dotted(path: tuple[Any, ...]) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)[1:]


def test_page_needs_nothing_else(tmp_path: Path) -> None:
    page = render(tmp_path, example_summary())
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "iframe", "object", "base"}
    for _, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href"):
            value = attributes.get(name)
            embedded = ("data:image/svg+xml;base64,", "#")
            beside = value in ("figure.svg", "figure.csv")  # more of a figure, not needed
            assert value is None or beside or value.startswith(embedded)
    source = (tmp_path / "new" / "report.html").read_text(encoding="utf-8")
    assert "url(" not in source
    assert "@import" not in source


def test_links_have_targets_and_figures_a_description(tmp_path: Path) -> None:
    page = render(tmp_path, example_summary())
    targets = {attributes.get("id") for _, attributes in page.tags}
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert links
    assert {str(link)[1:] for link in links if str(link).startswith("#")} <= targets
    assert [link for link in links if not str(link).startswith("#")] == [
        "figure.svg", "figure.csv"
    ] * 2  # fmt: skip
    images = [attributes for tag, attributes in page.tags if tag == "img"]
    assert [image["alt"] for image in images] == ["Energy: By <layer> & part."] * 2


def test_headline_says_what_the_summary_says(tmp_path: Path) -> None:
    text = render(tmp_path, example_summary()).text.split("What is not in these joules")[0]
    for words in (
        "Data set cifar10 , 10,000 images, lossless: yes .",
        "images 10,000 of cifar10 cycles T = 32, in bursts of 8 answer after 10.2 µs periphery "
        "behavioural models engine ngspice 39.3 seed 1",
        "Made by memspice cosim --images 10000 --burst 8 --seed 1 --out results/run ;",
        "Energy per inference 5.44 µJ 91 % of it rests on assumed constants; the device is what-if",
        "95 %, sampling of windows only 5.253 µJ to 5.634 µJ",
        "model, one assumption changed 2.18 µJ to 10.3 µJ",
        "45 nm CMOS takes, at scope neuron + synapse",
        "0.842 × our energy: same spikes, 16 bit adds scope neuron + synapse: CMOS 4.50 µJ, "
        "ours 5.34 µJ; 0.421 to 1.68 with one assumption changed; assumed 91 % of ours, "
        "2 % of theirs",
        "loop calibrated by 116 windows of SPICE",
        "85.1 % 95 % interval 84.4 % to 85.8 %, 10,000 images",
        "86.4 % 95 % interval 85.7 % to 87.1 %, 10,000 images",
        "0.0077 % limit 0.1 % ✓ within the limit",
        "1 of 196,608 events worst margin 0.04 %, allowed within 1 % of the threshold ✓",
    ):
        assert words in text


def test_few_images_are_no_benchmark(tmp_path: Path) -> None:
    warning = "Accuracy on 20 images is not a benchmark."
    small = render(tmp_path, example_summary("cifar10-foolbox20")).text
    assert warning in small.split("Energy per inference")[0]
    assert "lossless: unknown" in small
    assert "The 95 % interval of the accuracy is 31 points wide." in small
    assert "use the 10,000 test images" in small
    assert "not a benchmark" not in render(tmp_path, example_summary()).text


def test_lossy_images_are_named(tmp_path: Path) -> None:
    summary = example_summary()
    summary["dataset"]["lossless"] = False
    assert "lossless: no ." in render(tmp_path, summary).text


@pytest.mark.parametrize(("key", "value"), [("closure_max", 2e-3), ("worst_margin", 0.03)])
def test_broken_limit_is_shown(tmp_path: Path, key: str, value: float) -> None:
    summary = example_summary()
    summary["spice"][key] = value
    text = render(tmp_path, summary).text
    assert text.count("✗ beyond the limit") == 1
    assert text.count("✓ within the limit") == 1


def test_tables_hold_layers_components_constants_and_parameters(tmp_path: Path) -> None:
    summary = example_summary()
    page = render(tmp_path, summary)
    table = page.text.split("Energy by layer and component")[1].split("What is not")[0]
    assert all(layer in table for layer in LAYERS)
    assert (
        "conv2 33.0 nJ 138 nJ 737 nJ 381 nJ 59.9 nJ 36.6 nJ 35.3 pJ 94.5 nJ 1.48 µJ 27.2 % 0.237"
        in table
    )
    styles = [attributes.get("style") for tag, attributes in page.tags if tag == "span"]
    swatches = [style for style in styles if style]
    assert swatches == [f"background:{COMPONENT_COLORS[name]}" for name in NETWORK_COMPONENTS]
    assert "weight fetch 1.25 pJ R 8 of 64 bit of 8 KB SRAM" in page.text
    assert "assumed no no yes yes yes yes yes yes 91 %" in table
    assert "1.52 µJ quiescent current of amplifiers, 1.01 µJ current of bit lines, sunk" in table
    assert "voltage scale 156 mV R as ag-asi" in page.text
    assert "wire resistance row 1.06 Ω S" in page.text
    assert "kind transimpedance A" in page.text
    for item in (*summary["excluded"], *summary["versions"].values()):
        assert item in page.text
    assert "routing of spikes between tiles 120 nJ clocks 30.0 nJ sum 150 nJ" in page.text
    tags = [tag for tag, _ in page.tags]
    assert tags.count("details") == len({row["table"] for row in summary["parameters"]})


def test_settled_or_not(tmp_path: Path) -> None:
    summary = example_summary()
    assert "settled" not in render(tmp_path, summary).text
    assert "have settled" in render(tmp_path, {**summary, "settled": True}).text
    assert "Not settled" in render(tmp_path, {**summary, "settled": False}).text


def test_last_round_is_said_in_words(tmp_path: Path) -> None:
    summary = example_summary()
    assert (
        "The last of 3 rounds moved the energy by +0.61 %, the accuracy by +0.00 points, the mean "
        "rate by +0.0001 spikes per event."
    ) in render(tmp_path, summary).text
    for row in summary["iterations"]:
        row["snn_accuracy"] = None
    assert "by +0.61 %, the mean rate" in render(tmp_path, summary).text
    del summary["iterations"][1:]
    assert "There was one round" in render(tmp_path, summary).text


def test_periphery_of_transistors_is_named(tmp_path: Path) -> None:
    summary = {**example_summary(), "sense_split_joule": {"transistors": 1e-6}}
    assert "periphery transistors engine" in render(tmp_path, summary).text


def test_periphery_of_ones_own_is_named(tmp_path: Path) -> None:
    summary = example_summary()
    row = {**summary["parameters"][0], "table": "sense", "name": "subcircuit", "value": "mine"}
    summary["parameters"].append(row)
    assert "periphery sense stage mine engine" in render(tmp_path, summary).text


def test_a_loop_that_spice_did_not_calibrate_says_so(tmp_path: Path) -> None:
    text = render(
        tmp_path, {**example_summary(), "verdict": {"holds": False, "doubts": ["x"]}}
    ).text
    assert "Spiking network: loop not calibrated by SPICE" in text
    assert "calibrated by 116" not in text
    assert "from sampled windows, in closed form" in text


def test_every_scope_and_opponent_has_its_ratio_with_what_it_rests_on(tmp_path: Path) -> None:
    summary = example_summary()
    summary["ratio"]["system"]["ann_8bit"] |= {"value": 0.31, "assumed_fraction": 0.96}
    table = render(tmp_path, summary).text.split("Against CMOS The same network")[1]
    for scope in ("neuron", "neuron + synapse", "system"):
        for words in ("8 bit adds", "16 bit adds", "8 bit ANN in one pass"):
            assert re.search(rf"{re.escape(scope)} (same spikes, )?{words} [\d.]+ .J", table)
    row = table.split("system 8 bit ANN in one pass")[1]
    assert row.startswith(" 5.44 µJ 9.20 µJ 0.31 ")
    assert "(amplifier bandwidth at twice) to" in row
    assert "96 % 2 %" in row
    assert "a fetch for each add" not in table.split("Energy per operation")[0]


def test_text_is_never_markup(tmp_path: Path) -> None:
    summary = example_summary()
    attack = '<script>alert("1")</script>'
    summary["dataset"]["source"] = summary["network"] = summary["excluded"][0] = attack
    summary["parameters"][0]["source"] = summary["parameters"][0]["label"] = attack
    page = render(tmp_path, summary)
    assert "script" not in {tag for tag, _ in page.tags}
    assert page.text.count(unescape(attack)) >= 5


@pytest.mark.parametrize("path", [*leaves(example_summary())], ids=dotted)
def test_every_missing_key_is_refused_by_name(path: tuple[Any, ...], tmp_path: Path) -> None:
    summary = copy.deepcopy(example_summary())
    del parent(summary, path)[path[-1]]
    named = {
        "spike_rate",
        "energy_by_layer_joule",
        "sense_split_joule",
        "left_out_joule",
        "versions",
    }
    free = len(path) == 2 and path[0] in named
    if free or path[:-1] == ("spice", "layers"):
        render(tmp_path, summary)
        return
    with pytest.raises(IncompleteResults) as caught:
        write_report(tmp_path / "report.html", summary, [])
    assert f"\n  {dotted(path)} is missing\n" in str(caught.value)
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("value", [math.nan, math.inf, None, "5", True])
def test_energy_must_be_a_finite_number(value: Any, tmp_path: Path) -> None:
    for path in (
        ("energy_total_joule", "value"),
        ("ratio", "system", "ann_8bit", "sensitivity", "low", "value"),
        ("energy_by_layer_joule", "conv1", "sense"),
        ("iterations", 0, "energy_ci95"),
    ):
        summary = example_summary()
        parent(summary, path)[path[-1]] = value
        with pytest.raises(IncompleteResults, match="must be"):
            write_report(tmp_path / "report.html", summary, [])


@pytest.mark.parametrize("key", ["iterations", "parameters", "excluded", "energy_by_layer_joule"])
def test_empty_parts_are_refused(key: str, tmp_path: Path) -> None:
    summary = example_summary()
    summary[key] = type(summary[key])()
    with pytest.raises(IncompleteResults, match=f"{key} = .* must be a .* with at least one"):
        write_report(tmp_path / "report.html", summary, [])


@pytest.mark.parametrize("suffix", [".svg", ".png", ".jpg"])
def test_figures_must_be_pictures(tmp_path: Path, suffix: str) -> None:
    text, missing = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    text.write_text("no picture")
    for file, message in ((text, "is no PNG or SVG file"), (missing, "draw it first")):
        with pytest.raises(IncompleteResults, match=message):
            write_report(
                tmp_path / "report.html", example_summary(), [ReportFigure("a", "b", (file,))]
            )
    assert not (tmp_path / "report.html").exists()


def test_unwritable_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="Name another folder"):
        write_report(tmp_path / "file" / "report.html", example_summary(), [])
