"""Device physics: NumPy only, no netlist text, no files."""
