"""The scripts' ``answer()`` with made-up runs: signs, intervals and verdicts of what they write."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import memspice as ms
from memspice.analysis.cmos import OPPONENTS
from memspice.errors import ConfigError
from memspice.network.inference import run_inference
from memspice.plot.style import new_figure
from tests.paper_helpers import circuit, script
from tests.report_helpers import example_summary, example_table
from tests.settings import Setting

# Found by paper_helpers in experiments/: scripts, not a package.
from points import Points  # isort: skip
from question import Question  # isort: skip
from verdicts import (  # isort: skip
    CONDITIONS, HOLDS, NOT, loss_verdict, neuron_verdict, ratio_verdict, robust_verdict,
)  # fmt: skip

CONVERSION, NEURON = script("conversion"), script("stochastic_neuron")
ROBUSTNESS, ENERGY = script("robustness"), script("energy_ratio")
BURSTS = script("bursts")
#: Enough that ten images, half a point, are told from a hundred, five.
IMAGES = 2000


def right(wrong: int) -> np.ndarray:
    """Answers to all images, the first ones wrong."""
    return np.arange(IMAGES) >= wrong


def answered(module: Any, folder: Path, *, full: bool = False, device: str = "sot-mtj") -> Any:
    """Result file that a script writes."""
    module.answer(Question("made-up", full, None, device, folder))
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))


def made_up_runs(
    monkeypatch: pytest.MonkeyPatch, module: Any, chip: Callable[..., dict[int, np.ndarray]]
) -> None:
    """Let a script run two chips of known answers; of an ANN 20 are wrong."""
    size = (IMAGES, 2, 8) if module is CONVERSION else (IMAGES, 2)
    if hasattr(module, "accuracy_network"):
        monkeypatch.setattr(module, "accuracy_network", lambda *_: ("digits-mlp", size, ["a note"]))
    monkeypatch.setattr("memspice.Chip", partial(MadeUpChip, chip), raising=False)
    monkeypatch.setattr("memspice.Chips", MadeUpChips, raising=False)


class MadeUpChip:
    """Chip that answers what it is told."""

    def __init__(
        self, answers: Callable[..., Any], network: str, device: Any = "sot-mtj", **_: Any
    ) -> None:
        self._answers = answers
        self.network = SimpleNamespace(name=network)
        self.device = ms.load_device(device) if isinstance(device, str) else device

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def images(self, *_: Any) -> str:
        return "images"

    def run(self, _: str, *, cycles: int, burst: int = 1, calibration: Any = None) -> Any:
        """Run whose answers are right or wrong as told; of the ANN's 20 are wrong."""
        assert burst in (1, cycles)
        known = self._answers(self.device, cycles, calibration)
        return SimpleNamespace(
            answers_at=known,
            correct=lambda count=cycles: known[count],
            ann_correct=lambda: right(20),
        )


class MadeUpChips:
    """So many chips that all answer what the first is told."""

    def __init__(self, first: MadeUpChip, count: int) -> None:
        self._first, self._count = first, count

    def run(self, images: str, *, cycles: int, burst: int = 1, **_: Any) -> Any:
        """Run of all of them."""
        one = self._first.run(images, cycles=cycles, burst=burst)
        known = {n: np.tile(each, (self._count, 1)) for n, each in one.answers_at.items()}
        return SimpleNamespace(
            answers_at=known,
            correct=lambda count=cycles: known[count],
            ann_correct=one.ann_correct,
        )


def test_an_accuracy_has_an_interval_within_its_bounds() -> None:
    found = ms.statistics.chips_accuracy(np.stack([right(0), right(0)]))
    assert (found.value, found.high) == (1, 1)
    assert 0.99 < found.low < 1
    found = ms.statistics.chips_accuracy(np.stack([right(IMAGES), right(IMAGES)]))
    assert (found.value, found.low) == (0, 0)
    assert 0 < found.high < 0.01


