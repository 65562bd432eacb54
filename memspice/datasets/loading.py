"""Images by what a user names: a data set, a file or a folder."""

from __future__ import annotations

from pathlib import Path

from memspice.datasets.archive import Fits, load_archive
from memspice.datasets.cifar10 import find_binaries, load_cifar10
from memspice.datasets.digits import load_digits
from memspice.datasets.images import Images, check_request
from memspice.datasets.pictures import load_folder
from memspice.errors import DataError
from memspice.outputs import printable

#: Data sets that have a name, each with a fixed split into training and test images.
NAMED = {"digits": load_digits, "cifar10": lambda split, limit: load_cifar10(None, split, limit)}

#: The data set of a shape (channels, height, width).
DATA_SETS = {(1, 8, 8): "digits", (3, 32, 32): "cifar10"}


def load_images(
    source: str | Path,
    split: str = "test",
    limit: int | None = None,
    *,
    fits: Fits = lambda _: True,
) -> Images:
    """Load images by the name of a data set, a file or a folder.

    Parameters
    ----------
    source : str or Path
        ``"digits"``, scikit-learn's 1,797 (see `digits_split`); ``"cifar10"``, from where
        `load_cifar10` finds it; an ``.npz`` file (see `memspice.datasets.archive.load_archive`); a
        folder with CIFAR-10's binary files; or a folder with a folder of images for each class
        (see `memspice.datasets.pictures.load_folder`).  A file or folder that bears the name of a
        data set is meant by ``"./digits"``.
    split : str
        ``"train"`` or ``"test"``, of a data set that has both.  A file and a folder of images are
        taken whole: keep training and test images in two of them.
    limit : int, optional
        Take at most this many, the first ones; of a folder, of all its classes in turn.
    fits : callable, optional
        Whether images of a shape (channels, height, width) can be used; it tells the layouts of a
        file apart and refuses nothing.

    Returns
    -------
    Images

    Raises
    ------
    ConfigError
        If ``split`` or ``limit`` is none.
    DataError
        If there is no such thing, or it cannot be used.

    Examples
    --------
    >>> load_images("digits", "test")[:20]
    Images digits: 20 of 1x8x8, 10 classes
      scikit-learn's digits, fixed test split
    """
    check_request(split, limit)
    if str(source) in NAMED:
        return NAMED[str(source)](split, limit)
    path = Path(source)
    if path.is_dir():
        if find_binaries(path):
            return load_cifar10(path, split, limit)
        return load_folder(path, limit)
    if path.suffix.lower() == ".npz":
        return load_archive(path, limit, fits)
    wrong = "cannot be used" if path.exists() else "does not exist"
    raise DataError(
        f"data {printable(str(source))} {wrong}: name {', '.join(NAMED)}, an .npz file, a folder "
        "of CIFAR-10's binary files, or a folder with a folder of images for each class"
    )
