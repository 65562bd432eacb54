"""One layer in all three fidelities: the same spikes, balanced energy, a run that goes on."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memspice.circuits.energy_model import COMPONENTS
from memspice.errors import ConfigError, EngineNotFound, StoreError
from memspice.experiment.results.layer import LayerResult
from memspice.jobs import Execution
from memspice.network.architecture import Architecture, Conv, Dense, Pool
from memspice.network.batch import Window
from memspice.network.weights import Network, WeightLayer, save_network, weight_shapes
from memspice.store import read_run
from memspice.windows.choice import choose_windows
from memspice.windows.fidelity import window_jobs
from memspice.windows.outcome import join_windows
from memspice.windows.reduced import DECK_OUTPUTS, Reduced
from memspice.windows.surrogate import Surrogate
from tests.helpers import changed, ngspice
from tests.settings import Setting
from tests.tables import EVERY_FIDELITY

LEVELS = 32
CYCLES = 4


@pytest.fixture(scope="module")
def pooled(tmp_path_factory: pytest.TempPathFactory) -> str:
    """File of a network on pooled digits: 16 inputs, so that every cell fits into a quick deck."""
    architecture = Architecture("pooled", (1, 8, 8), (Pool(2), Dense(6), Dense(10)))
    rng, layers = np.random.default_rng(2), []
    for outputs, fan_in in weight_shapes(architecture):
        bound = 6 / fan_in
        weight = rng.integers(1 - LEVELS, LEVELS, (outputs, fan_in)) * bound / (LEVELS - 1)
        layers.append(WeightLayer(weight, rng.normal(-0.3, 0.3, outputs), bound))
    path = tmp_path_factory.mktemp("networks") / "pooled.h5"
    save_network(Network(architecture, tuple(layers), {}), path, LEVELS)
    return str(path)


def simulate(network: str, fidelity: Any, out: Path | None = None, **options: Any) -> LayerResult:
    """Run ``dense1`` on two images, in tiles of 9 x 6."""
    layer = options.pop("layer", "dense1")
    resume = options.pop("resume", False)
    values = {"images": 2, "cycles": CYCLES, "tile": (9, 6), "seed": 3, **options}
    setup = Setting(network=network, **values)
    return setup.simulate(layer, fidelity=fidelity, out=out, resume=resume)


@pytest.fixture(scope="module")
def results(pooled: str) -> dict[str, LayerResult]:
    return {name: simulate(pooled, name) for name in ("full", "reduced", "surrogate")}


def spikes(result: LayerResult) -> np.ndarray:
    """Spikes of whole windows, shape (windows, cycles, outputs)."""
    return np.stack([window.spikes for window in join_windows(result.outcomes)])


@pytest.mark.ngspice
@EVERY_FIDELITY
def test_spice_and_surrogate_give_the_same_spikes(
    results: dict[str, LayerResult], fidelity: str
) -> None:
    found, model = results[fidelity], results["surrogate"]
    np.testing.assert_array_equal(spikes(found), spikes(model))
    assert 0 < spikes(found).sum() < spikes(found).size
    for one, other in zip(found.outcomes, model.outcomes, strict=True):
        np.testing.assert_allclose(one.hazard, other.hazard, rtol=2e-3)
        np.testing.assert_array_equal(one.thresholds, other.thresholds)
        np.testing.assert_allclose(one.drive, other.drive, atol=1e-4)
    assert found.as_json()["spikes"]["mismatches"] == 0
    assert found.as_json()["spikes"]["hazard_deviation"] < 2e-3


@pytest.mark.ngspice
@EVERY_FIDELITY
def test_energy_closes_and_is_that_of_the_closed_form(
    results: dict[str, LayerResult], fidelity: str
) -> None:
    assert results[fidelity].as_json()["energy_closure"] <= 1e-3
    total = results[fidelity].as_json()["energy_total_joule"]
    assert total == pytest.approx(results["surrogate"].as_json()["energy_total_joule"], rel=0.02)
    found = results[fidelity].as_json()["energy_joule"]
    model = results["surrogate"].as_json()["energy_joule"]
    assert total == pytest.approx(sum(found.values()))
    for name in ("driver", "crossbar", "sense", "neuron_write", "neuron_read", "logic"):
        assert found[name] == pytest.approx(model[name], rel=0.05), name
    assert found["neuron_reset"] == pytest.approx(model["neuron_reset"], rel=0.1)


@pytest.mark.ngspice
def test_full_and_reduced_agree_more_closely(results: dict[str, LayerResult]) -> None:
    full, reduced = (results[name].as_json()["energy_joule"] for name in ("full", "reduced"))
    for name in COMPONENTS:
        assert full[name] == pytest.approx(reduced[name], rel=1e-3), name


@pytest.mark.ngspice
def test_digits_layer_in_spice_is_its_surrogate(tmp_path: Path) -> None:
    out = tmp_path / "run.h5"
    setup = Setting(network="digits-mlp", images=2, cycles=3)
    found, model = (
        setup.simulate("dense1", fidelity=name, out=path)  # type: ignore[arg-type]
        for name, path in (("reduced", out), ("surrogate", None))
    )
    np.testing.assert_array_equal(spikes(found), spikes(model))
    assert found.as_json()["events"] == 2 * 3 * 32
    assert found.as_json()["energy_closure"] <= 1e-3
    assert abs(found.statistics.deviation) < 4  # type: ignore[union-attr]
    with read_run(out) as run:
        records = [run.job(info.name) for info in run.jobs()]
    firsts = [record.attributes["first_output"] for record in records]
    assert firsts == list(range(0, 32, DECK_OUTPUTS)) * 2  # names sort as outputs do
    again = setup.simulate("dense1", out=out, resume=True)
    assert again.as_json()["jobs"]["simulated"] == again.as_json()["jobs"]["failed"] == 0
    assert again.as_json()["energy_joule"] == found.as_json()["energy_joule"]
    np.testing.assert_array_equal(spikes(again), spikes(model))


@pytest.mark.ngspice
def test_json_has_the_keys_of_the_design(results: dict[str, LayerResult]) -> None:
    for fidelity, result in results.items():
        content = json.loads(json.dumps(result.as_json(), allow_nan=False))
        assert {
            "fidelity", "engine", "seed", "layer", "rows", "cols", "events", "spikes",
            "energy_joule", "energy_total_joule", "assumed_fraction", "device_source",
            "energy_closure", "wall_seconds", "out",
        } <= set(content)  # fmt: skip
        assert set(content["engine"]) == {"name", "version", "osdi", "klu", "executable"}
        assert {"count", "rate", "expected_rate", "mismatches", "worst_margin"} <= set(
            content["spikes"]
        )
        assert tuple(content["energy_joule"]) == COMPONENTS
        assert content["device_source"] == "what-if"
        assert content["fidelity"] == fidelity
        assert (content["rows"], content["cols"]) == (17, 12)
        assert content["events"] == 2 * CYCLES * 6
        assert content["windows"] == 2
        assert content["spikes"]["count"] == spikes(result).sum()
        assert content["spikes"]["rate"] == pytest.approx(spikes(result).mean())
        assert content["engine"]["name"] == ("numpy" if fidelity == "surrogate" else "ngspice")
    assert results["surrogate"].as_json()["energy_closure"] is None


def test_other_seeds_and_cycles_give_other_spikes(
    pooled: str, results: dict[str, LayerResult]
) -> None:
    other = simulate(pooled, "surrogate", seed=4)
    assert (spikes(other) != spikes(results["surrogate"])).any()
    longer = simulate(pooled, "surrogate", cycles=CYCLES + 2)
    np.testing.assert_array_equal(spikes(longer)[:, :CYCLES], spikes(results["surrogate"]))


def test_tiling_leaves_the_events_alone(pooled: str, results: dict[str, LayerResult]) -> None:
    whole = simulate(pooled, "surrogate", tile=(128, 128))
    draws = [
        np.concatenate([o.thresholds for o in run.outcomes if o.window.image == 0], axis=1)
        for run in (whole, results["surrogate"])
    ]
    np.testing.assert_array_equal(*draws)
    assert len(whole.records) == 2
    assert len(results["surrogate"].records) == 4


@pytest.mark.ngspice
def test_accumulating_layer_has_scores_and_no_spikes(pooled: str) -> None:
    found = simulate(pooled, "reduced", layer="dense2", cycles=2)
    assert found.statistics is None
    assert found.as_json()["spikes"] == {
        "count": 0, "rate": None, "expected_rate": None,
        "mismatches": 0, "worst_margin": 0.0, "hazard_deviation": 0.0, "against_ideal": None,
        "expected_mismatches": 0.0, "apart": 0,
    }  # fmt: skip
    assert found.as_json()["events"] == 0
    assert found.as_json()["scores"]["worst_deviation"] < 1e-3
    assert found.as_json()["energy_closure"] <= 1e-3


@pytest.mark.ngspice
def test_resume_gives_the_same_result_and_runs_only_what_is_missing(
    pooled: str,
    results: dict[str, LayerResult],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, ran, real = tmp_path / "run.h5", [], Reduced.request

    def dies_at_the_third(fidelity: Any, job: Any) -> Any:
        if len(ran) == 2:
            raise KeyboardInterrupt
        ran.append(job.name)
        return real(fidelity, job)

    monkeypatch.setattr(Reduced, "request", dies_at_the_third)
    setup = Setting(network=pooled, images=2, cycles=CYCLES, tile=(9, 6), seed=3)
    with pytest.raises(KeyboardInterrupt):
        setup.simulate("dense1", fidelity="reduced", execution=Execution(workers=1), out=out)
    with read_run(out) as run:
        assert len(run.jobs()) == 2
        assert run.status != "complete"
    again: list[str] = []

    def counted(fidelity: Any, job: Any) -> Any:
        again.append(job.name)
        return real(fidelity, job)

    monkeypatch.setattr(Reduced, "request", counted)
    found = simulate(pooled, "reduced", out, resume=True)
    assert sorted([*ran, *again]) == sorted(set(ran) | set(again))
    assert len(again) == 2
    np.testing.assert_array_equal(spikes(found), spikes(results["reduced"]))
    for name in COMPONENTS:
        assert found.as_json()["energy_joule"][name] == pytest.approx(
            results["reduced"].as_json()["energy_joule"][name], rel=1e-9
        )
    once_more = simulate(pooled, "reduced", out, resume=True)
    assert len(again) == 2
    np.testing.assert_array_equal(spikes(once_more), spikes(found))


def test_run_is_stored_with_its_events(pooled: str, tmp_path: Path) -> None:
    out = tmp_path / "run.h5"
    found = simulate(pooled, "surrogate", out)
    assert found.as_json()["out"] == str(out)
    with read_run(out) as run:
        assert len(run.jobs()) == 4
        record = run.job(run.jobs()[0].name)
        assert set(record.events) == {"cycle", "neuron", "drive", "threshold", "hazard", "spike"}
        assert run.provenance.seed == 3


def test_resume_runs_what_was_beyond_a_limit_anew(
    pooled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, real, ran = tmp_path / "run.h5", Surrogate.run, []
    turns = itertools.count(1)  # jobs run in threads: each asks for its turn once, by one step

    def lies_at_the_second(fidelity: Any, job: Any) -> Any:
        turn = next(turns)
        ran.append(job.name)
        record = real(fidelity, job)
        twice = {name: 2 * joules for name, joules in record.energy.items()}
        return replace(record, energy=twice) if turn == 2 else record

    monkeypatch.setattr(Surrogate, "run", lies_at_the_second)
    found = simulate(pooled, "surrogate", out)
    assert not found.verdict.holds
    with read_run(out) as run:
        assert run.status == "incomplete"
    again = simulate(pooled, "surrogate", out, resume=True)
    assert again.verdict.holds
    assert len(ran) == 5
    with read_run(out) as run:
        assert (run.status, len(run.jobs())) == ("complete", 4)
    assert (
        again.as_json()["energy_joule"] == simulate(pooled, "surrogate").as_json()["energy_joule"]
    )


def test_resume_of_another_run_is_refused(pooled: str, tmp_path: Path) -> None:
    out = tmp_path / "run.h5"
    simulate(pooled, "surrogate", out)
    with pytest.raises(Exception, match="seed|config"):
        simulate(pooled, "surrogate", out, resume=True, seed=5)


# --- windows and bad input ------------------------------------------------------------------------


def test_windows_are_chosen_by_the_seed_and_never_twice(pooled: str) -> None:
    layer = Setting(network=pooled, images=2).request().mapped.layers[0]
    assert [window.image for window in choose_windows(layer, 2, 3, 0)] == [0, 1]  # one position
    wide = replace(layer, step=replace(layer.step, layer=Conv(6), input_shape=(1, 8, 8)))
    chosen = choose_windows(wide, 2, 20, 0)
    assert len(set(chosen)) == 40
    assert all(0 <= window.position < 64 for window in chosen)
    assert choose_windows(wide, 2, 20, 0) == chosen
    assert choose_windows(wide, 2, 20, 1) != chosen


@pytest.mark.parametrize("name", ["images", "cycles"])
def test_numbers_below_one(name: str) -> None:
    with pytest.raises(ConfigError, match=r"(limit = 0 images|cycles = 0) must be at least 1"):
        Setting(network="digits-mlp", **{name: 0}).request()


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_seed_out_of_range(seed: int) -> None:
    with pytest.raises(ConfigError, match="seed"):
        Setting(network="digits-mlp", seed=seed).request()


def test_no_position(pooled: str) -> None:
    with pytest.raises(ConfigError, match="positions = 0"):
        Setting(network=pooled).simulate(positions=0)


def test_unknown_layer(pooled: str) -> None:
    with pytest.raises(ConfigError, match="dense1, dense2"):
        simulate(pooled, "surrogate", layer="conv1")


def test_changed_values_are_used_noted_and_part_of_the_configuration(
    pooled: str, tmp_path: Path
) -> None:
    changes = {"array.read_voltage": 0.05, "synapse.levels": 4, "synapse.variation": 0.0}
    found = Setting(network=pooled, changes=changes, wire_resistance=2.0).request().mapped
    assert found.parameter_set.array.read_voltage == 0.05
    assert found.parameter_set.array.wire_resistance_row == 2.0
    assert len(np.unique(found.layers[0].circuits[0].conductances[0])) <= 4
    out = tmp_path / "run.h5"
    result = simulate(pooled, "surrogate", out, changes=changes)
    (note,) = [line for line in result.as_json()["notes"] if line.startswith("changed: ")]
    assert "array.read_voltage = 0.05" in note
    assert "synapse.levels = 4" in note
    simulate(pooled, "surrogate", out, changes=changes, resume=True)
    with pytest.raises(StoreError, match="synapse.levels"):
        simulate(pooled, "surrogate", out, changes={**changes, "synapse.levels": 5}, resume=True)
    with pytest.raises(StoreError, match="synapse.levels"):
        simulate(pooled, "surrogate", out, resume=True)


def test_wires_changed_twice(pooled: str) -> None:
    for name in ("array.wire_resistance_row", "array.wire_resistance_col"):
        with pytest.raises(ConfigError, match=f"{name} and wire_resistance are both given"):
            Setting(network=pooled, changes={name: 2.0}, wire_resistance=2.0).request()


def test_negative_wire_resistance(pooled: str) -> None:
    with pytest.raises(ConfigError, match="wire_resistance_row"):
        simulate(pooled, "surrogate", wire_resistance=-1.0)


@pytest.mark.ngspice
def test_strongly_coupled_columns_are_not_reduced(pooled: str) -> None:
    layer = Setting(network=pooled, cycles=1).request().mapped.layers[0]
    weak = [  # poor virtual grounds, and rows that nothing holds
        changed(changed(circuit, "sense", gain=10.0), "array", driver_resistance=1e5)
        for circuit in layer.circuits
    ]
    loose = replace(layer, circuits=tuple(weak))
    window = Window("dense1", 0, 0)
    reduced = Reduced(ngspice())
    job = window_jobs(loose, window, np.ones((1, 16)), reduced, seed=0)[0]
    with pytest.raises(ConfigError, match="use --fidelity full"):
        reduced.run(job)


def test_missing_engine(pooled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EngineNotFound):
        simulate(pooled, "reduced")


def test_images_of_no_data_set(tmp_path: Path) -> None:
    architecture = Architecture("odd", (1, 4, 4), (Dense(2), Dense(2)))
    layers = tuple(
        WeightLayer(np.zeros(shape), np.zeros(shape[0]), 1.0)
        for shape in weight_shapes(architecture)
    )
    path = tmp_path / "odd.h5"
    save_network(Network(architecture, layers, {}), path, LEVELS)
    with pytest.raises(ConfigError, match="1x4x4"):
        Setting(network=str(path)).request()