def test_conversion_tells_the_loss_of_each_array_and_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {"ag-asi": 220, "fast-memristor": 320, "sot-mtj": 120}

    def chip(device: ms.Device, cycles: int, _: Any) -> dict[int, np.ndarray]:
        ideal = device.changes == CONVERSION.IDEAL
        return {cycles: right(400 if cycles < 8 else 24 if ideal else wrong[device.name])}

    made_up_runs(monkeypatch, CONVERSION, chip)
    result = answered(CONVERSION, tmp_path)
    assert (result["images"], result["chips"], result["notes"]) == (IMAGES, 2, ["a note"])
    assert result["ann_accuracy"]["value"] == 0.99
    ideal, real = (result["curves"][name] for name in ("ideal", "real"))
    assert [point["cycles"] for point in real] == [1, 2, 4, 8]
    assert [point["loss"]["value"] for point in ideal] == pytest.approx([0.19, 0.19, 0.19, 0.002])
    assert [point["loss"]["value"] for point in real] == pytest.approx([0.19, 0.19, 0.19, 0.05])
    # Wald by hand: 1.96 sqrt(0.05 * 0.95 / 2000) = 0.00955; the added pairs move it by 1 %.
    last = real[-1]["loss"]
    assert (last["high"] - last["low"]) / 2 == pytest.approx(0.00955, rel=0.02)
    assert last["low"] < 0.05 < last["high"]
    assert loss_verdict(ideal).reason.startswith("from T = 8 on")
    assert loss_verdict(real).word == NOT
    beside = {item["label"]: item["curve"][-1]["loss"]["value"] for item in result["beside"]}
    assert beside == pytest.approx({"ag-asi": 0.1, "fast-memristor": 0.15})
    assert (tmp_path / "conversion.png").exists()


@pytest.mark.parametrize(("wrong", "still", "word"), [(20, 120, HOLDS), (120, 20, CONDITIONS)])
def test_luck_is_a_gain_where_the_network_without_it_knows_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: int, still: int, word: str
) -> None:
    def chip(_: Any, cycles: int, calibration: Any = None) -> dict[int, np.ndarray]:
        if calibration is not None:
            return {cycles: right(still)}
        return {1: right(400), cycles: right(wrong)}

    def characterized(device: ms.Device, **_: Any) -> Any:
        parameter_set = device.parameters
        return SimpleNamespace(parameter_set=parameter_set, as_json=lambda: circuit(device.name))

    made_up_runs(monkeypatch, NEURON, chip)
    monkeypatch.setattr("memspice.characterize", characterized, raising=False)
    monkeypatch.setattr("memspice.plot.transfer", lambda _: new_figure(1.0))
    result = answered(NEURON, tmp_path)
    assert [item["parameter_set"] for item in result["devices"]] == [
        "ag-asi", "fast-memristor", "sot-mtj",
    ]  # fmt: skip
    first, last = result["stochastic"]
    assert first["gain"]["value"] == pytest.approx((still - 400) / IMAGES)
    assert last["gain"]["value"] == pytest.approx((still - wrong) / IMAGES)
    assert last["gain"]["low"] < last["gain"]["value"] < last["gain"]["high"]
    assert last["accuracy"]["value"] == 1 - wrong / IMAGES
    assert result["still_accuracy"]["value"] == 1 - still / IMAGES
    assert neuron_verdict(result).word == word
    assert {path.name for path in tmp_path.glob("*.png")} == {
        "luck.png", "transfer-ag-asi.png", "transfer-fast-memristor.png", "transfer-sot-mtj.png",
    }  # fmt: skip


def test_steep_neurons_switch_above_one_half_whatever_their_luck() -> None:
    setting = Setting("digits-mlp", images=30)
    calibration, prepared = NEURON.steep(setting.chip), setting.request()
    (rule,) = set(calibration.values())
    for probability, certain in ((0.49, 0), (0.51, 1)):
        log_hazard = math.log(-math.log1p(-probability))
        steeper = rule.log_hazard_gain * log_hazard + rule.log_hazard_offset
        assert -math.expm1(-math.exp(steeper)) == pytest.approx(certain, abs=1e-6)
    runs = [
        run_inference(prepared.mapped, prepared.images.x, 4, seed, calibration=calibration)
        for seed in (1, 2)
    ]
    for run in runs:
        for scores in run.scores_at.values():
            np.testing.assert_allclose(scores, runs[0].scores_at[1], rtol=1e-6, atol=1e-6)


def sweeps(*values: float) -> Any:
    kind = ROBUSTNESS.Sweep
    return tuple(
        kind(group, group, (name,), values, "1", group, "made up")
        for group, name in (("variation", "synapse.variation"), ("switching", "tile"))
    )


