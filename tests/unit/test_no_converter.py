"""Answers of latches with offsets: limits, and a case by hand."""

from __future__ import annotations

import numpy as np

from benchmarks.no_converter import answers


def test_latches_without_offset_find_the_highest() -> None:
    drives = np.random.default_rng(3).normal(size=(50, 10))
    np.testing.assert_array_equal(answers(drives, np.zeros((10, 10))), drives.argmax(axis=1))


def test_an_offset_turns_only_what_is_nearer() -> None:
    drives = np.array([[0.5, 0.496, 0.4], [0.5, 0.49, 0.4]])
    offsets = np.zeros((3, 3))
    offsets[0, 1], offsets[1, 0] = -5e-3, 5e-3
    np.testing.assert_array_equal(answers(drives, offsets), [1, 0])
    # a circle: each loses to the next
    offsets = 0.2 * np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    np.testing.assert_array_equal(answers(drives, offsets), [-1, -1])
