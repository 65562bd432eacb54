"""Device-aware training with PyTorch (optional extra; never imported by the rest)."""
