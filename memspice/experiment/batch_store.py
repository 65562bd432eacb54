"""Batches of images of the network loop as jobs of a stored run, and back, to the bit."""

from __future__ import annotations

import numpy as np

from memspice.network.batch import BatchResult, cycle_counts
from memspice.store import JobRecord, Provenance, RunWriter
from memspice.store.records import sha256


def stored_batches(writer: RunWriter) -> dict[int, dict[int, BatchResult]]:
    """Batches that a run has finished, by the number of their chip and of their first image."""
    found: dict[int, dict[int, BatchResult]] = {}
    for record in writer.stored(writer.finished).values():
        batch = _batch(record)
        found.setdefault(int(record.attributes["chip"]), {})[batch.first] = batch
    return found


def batch_record(
    batch: BatchResult, cycles: int, burst: int, provenance: Provenance, chip: int
) -> JobRecord:
    """Record of a batch: one row for each image, number of cycles and class.

    Parameters
    ----------
    batch : BatchResult
    cycles, burst : int
        Cycles of the run, and of a burst.
    provenance : Provenance
        Of the run; with chip and images it is all that decides the result.
    chip : int
        Number of the chip in its run.
    """
    counts = cycle_counts(cycles, burst)
    _, images, classes = batch.scores.shape
    last = batch.first + images - 1
    grid = np.meshgrid(counts, np.arange(batch.first, last + 1), np.arange(classes), indexing="ij")
    names = ("cycles", "image", "class")
    columns = {name: (axis.ravel(), "1") for name, axis in zip(names, grid, strict=True)}
    columns["score"] = (batch.scores.ravel(), "1")
    counted = {f"spikes.{layer}": spikes for layer, spikes in batch.spikes.items()}
    for name, values in {"ended": batch.ended, **counted}.items():
        column = np.broadcast_to(values[None, :, None], batch.scores.shape)
        columns[name] = (column.ravel(), "1")
    return JobRecord(
        key=sha256(f"{provenance.config_sha256} chip {chip} images {batch.first} to {last}"),
        name=f"loop/chip{chip:04d}_images{batch.first:06d}_{last:06d}",
        attributes={
            "chip": chip,
            "first_image": batch.first,
            "images": images,
            "classes": classes,
        },  # fmt: skip
        events=columns,
    )


def _batch(record: JobRecord) -> BatchResult:
    images, classes = (int(record.attributes[name]) for name in ("images", "classes"))
    shape = (-1, images, classes)
    events = {name: values.reshape(shape) for name, (values, _) in record.events.items()}
    spikes = {
        name.removeprefix("spikes."): values[0, :, 0]
        for name, values in events.items()
        if name.startswith("spikes.")
    }
    first, ended = int(record.attributes["first_image"]), events["ended"][0, :, 0]
    return BatchResult(first, events["score"], ended, spikes, {})
