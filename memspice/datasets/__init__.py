"""Labelled images: CIFAR-10 and scikit-learn's digits."""

from __future__ import annotations

from memspice.datasets.cifar10 import load_cifar10 as load_cifar10
from memspice.datasets.dataset import Dataset as Dataset
from memspice.datasets.digits import load_digits as load_digits