def measured(point: Any, chips: int, _: Path) -> Any:
    """A tile of ``n`` costs nothing, a variation of 1 or more half the answers; 3 cannot be."""
    value = float(point.device.changes.get("synapse.variation", 0))
    if value == 3:
        raise ConfigError("no circuit of that")
    answers = np.tile(right(1000 if value >= 1 else 100), (chips, 1))
    return ROBUSTNESS.Measured(answers, np.full(chips, 2.0 + value), np.full(chips, 0.1))


def test_robustness_tells_what_each_setting_costs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_up_runs(monkeypatch, ROBUSTNESS, lambda *_: {})
    monkeypatch.setattr(ROBUSTNESS, "measure", measured)
    monkeypatch.setattr(ROBUSTNESS, "SWEEPS", sweeps(0, 0.5, 1, 3))
    result = answered(ROBUSTNESS, tmp_path)
    variation, tile = result["sweeps"]
    # The nominal setting answers 100 of 2000 images wrongly, the ANN 20.
    # From the harshest on until one is safe: 0 needs no measurement, of the tiles only one does.
    assert [point["loss"]["value"] for point in variation["points"][:2]] == [0, 0.45]
    assert [point["loss_against_ann"]["value"] for point in tile["points"]] == [0.04]
    assert [point["value"] for point in tile["points"]] == [3]
    assert [point["energy_ratio"]["value"] for point in variation["points"][:2]] == [1.25, 1.5]
    assert variation["points"][2] == {"value": 3, "refused": "no circuit of that"}
    assert not (tmp_path / "points").exists()
    verdict = robust_verdict(result["sweeps"])
    assert verdict.word == CONDITIONS
    assert "over the whole range: switching; variation up to 0.5" in verdict.reason
    assert robust_verdict([tile]).word == HOLDS
    # Of both chips 0.1 J each: 0.1 / sqrt 2 of their mean; between chips there is nothing.
    energy = result["nominal"]["energy_joule"]
    assert energy["high"] - energy["value"] == pytest.approx(0.1 / math.sqrt(2))


def test_robustness_goes_on_point_by_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    last = 3

    def counted(point: Any, chips: int, run: Path) -> Any:
        if len(asked) == last:
            raise KeyboardInterrupt
        asked.append(float(point.device.changes.get("synapse.variation", -1)))
        return measured(point, chips, run)

    made_up_runs(monkeypatch, ROBUSTNESS, lambda *_: {})
    monkeypatch.setattr(ROBUSTNESS, "measure", counted)
    monkeypatch.setattr(ROBUSTNESS, "SWEEPS", sweeps(0, 0.5, 1, 3))
    with pytest.raises(KeyboardInterrupt):
        answered(ROBUSTNESS, tmp_path)
    assert asked == [-1, 3, 1]
    last = 100
    asked.clear()
    made_up = Question("made-up", False, None, "sot-mtj", tmp_path, resume=True)
    ROBUSTNESS.answer(made_up)
    assert asked == [-1, 0.5, -1]  # nominal, what was missing, the other sweep
    found = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["sweeps"]
    whole = answered(ROBUSTNESS, tmp_path / "whole")["sweeps"]
    assert found == whole
    # Another setting does not take them: without --resume nothing is taken at all.
    asked.clear()
    answered(ROBUSTNESS, tmp_path)
    assert asked == [-1, 3, 1, 0.5, -1]


def test_points_of_another_setting_are_measured_anew(tmp_path: Path) -> None:
    seen: list[Path] = []

    def work(run: Path) -> dict[str, Any]:
        seen.append(run)
        run.touch()
        return {"loss": len(seen)}

    for resume, setting, result in ((False, 1, 1), (True, 1, 1), (True, 2, 2), (False, 2, 3)):
        points = Points(tmp_path / "points", resume=resume)
        assert points.measure("a", {"tile": setting}, work) == {"loss": result}
        assert not points.run_file("a").exists()
    assert len(seen) == 3


def test_a_sweep_whose_mildest_setting_is_no_circuit_is_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_up_runs(monkeypatch, ROBUSTNESS, lambda *_: {})
    monkeypatch.setattr(ROBUSTNESS, "measure", measured)
    monkeypatch.setattr(ROBUSTNESS, "SWEEPS", sweeps(3, 1))
    with pytest.raises(ConfigError, match="no circuit of that"):
        answered(ROBUSTNESS, tmp_path)


