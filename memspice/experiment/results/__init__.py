"""One family of frozen results, in SI units: tables, JSON, pandas and files know them."""
