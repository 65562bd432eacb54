"""Images of anyone's own: arrays, files, folders, and what is refused of them."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from memspice.datasets import Images, load_images
from memspice.errors import ConfigError, DataError, MemspiceError, ShapeError

X = np.arange(6 * 48, dtype=np.uint8).reshape(6, 3, 4, 4)
Y = np.array([0, 1, 2, 2, 1, 0])


def test_bytes_and_floats_are_the_same_images() -> None:
    of_bytes, of_floats = Images(X, Y), Images(X / np.float32(255), Y)
    assert of_bytes.x.dtype == np.float32
    np.testing.assert_array_equal(of_bytes.x, of_floats.x)
    assert of_bytes.origin == of_floats.origin != Images(255 - X, Y).origin


def test_some_of_the_images_keep_their_labels_and_their_origin() -> None:
    images = Images(X, Y, name="mine")
    for chosen in (slice(2), np.array([4, 1]), Y == 2):
        some = images[chosen]
        np.testing.assert_array_equal(some.x, images.x[chosen])
        np.testing.assert_array_equal(some.labels, Y[chosen])
        assert (some.name, some.origin, some.class_names) == (
            "mine",
            images.origin,
            ("0", "1", "2"),
        )
    assert len(images[-1:]) == 1
    assert Images(X)[:2].y is None


def test_repr_is_short() -> None:
    assert repr(Images(X, Y)) == "Images: 6 of 3x4x4, 3 classes\n  given as arrays"
    assert repr(Images(X, name="mine")).startswith("Images mine: 6 of 3x4x4, no labels")


def test_labels_that_are_not_known_are_not_made_up() -> None:
    with pytest.raises(DataError, match="images has no labels"):
        _ = Images(X).labels


@pytest.mark.parametrize(
    ("chosen", "words"),
    [(3, r"images\[3\] must be a slice"), ([0, 1], "must be a slice"), (slice(9, 12), "is empty")],
)
def test_wrong_choice_is_refused(chosen: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Images(X)[chosen]


WRONG: list[tuple[Any, Any, type[MemspiceError], str]] = [
    (X[:, 0], None, ShapeError, r"x has shape \(6, 4, 4\)"),
    (X[:0], None, DataError, r"x of shape \(0, 3, 4, 4\) holds no pixel"),
    (X.astype(int), None, DataError, "x is int64; give uint8, or floats"),
    (X > 3, None, DataError, "x is bool"),
    (X.astype(float), None, DataError, r"x from 0 to 255, first in image 0, must lie in \[0, 1\]"),
    (X / -255.0, None, DataError, r"x from -1 to 0, first in image 0, must lie"),
    (np.where(X == 99, np.nan, 0.5), None, DataError, "x from nan to nan, first in image 2"),
    (np.where(X == 99, np.inf, 0.5), None, DataError, "x from 0.5 to inf, first in image 2"),
    (X, Y[:5], ShapeError, r"y has shape \(5,\) and must be \(6,\)"),
    (X, np.eye(6, dtype=int), ShapeError, r"y has shape \(6, 6\) and must be \(6,\)"),
    (X, Y.astype(float), DataError, "y is float64; give whole numbers"),
    (X, Y == 1, DataError, "y is bool"),
    (X, Y - 1, DataError, "label -1 of image 0 is below 0"),
]


@pytest.mark.parametrize(("x", "y", "error", "words"), WRONG)
def test_wrong_arrays_are_refused(x: Any, y: Any, error: type[MemspiceError], words: str) -> None:
    with pytest.raises(error, match=f"mine: {words}"):
        Images(x, y, name="mine")


@pytest.mark.parametrize(("x", "y", "error", "words"), WRONG)
def test_wrong_arrays_of_a_file_are_refused_with_its_name(
    x: Any, y: Any, error: type[MemspiceError], words: str, tmp_path: Path
) -> None:
    path = tmp_path / "own.npz"
    np.savez(path, x=x, **({} if y is None else {"y": y}))
    with pytest.raises(error, match=rf"own\.npz: {words}"):
        load_images(path)


def test_label_without_a_class_is_refused() -> None:
    with pytest.raises(DataError, match="label 2 of image 2 is outside 0 to 1, the 2 classes"):
        Images(X, Y, class_names=("cat", "dog"))
    with pytest.raises(DataError, match="label 2 of image 2 has no output of the network"):
        Images(X, Y).check_classes(2, "the network")


@pytest.mark.parametrize("labelled", [True, False])
def test_a_file_holds_images(labelled: bool, tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    np.savez_compressed(path, x=X, **({"y": Y} if labelled else {}))
    found = load_images(path)
    np.testing.assert_array_equal(found.x, Images(X).x)
    assert (found.y is not None) == labelled
    assert (found.name, found.source) == (str(path), f"the file {path}")
    few = load_images(str(path), limit=2)
    assert (len(few), few.origin) == (2, found.origin)


def test_both_layouts_are_read_alike(tmp_path: Path) -> None:
    np.savez(tmp_path / "last.npz", x=X.transpose(0, 2, 3, 1))
    np.savez(tmp_path / "first.npz", x=X)
    last, first = (load_images(tmp_path / f"{name}.npz") for name in ("last", "first"))
    np.testing.assert_array_equal(last.x, first.x)
    assert last.origin == first.origin


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_layout_that_cannot_be_told_is_asked_for(layout: str, tmp_path: Path) -> None:
    cube = np.arange(2 * 27, dtype=np.uint8).reshape(2, 3, 3, 3)
    path = tmp_path / "cube.npz"
    np.savez(path, x=cube)
    with pytest.raises(ShapeError, match=r"cube\.npz: x of shape .* save layout='nchw' or"):
        load_images(path)
    np.savez(path, x=cube, layout=layout)
    expected = cube if layout == "nchw" else cube.transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(load_images(path).x, Images(expected).x)
    np.savez(path, x=cube, layout="hwcn")
    with pytest.raises(DataError, match="layout = 'hwcn' must be 'nchw' or 'nhwc'"):
        load_images(path)


def test_what_takes_the_images_tells_the_layout(tmp_path: Path) -> None:
    path = tmp_path / "wide.npz"
    np.savez(path, x=np.zeros((2, 5, 5, 8), np.uint8))
    assert load_images(path, fits=lambda shape: shape == (8, 5, 5)).shape == (8, 5, 5)
    assert load_images(path, fits=lambda shape: shape == (5, 5, 8)).shape == (5, 5, 8)
    with pytest.raises(ShapeError, match="save layout="):
        load_images(path)


def damaged(path: Path, content: str) -> None:
    """Write a file that is no archive of images."""
    if content == "cut":
        np.savez(path, x=X)
        path.write_bytes(path.read_bytes()[:-60])
    elif content == "flipped":
        np.savez_compressed(path, x=X)
        raw = bytearray(path.read_bytes())
        raw[60] ^= 0xFF
        path.write_bytes(raw)
    elif content == "pickle":
        np.savez(path, x=np.array([{"a": 1}], object))
    elif content == "npy":
        with path.open("wb") as file:
            np.save(file, X)
    elif content == "zip of text":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.npy", "no array")
    else:
        path.write_bytes(content.encode())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is no .npz file"),
        ("text", "is no .npz file"),
        ("cut", "is no .npz file"),
        ("npy", "is no .npz file"),
        ("flipped", "cannot be used"),
        ("zip of text", "x is no array of NumPy"),
        ("pickle", "holds Python objects, which are not read"),
    ],
)
def test_damaged_file_is_named(content: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    damaged(path, content)
    with pytest.raises(MemspiceError, match=words) as caught:
        load_images(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("names", [("images",), ("X", "y"), ("x", "labels"), ()])
def test_other_arrays_are_not_ignored(names: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    np.savez(path, **dict.fromkeys(names, X))
    with pytest.raises(DataError, match=r"own\.npz holds .*; expected x, of shape"):
        load_images(path)


def test_file_that_would_fill_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own.npz"
    np.savez_compressed(path, x=X)
    monkeypatch.setattr("memspice.datasets.archive.LARGEST", 100)
    with pytest.raises(DataError, match="unpacks to 416 bytes, more than 100"):
        load_images(path)


@pytest.mark.parametrize("name", ["none.npz", "none", "digit"])
def test_missing_data_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{name} does not exist"):
        load_images(tmp_path / name)


def test_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("1,2")
    with pytest.raises(DataError, match=r"x\.csv cannot be used: name digits, cifar10, an \.npz"):
        load_images(tmp_path / "x.csv")


def test_split_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="split = 'valid' must be"):
        load_images("digits", "valid")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of three pictures, coloured by class and number."""
    for label, name in enumerate(("cat", "dog")):
        (tmp_path / "own" / name).mkdir(parents=True)
        for number in range(3):
            image = Image.new("RGB", (5, 4), (label, number, 255))
            image.save(tmp_path / "own" / name / f"{number}.png")
    return tmp_path / "own"


