"""One window of a layer through an engine: request, job, record, outcome."""
