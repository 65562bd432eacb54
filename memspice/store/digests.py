"""Checksums of what a run's file says: nothing that is printed of it lies outside of them.

Not of the file's bytes: viewers and copies may lay them out anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memspice.store.records import Provenance


@dataclass(frozen=True)
class ColumnHead:
    """Name, unit, type, length and checksum of a column, without its values."""

    name: str
    unit: str
    kind: str
    length: int
    digest: str


def column_digest(values: NDArray[Any]) -> str:
    """SHA-256 of a column's values."""
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()


def column_head(name: str, unit: str, values: NDArray[Any]) -> ColumnHead:
    """Head of a column."""
    return ColumnHead(name, unit, values.dtype.name, len(values), column_digest(values))


def job_digest(
    key: str,
    attributes: Mapping[str, Any],
    energy: Mapping[str, float],
    texts: Mapping[str, str],
    columns: Mapping[str, Sequence[ColumnHead]],
) -> str:
    """SHA-256 of a job; ``texts`` and ``columns`` stand by their own.

    Parameters
    ----------
    key : str
        The job's key.
    attributes, energy : mapping
        As in its record, in any order.
    texts : mapping
        SHA-256 of ``netlist`` and ``log``, where there is one.
    columns : mapping
        Heads of the ``waveforms``, time first, and of the ``events``, in their order.
    """
    heads = {kind: [astuple(head) for head in found] for kind, found in columns.items() if found}
    return _digest([key, _plain(attributes), dict(energy), dict(texts), heads])


def provenance_digest(provenance: Provenance, summary: str, ended: str) -> str:
    """SHA-256 of how a run was made and what it found."""
    facts = {"seed": provenance.seed, "command": provenance.command, "ended": ended}
    facts |= {"started": provenance.started, "config": provenance.config, "summary": summary}
    return _digest([facts, dict(provenance.engine), dict(provenance.versions)])


def root_digest(root: Iterable[Any], provenance: str, jobs: Mapping[str, str]) -> str:
    """SHA-256 of a file: its root's facts, and the checksums of what lies in it."""
    return _digest([list(root), provenance, dict(jobs)])


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v.item() if isinstance(v, np.generic) else v for k, v in facts.items()}


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
