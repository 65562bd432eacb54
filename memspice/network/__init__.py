"""Networks as data, their mapping to tiles, and the NumPy inference loop."""
