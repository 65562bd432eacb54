"""Batches of images of the network loop as jobs of a stored run, and back, to the bit."""

from __future__ import annotations

import numpy as np

from memspice.network.inference import BatchResult, cycle_counts
from memspice.store import JobRecord, Provenance, RunWriter
from memspice.store.records import sha256


def stored_batches(writer: RunWriter) -> dict[int, BatchResult]:
    """Batches that a run has finished, by the number of their first image."""
    records = (writer.stored(key) for key in writer.finished)
    batches = [_batch(record) for record in records if record is not None]
    return {batch.first: batch for batch in batches}


def batch_record(batch: BatchResult, cycles: int, burst: int, provenance: Provenance) -> JobRecord:
    """Record of a batch: one row for each image, number of cycles and class.

    Parameters
    ----------
    batch : BatchResult
    cycles, burst : int
        Cycles of the run, and of a burst.
    provenance : Provenance
        Of the run; with the images it is all that decides the result.
    """
    counts = cycle_counts(cycles, burst)
    _, images, classes = batch.scores.shape
    last = batch.first + images - 1
    grid = np.meshgrid(counts, np.arange(batch.first, last + 1), np.arange(classes), indexing="ij")
    names = ("cycles", "image", "class")
    columns = {name: (axis.ravel(), "1") for name, axis in zip(names, grid, strict=True)}
    columns["score"] = (batch.scores.ravel(), "1")
    for layer, spikes in batch.spikes.items():
        column = np.broadcast_to(spikes[None, :, None], batch.scores.shape)
        columns[f"spikes.{layer}"] = (column.ravel(), "1")
    return JobRecord(
        key=sha256(f"{provenance.config_sha256} images {batch.first} to {last}"),
        name=f"loop/images{batch.first:06d}_{last:06d}",
        attributes={"first_image": batch.first, "images": images, "classes": classes},
        events=columns,
    )


def _batch(record: JobRecord) -> BatchResult:
    images, classes = (int(record.attributes[name]) for name in ("images", "classes"))
    shape = (-1, images, classes)
    spikes = {
        name.removeprefix("spikes."): values.reshape(shape)[0, :, 0]
        for name, (values, _) in record.events.items()
        if name.startswith("spikes.")
    }
    scores = record.events["score"][0].reshape(shape)
    return BatchResult(int(record.attributes["first_image"]), scores, spikes)
