"""Images: CIFAR-10, scikit-learn's digits, and anyone's own from files, folders and arrays."""

from __future__ import annotations

from memspice.datasets.cifar10 import load_cifar10 as load_cifar10
from memspice.datasets.digits import digits_split as digits_split
from memspice.datasets.digits import load_digits as load_digits
from memspice.datasets.images import Images as Images
from memspice.datasets.images import Shape as Shape
from memspice.datasets.loading import DATA_SETS as DATA_SETS
from memspice.datasets.loading import load_images as load_images
