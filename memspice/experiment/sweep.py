"""One experiment at many points: what is varied, simulated point by point into one table."""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from memspice.datasets import Images
from memspice.engines.base import Cancelled, Engine
from memspice.errors import ConfigError, EngineNotFound, MemspiceError
from memspice.experiment.chip import Chip
from memspice.experiment.device import Device
from memspice.experiment.request import engine_record
from memspice.experiment.results.chip import ChipResult
from memspice.experiment.results.layer import LayerResult
from memspice.experiment.results.run import DataFacts, FailedJob, JobCounts
from memspice.experiment.results.sweep import SweepResult
from memspice.experiment.run_options import RunOptions
from memspice.experiment.sweep_points import RUN_NAMES, Point, PointSetting, Value, Vary, points_of
from memspice.jobs import content_hash, open_scheduler, run_jobs
from memspice.network.weights import Network
from memspice.store import JobRecord, Provenance, RunWriter
from memspice.store.records import FAILED
from memspice.windows.fidelities import open_fidelity
from memspice.windows.fidelity import Fidelity
from memspice.windows.progress import counted

#: Chips that are kept for the points to come.
_CHIPS = 4
#: Images of which a network's energy is sampled, where it is not simulated.
_ENERGY_IMAGES = 4


def sweep(
    vary: Vary,
    *,
    layer: str | None = None,
    network: Network | str = "digits-mlp",
    device: Device | str = "fast-memristor",
    periphery: str | None = None,
    data: Images | Path | str | None = None,
    images: int = 1,
    tile: tuple[int, int] | str = (128, 128),
    seed: int = 0,
    flaws: bool = False,
    changes: Mapping[str, Value] = MappingProxyType({}),
    cycles: int = 8,
    burst: int | None = None,
    positions: int = 1,
    fidelity: Fidelity | str | None = None,
    engine: Engine | str | None = None,
    options: RunOptions = RunOptions(),  # noqa: B008 - frozen
) -> SweepResult:
    """Simulate a layer, or a network, at every point of a grid or a list.

    Each point is what a run of its own would be: the same numbers, to the bit.  One that cannot be
    simulated is a row with its reason.

    Parameters
    ----------
    vary : mapping of str to sequence, sequence of mapping, or Path
        Values by name, of which every combination is a point; or the points one by one, also as a
        CSV file with a column for each name.  Names are those of the other parameters here, or any
        that `Device.change` takes.
    layer : str, optional
        Layer of which windows are simulated; without, the whole network classifies the images.
    network, device, data, tile, seed, flaws, cycles, burst, positions, engine
        What does not vary; see `Chip` and `Layer.simulate`.
    periphery : str, optional
        Of devices that a name stands for; see `load_device`.
    images : int
        How many.
    changes : mapping
        Values of every device, by the names that `Device.change` takes.
    fidelity : Surrogate, Reduced, Full or str, optional
        By default ``reduced`` of a layer, ``surrogate`` of a network.
    options : RunOptions
        How it is carried out, where it is stored, who is told; a run that was stopped goes on with
        the points it lacks.

    Raises
    ------
    ConfigError
        If a name is unknown, or no point makes sense.
    EngineNotFound
        If no engine that is asked for is installed.
    MemspiceError
        What the first point met, where not one could be simulated.
    StoreError
        If the run file cannot be written, or is that of another sweep.
    """
    started = time.monotonic()
    base = PointSetting(
        network=network, device=device, periphery=periphery, tile=tile, seed=seed, flaws=flaws,
        data=data, images=images, changes=changes,
        layer=layer, cycles=cycles, burst=burst, positions=positions, engine=engine,
        fidelity=fidelity or ("surrogate" if layer is None else "reduced"),
    )  # fmt: skip
    points = points_of(vary)
    run = _SweepRun(points, [base.at(point) for point in points], options)
    made = run.provenance(base)
    with open_scheduler(options.execution.scheduler), options.store(made) as writer:
        records = run.records(made, writer)
        rows = [run.row(number, record) for number, record in enumerate(records)]
        failures = tuple(
            FailedJob(f"point {row['point']}", row["reason"], 1) for row in rows if row["reason"]
        )
        result = SweepResult(
            network=_name(base.network),
            device=_name(base.device),
            dataset=DataFacts.of(run.images),
            fidelity=_name(base.fidelity),
            engine=made.engine,
            seed=seed,
            cycles=cycles,
            burst=base.usual_burst,
            notes=options.notes,
            jobs=JobCounts(len(rows), len(rows) - run.known, run.known, len(failures), 0),
            failures=failures,
            doubts=(),
            wall_seconds=time.monotonic() - started,
            out=None,
            records=tuple(records),
            provenance=made,
            layer=layer,
            axes=tuple(points[0]),
            rows=tuple(rows),
        )
        return result.stored(writer)