def test_a_folder_holds_a_folder_for_each_class(folder: Path) -> None:
    found = load_images(folder)
    assert found.shape == (3, 4, 5)
    assert found.class_names == ("cat", "dog")
    np.testing.assert_array_equal(found.labels, np.rint(255 * found.x[:, 0, 0, 0]))
    # One of each class, then another: a limit leaves no class out.
    assert found.labels.tolist() == [0, 1] * 3
    assert np.rint(255 * found.x[:, 1, 0, 0]).tolist() == [0, 0, 1, 1, 2, 2]
    few = load_images(folder, limit=3)
    assert (few.labels.tolist(), few.origin) == ([0, 1, 0], found.origin)
    (folder / ".thumbnails").touch()
    assert load_images(folder).origin == found.origin


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("1", 1), ("RGB", 3), ("P", 3)])
def test_grey_and_colour_pictures_are_read(mode: str, channels: int, tmp_path: Path) -> None:
    (tmp_path / "own" / "all").mkdir(parents=True)
    Image.new("RGB", (5, 4), (255, 255, 255)).convert(mode).save(tmp_path / "own/all/a.png")
    found = load_images(tmp_path / "own")
    assert found.shape == (channels, 4, 5)
    assert (found.x == 1).all()


def spoil(folder: Path, how: str) -> Path:
    """Put something into the folder that does not belong there; return what is named for it."""
    path = folder / "dog" / "9.png"
    if how == "empty class":
        path = folder / "bird"
        path.mkdir()
    elif how == "stray file":
        path = folder / "labels.txt"
        path.touch()
    elif how == "text":
        path = path.with_suffix(".txt")
        path.touch()
    elif how == "no image":
        path.write_text("nothing")
    elif how == "cut":
        path.write_bytes((folder / "dog" / "0.png").read_bytes()[:-30])
    elif how == "larger":
        Image.new("RGB", (5, 5)).save(path)
    elif how == "two frames":
        path = path.with_suffix(".gif")
        frames = [Image.new("L", (5, 4), grey) for grey in (0, 99)]
        frames[0].save(path, save_all=True, append_images=frames[1:])
    else:
        Image.new(how, (5, 4)).save(path)
    return path


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("empty class", "holds no image: remove the folder"),
        ("stray file", "must hold a folder of images for each class, but there is the file"),
        ("text", "is no image: the folder of a class holds files of .bmp"),
        ("no image", "is no image that Pillow can read"),
        ("cut", "is damaged"),
        ("larger", "has 5 x 5 pixels of 3 channels, but .*0.png has 4 x 5"),
        ("L", "has 4 x 5 pixels of 1 channel, but .*0.png has 4 x 5 pixels of 3 channels"),
        ("two frames", "holds 2 pictures"),
        ("RGBA", "has the mode RGBA: save it as grey or RGB"),
        ("I;16", "has the mode I;16"),
    ],
)
def test_what_is_no_image_of_the_set_is_named(how: str, words: str, folder: Path) -> None:
    path = spoil(folder, how)
    with pytest.raises(DataError, match=words) as caught:
        load_images(folder)
    assert path.name in str(caught.value)


def test_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="for each class, but is empty"):
        load_images(tmp_path)
