"""The HDF5 store: one file a run, safe against a kill at any moment.

`RunWriter` writes it, `read_run` reads it; `schema.py` alone knows how it is laid out.
"""

from memspice.store.entries import RecordCodec as RecordCodec
from memspice.store.exchange import check_format as check_format
from memspice.store.exchange import csv_text as csv_text
from memspice.store.exchange import export_jobs as export_jobs
from memspice.store.phases import PhaseSpan as PhaseSpan
from memspice.store.phases import phases_of as phases_of
from memspice.store.reader import RunFile as RunFile
from memspice.store.reader import read_run as read_run
from memspice.store.records import FAILED as FAILED
from memspice.store.records import Column as Column
from memspice.store.records import JobInfo as JobInfo
from memspice.store.records import JobRecord as JobRecord
from memspice.store.records import Provenance as Provenance
from memspice.store.records import Scalar as Scalar
from memspice.store.records import installed_versions as installed_versions
from memspice.store.writer import RunWriter as RunWriter
from memspice.store.writer import Status as Status
from memspice.store.writer import open_store as open_store
from memspice.store.writer import place_notes as place_notes