class _SweepRun:
    """Points of a sweep, and what becomes of them."""

    def __init__(
        self, points: Sequence[Point], settings: Sequence[PointSetting], options: RunOptions
    ) -> None:
        self._points, self._settings, self._options = points, settings, options
        self._chips = _ChipShelf(cache=options.execution.cache)
        self._errors: dict[int, MemspiceError] = {}
        self.known = 0
        _check_names(settings[0])
        _check_engines(settings)
        self.images, self._checksums = _contents(settings)

    def provenance(self, base: PointSetting) -> Provenance:
        """What decides every number: what is asked for, and the content of what names stand for."""
        asked = {name: getattr(base, name) for name in sorted(RUN_NAMES)}
        config = {"sweep": asked, "points": self._points, "checksums": self._checksums}
        engine = open_fidelity(self._settings[0].fidelity, self._settings[0].engine).engine
        return Provenance(
            config=json.dumps(config, sort_keys=True, default=_name, indent=1),
            seed=base.seed,
            engine=engine_record(engine),
            command=self._options.command,
        )

    def records(self, made: Provenance, writer: RunWriter | None) -> list[JobRecord]:
        """Records of all points in their order, those of an earlier run as they were.

        Raises
        ------
        MemspiceError
            The first error, if there is nothing else.
        """
        keys = [content_hash(made.config_sha256, number) for number in range(len(self._points))]
        known = {} if writer is None else writer.stored(keys)
        found = {number: known[key] for number, key in enumerate(keys) if key in known}
        self.known = len(found)
        advance = counted(self._options.progress, "points", len(keys))
        advance(self.known)
        missing = [number for number in range(len(keys)) if number not in found]

        def keep(_: int, record: JobRecord) -> None:
            if writer is not None:
                writer.add(record)
            advance(1)

        with open_scheduler(self._options.execution.scheduler) as scheduler:
            made_now = run_jobs(
                lambda number, cancel: self._record(number, keys[number], cancel),
                missing,
                workers=self._options.execution.workers or scheduler.workers,
                on_done=keep,
            )
        found |= dict(zip(missing, made_now, strict=True))
        if len(self._errors) == len(keys):
            error = self._errors[0]
            error.add_note(f"None of the {len(keys)} points could be simulated; this is the first")
            raise error
        return [found[number] for number in range(len(keys))]

    def _record(self, number: int, key: str, cancel: threading.Event) -> JobRecord:
        facts: dict[str, str | int] = {"point": number}
        try:
            facts["measures"] = json.dumps(self._measure(self._settings[number], cancel))
        except Cancelled:
            raise
        except MemspiceError as error:
            self._errors[number] = error
            facts |= {"status": FAILED, "error": _reason(error), "attempts": 1}
        return JobRecord(key=key, name=f"sweep/point{number:06d}", attributes=facts)

    def _measure(self, setting: PointSetting, cancel: threading.Event) -> Mapping[str, Value]:
        """Numbers of one point, which is carried out as a run of its own would be."""
        chip, images = self._chips.get(setting)
        execution = replace(self._options.execution, workers=1, cancel=cancel)
        given: dict[str, Any] = {
            "cycles": setting.cycles,
            "burst": setting.burst,
            "options": RunOptions(execution=execution),
        }
        fidelity = open_fidelity(setting.fidelity, setting.engine)
        result: LayerResult | ChipResult
        if setting.layer is not None:
            given |= {"positions": setting.positions, "keep": "none"}
            result = chip[setting.layer].simulate(images, fidelity=fidelity, **given)
        elif fidelity.engine is None:
            result = chip.run(images, energy_windows=_ENERGY_IMAGES, **given)
        else:
            result = chip.simulate(images, fidelity=fidelity, **given)
        result.check()
        return result.measures()

    def row(self, number: int, record: JobRecord) -> dict[str, Any]:
        """Values of a point, what was measured there, and why where nothing was."""
        facts = record.attributes
        measures = {} if record.failed else json.loads(str(facts["measures"]))
        reason = str(facts["error"]) if record.failed else ""
        return {"point": number, **self._points[number], **measures, "reason": reason}