def summary(ratio: float = 10.0) -> dict[str, Any]:
    """Summary of a co-simulation: CMOS energies ``ratio`` times the memristive ones."""
    own = {"neuron": 1e-6, "neuron_synapse": 2e-6, "system": 4e-6}
    ratios = {scope: dict.fromkeys(OPPONENTS, ratio) for scope in own}
    return {
        **example_summary(), "notes": [], "settled": True, "engine": {}, "failures": [],
        "memristive_joule": own,
        "memristive_ci95": {scope: [0.97 * joule, 1.03 * joule] for scope, joule in own.items()},
        **example_table(ratios), "adds_half_width": 0.0,
        "workload": {"events": 1e6, "synaptic_adds": 1e7, "products": 1e5},
    }  # fmt: skip


@pytest.mark.parametrize("full", [False, True])
def test_energy_is_compared_for_both_devices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: bool
) -> None:
    ratios, asked = {"fast-memristor": 8.0, "sot-mtj": 0.5}, []

    def cosimulated(chip: Any, images: Any, *, options: ms.RunOptions, **size: Any) -> Any:
        device = chip.device.name
        out = Path(options.out or "").name
        asked.append((images[1], size["cycles"], size["burst"], size["plan"], out))
        return SimpleNamespace(as_json=lambda: {**summary(ratios[device]), "device": device})

    made_up_runs(monkeypatch, ENERGY, lambda *_: {})
    monkeypatch.setattr(MadeUpChip, "images", lambda _, *asked: asked)
    monkeypatch.setattr("memspice.cosim", cosimulated, raising=False)
    monkeypatch.setattr(ENERGY, "ROOT", tmp_path)
    result = answered(ENERGY, tmp_path / "out", full=full, device="fast-memristor")
    memristor, mtj = result["devices"]
    assert (memristor["device"], mtj["device"]) == ("fast-memristor", "sot-mtj")
    assert ratio_verdict(memristor, 6.4).word == HOLDS
    assert ratio_verdict(mtj, 6.4).word == NOT
    assert "source" not in memristor["dataset"]
    plan = ms.CosimPlan() if full else ENERGY.QUICK_PLAN
    count = ENERGY.FULL if full else ENERGY.QUICK
    assert asked == [(count, 8, 8, plan, f"waveforms-{name}.h5") for name in ratios]
    # Simulated on transistors: 240 fJ, as their experiment says.
    assert result["cmos_neuron"]["energy_joule"] == pytest.approx(2.4e-13, rel=0.01)


def test_a_device_that_is_the_papers_mtj_is_compared_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = SimpleNamespace(as_json=summary)
    made_up_runs(monkeypatch, ENERGY, lambda *_: {})
    monkeypatch.setattr("memspice.cosim", lambda *_, **__: found, raising=False)
    assert len(answered(ENERGY, tmp_path)["devices"]) == 1


def test_bursts_are_measured_by_k_and_t(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BURSTS, "accuracy_network", lambda *_: ("digits-mlp", (20, 4), []))
    result = answered(BURSTS, tmp_path, device="fast-memristor")
    found = {(item["burst"], item["share"], item["cycles"]): item for item in result["points"]}
    plain, leaky = [(1, 1.0, n) for n in (1, 2, 4)], [(1, BURSTS.SHARE, n) for n in (1, 2, 4)]
    assert set(found) == {*plain, *leaky, (2, 1.0, 2), (2, 1.0, 4), (4, 1.0, 4)}
    one, *_, four = (found[place]["energy_joule"]["value"] for place in plain)
    assert four == pytest.approx(4 * one)
    held = [found[place]["energy_joule"]["value"] for place in ((4, 1.0, 4), leaky[-1])]
    for joules in held:  # a fourth amplifier beside three, and all else as it was
        assert 1.15 * four < joules < 4 / 3 * four
    latency = [found[place]["latency_second"] for place in (plain[-1], leaky[-1], (4, 1.0, 4))]
    assert latency == sorted(latency)
    lines = BURSTS.table(result).splitlines()
    assert [line.split()[2] for line in lines[2:-1]] == ["1", "2", "4"]
    assert all(len(line) <= 96 for line in lines)
    assert (tmp_path / "bursts.png").exists()
