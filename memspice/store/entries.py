"""A job's record as an entry of the cache of results, and back, to the bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from memspice.errors import StoreError
from memspice.jobs import Entry
from memspice.store.records import Column, JobRecord, checked


class RecordCodec:
    """Keeps records in the cache; see `memspice.jobs.simulation.Codec`."""

    def pack(self, record: JobRecord) -> Entry:
        """Content of a record."""
        facts = {
            "key": record.key,
            "name": record.name,
            "attributes": dict(record.attributes),
            "netlist": record.netlist,
            "log": record.log,
            "energy": dict(record.energy),
            "signals": {name: unit for name, (_, unit) in record.signals.items()},
            "events": {name: unit for name, (_, unit) in record.events.items()},
        }
        arrays = {"time": record.time}
        for kind, columns in (("signals", record.signals), ("events", record.events)):
            arrays |= {f"{kind}/{name}": values for name, (values, _) in columns.items()}
        return Entry(facts, arrays)

    def unpack(self, entry: Entry) -> JobRecord:
        """Record from its content.

        Raises
        ------
        StoreError
            If it is no record.
        """
        try:
            return checked(_record(entry))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise StoreError(f"the entry is no record of a job: {error}") from error


def _record(entry: Entry) -> JobRecord:
    facts = entry.facts
    return JobRecord(
        key=facts["key"],
        name=facts["name"],
        attributes=facts["attributes"],
        netlist=facts["netlist"],
        log=facts["log"],
        time=entry.arrays["time"],
        signals=_columns(entry, facts["signals"], "signals"),
        events=_columns(entry, facts["events"], "events"),
        energy=facts["energy"],
    )


def _columns(entry: Entry, units: Mapping[str, Any], kind: str) -> dict[str, Column]:
    return {name: (entry.arrays[f"{kind}/{name}"], unit) for name, unit in units.items()}
