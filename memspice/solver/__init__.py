"""Exact linear algebra of wired arrays: elimination, reduction, updates, nonlinear cells."""