class _ChipShelf:
    """Chips with their images; points of one chip share it."""

    def __init__(self, *, cache: bool) -> None:
        self._cache = cache
        self._lock = threading.Lock()
        self._shelf: OrderedDict[tuple[object, ...], _ShelvedChip] = OrderedDict()

    def get(self, setting: PointSetting) -> tuple[Chip, Images]:
        """Chip and images of a point; called by any thread."""
        with self._lock:
            found = self._shelf.setdefault(setting.chip_key, _ShelvedChip())
            self._shelf.move_to_end(setting.chip_key)
            while len(self._shelf) > _CHIPS:
                self._shelf.popitem(last=False)
        with found.lock:
            if found.content is None:
                chip = Chip(
                    setting.network,
                    setting.chosen_device,
                    tile=setting.sides,
                    seed=setting.seed,
                    training=setting.data,
                    cache=self._cache,
                )
                found.content = chip, setting.images_for(chip.network)
            return found.content


@dataclass(eq=False)
class _ShelvedChip:
    """A chip, once it is mapped by the first who needs it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    content: tuple[Chip, Images] | None = None


def _check_names(setting: PointSetting) -> None:
    """Refuse names that the device does not have, which no point could be simulated with."""
    device = replace(setting, changes={}).chosen_device
    for name in setting.changes:
        try:
            device.full_names(name)
        except ConfigError as error:
            error.add_note(f"What a sweep varies besides: {', '.join(sorted(RUN_NAMES))}")
            raise


def _check_engines(settings: Sequence[PointSetting]) -> None:
    """Refuse a sweep of which no engine is there."""
    errors = []
    for fidelity, engine in {(item.fidelity, item.engine) for item in settings}:
        try:
            open_fidelity(fidelity, engine)
        except EngineNotFound as error:
            errors.append(error)
        except MemspiceError:
            return  # a row with its reason
        else:
            return
    raise errors[0]


def _contents(settings: Sequence[PointSetting]) -> tuple[Images, dict[str, str]]:
    """Images of the first point that has some, and checksums of all networks, devices, images."""
    images: Images | None = None
    first: MemspiceError | None = None
    sums: dict[str, str] = {}
    for setting in {item.contents_key: item for item in settings}.values():
        try:
            network = setting.loaded_network
            found = setting.images_for(network)
            device = replace(setting, changes={}).chosen_device.parameters
        except MemspiceError as error:  # of this point, when it comes
            first = first or error
            continue
        images = images or found
        sums[_name(setting.contents_key)] = content_hash(
            *(network.architecture, network.layers, network.span, device, found.x, found.y)
        )
    if images is None:
        assert first is not None
        raise first
    return images, sums


def _reason(error: MemspiceError) -> str:
    """Why there is no number, in one line."""
    lines = [str(error), *getattr(error, "__notes__", ())]
    return " ".join(" ".join(lines).split())


def _name(value: object) -> str:
    """Name of what a sweep was given in the place of one."""
    return str(getattr(value, "name", value))
