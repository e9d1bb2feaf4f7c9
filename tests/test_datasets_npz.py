"""The .npz reader: every layout it takes, and a file for every fault."""

import pickle
import re

import numpy as np
import pytest

from raygrid.datasets import FromPath
from raygrid.datasets.npz import LAYOUTS
from raygrid.errors import DataError

GREY = np.arange(4 * 2 * 2, dtype=np.uint8).reshape(4, 2, 2)
COLOUR = np.stack([GREY] * 3, -1)
SOUND = {"x_train": GREY, "y_train": np.array([7, 3, 7, 3]), "x_test": GREY[:2], "y_test": np.array([3, 7])}
CANNOT_READ = "got what numpy cannot read ({}); expected an .npz of plain arrays"
SHAPES = "expected (n, h, w), (n, h, w, c) or (n, c, h, w), with c 1, 3 or 4"


def load(path, side=2):
    return FromPath(name="toy", path=path).load(side, "nearest")


def saved(path, **changes):
    np.savez(path, **SOUND | changes)
    return path


def parts(images) -> dict[str, list[int]]:
    return {part: index.tolist() for part, index in images.parts.items()}


def test_labels_become_places_in_the_sorted_values(tmp_path):
    images = load(saved(tmp_path / "toy.npz"))
    assert images.class_names == ("3", "7")
    assert images.y.tolist() == [1, 0, 1, 0, 0, 1]
    assert parts(images) == {"train": [0, 1, 2, 3], "test": [4, 5]}
    assert (images.X[..., 2] == np.concatenate([GREY, GREY[:2]])).all()
    assert images.notes == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"x_train": GREY[..., None], "x_test": GREY[:2, ..., None]},
        {"x_train": COLOUR, "x_test": COLOUR[:2]},
        {"x_train": COLOUR},
        {"x_train": np.concatenate([COLOUR, COLOUR[..., :1] * 0], -1)},
        {"y_train": SOUND["y_train"][:, None], "y_test": SOUND["y_test"][:, None]},
        {"y_train": SOUND["y_train"].astype(np.uint8)},
        {"y_train": SOUND["y_train"].astype(np.uint64)},
        {"y_train": SOUND["y_train"].astype(np.float32)},
        {"y_train": SOUND["y_train"].astype(str), "y_test": SOUND["y_test"].astype(str)},
        {"y_train": SOUND["y_train"].astype(bytes), "y_test": SOUND["y_test"].astype(bytes)},
        {"y_train": np.eye(8)[SOUND["y_train"]], "y_test": np.eye(8, dtype=bool)[SOUND["y_test"]]},
    ],
)
def test_every_form_gives_the_same(changes, tmp_path):
    expected, images = load(saved(tmp_path / "a.npz")), load(saved(tmp_path / "b.npz", **changes))
    assert (images.X == expected.X).all()
    assert (images.y == expected.y).all()
    assert images.class_names == ("3", "7")


def test_classes_of_numbers_are_sorted_as_numbers(tmp_path):
    images = load(saved(tmp_path / "toy.npz", y_train=np.array([10, 9, -1, 9]), y_test=np.array([10, 9], np.uint64)))
    assert images.class_names == ("-1", "9", "10")


@pytest.mark.parametrize(
    ("X", "note"),
    [
        (np.moveaxis(COLOUR, 3, 1), "channels first, moved to the end"),
        (GREY.astype(np.uint16) * 256 + 255, "16 bits a channel, 0 .. 65535, scaled to 0 .. 255"),
        ((GREY / 255).astype(np.float32), "numbers from 0 to 1, scaled to 0 .. 255"),
        ((GREY / 255).astype(np.float16), "numbers from 0 to 1, scaled to 0 .. 255"),
    ],
)
def test_what_was_done_to_the_images_is_said(X, note, tmp_path):
    images = load(saved(tmp_path / "toy.npz", x_train=X, x_test=X[:2]))
    assert (images.X[:4, ..., 1] == GREY).all()
    assert images.notes == (note,)


Y = SOUND["y_train"]
ALL, THREE = {"": [0, 1, 2, 3]}, {"train": [0, 1, 2, 3], "validation": [4, 5, 6, 7], "test": [8, 9, 10, 11]}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("X", "y"), {}),
        (("images", "labels"), {}),
        (("Data", "TARGET"), {}),
        (("x_train", "y_train"), {"train": [0, 1, 2, 3]}),
        (("test_images", "test_labels", "val_images", "val_labels", "train_images", "train_labels"), THREE),
        (("X_train", "Y_train", "X_valid", "Y_valid", "X_test", "Y_test"), THREE),
    ],
)
def test_arrays_are_known_by_their_usual_names(names, expected, tmp_path):
    arrays = {name: GREY if i % 2 == 0 else Y for i, name in enumerate(names)}
    np.savez(tmp_path / "toy.npz", **arrays)
    images = load(tmp_path / "toy.npz")
    assert parts(images) == expected
    assert images.notes == ()


def test_arrays_that_are_not_read_are_named(tmp_path):
    images = load(saved(tmp_path / "toy.npz", ids=np.arange(4), file_names=np.array(["a"])))
    assert images.notes == ("not read: the arrays ids, file_names",)


@pytest.mark.parametrize(
    "names",
    [
        (),
        ("arr_0", "arr_1"),
        ("X",),
        ("x_train", "y_train", "x_test"),
        ("x_train", "train_images", "y_train", "train_labels"),
        ("X", "y", "x_test", "y_test"),
    ],
)
def test_other_names_are_refused(names, tmp_path):
    path = tmp_path / "toy.npz"
    np.savez(path, **{name: Y if name[0] == "y" else GREY for name in names} or {"ids": GREY})
    with pytest.raises(DataError) as refused:
        load(path)
    assert str(refused.value) == f"toy: {path}: got the arrays {', '.join(names) or 'ids'}; expected {LAYOUTS}"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_train": GREY * 1.0}, "x_train: got float64 from 0.0 to 15.0; expected 0 to 1, or uint8, 0 to 255"),
        ({"x_train": GREY - 0.5}, "x_train: got float64 from -0.5 to 14.5; expected 0 to 1, or uint8, 0 to 255"),
        ({"x_train": GREY * np.nan}, "x_train: got float64 from nan to nan; expected 0 to 1, or uint8, 0 to 255"),
        (
            {"x_test": GREY.astype(np.int64)},
            "x_test: got int64; expected uint8, uint16, or floats from 0 to 1; convert it first",
        ),
        ({"x_train": GREY.reshape(4, 4)}, f"x_train: got shape (4, 4); {SHAPES}"),
        ({"x_test": GREY.reshape(2, 2, 2, 2)}, f"x_test: got shape (2, 2, 2, 2); {SHAPES}"),
        ({"x_train": np.empty((4, 0, 2, 3), np.uint8)}, f"x_train: got shape (4, 0, 2, 3); {SHAPES}"),
        ({"x_train": np.empty((0, 2, 2), np.uint8)}, f"x_train: got shape (0, 2, 2); {SHAPES}"),
        (
            {"y_train": np.eye(4, 2, dtype=np.uint8)},
            "y_train: got shape (4, 2), not a single 1 in each row; expected a label an image, or one-hot",
        ),
        (
            {"y_train": np.array([["a", "b"]] * 4)},
            "y_train: got shape (4, 2), not a single 1 in each row; expected a label an image, or one-hot",
        ),
        ({"y_train": np.zeros((4, 1, 1))}, "y_train: got shape (4, 1, 1); expected (n,), (n, 1), or (n, M), one-hot"),
        ({"y_test": np.array([3.5, 7])}, "y_test: got label 3.5; expected whole numbers up to 9223372036854775807"),
        ({"y_test": np.array([np.nan, 7])}, "y_test: got label nan; expected whole numbers up to 9223372036854775807"),
        (
            {"y_test": np.array([2**63, 7], np.uint64)},
            "y_test: got label 9223372036854775808; expected whole numbers up to 9223372036854775807",
        ),
        ({"y_test": np.array([3j, 7])}, "y_test: got complex128; expected whole numbers or text"),
    ],
)
def test_an_array_of_another_form_is_refused(changes, message, tmp_path):
    path = saved(tmp_path / "toy.npz", **changes)
    with pytest.raises(DataError, match=f"^{re.escape(f'toy: {path}: {message}')}$"):
        load(path)


def test_more_labels_than_images_are_refused(tmp_path):
    path = saved(tmp_path / "toy.npz", y_test=np.array([3, 7, 3]))
    with pytest.raises(DataError) as refused:
        load(path)
    assert str(refused.value) == f"toy: {path}: got 2 x_test and 3 y_test; expected a label an image"


def test_a_part_may_lack_a_class(tmp_path):
    images = load(saved(tmp_path / "toy.npz", y_test=np.array([3, 3])))
    assert images.y[images.parts["test"]].tolist() == [0, 0]


def test_a_truncated_npz_is_refused(tmp_path):
    path = saved(tmp_path / "toy.npz")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=re.escape(f"toy: {path}: got no complete .npz file; get it anew")):
        load(path)


def test_a_damaged_array_is_refused(tmp_path):
    path = saved(tmp_path / "toy.npz")
    path.write_bytes(path.read_bytes().replace(GREY.tobytes(), GREY[::-1].tobytes()))
    with pytest.raises(DataError, match=re.escape(f"toy: {path}: got what numpy cannot read (Bad CRC-32")):
        load(path)


def test_pickled_objects_are_not_run(tmp_path):
    marker = tmp_path / "marker"

    class Malicious:
        def __reduce__(self):
            return marker.touch, ()

    path = saved(tmp_path / "toy.npz", y_test=np.array([Malicious(), 7], dtype=object))
    with pytest.raises(DataError) as refused:
        load(path)
    reason = "Object arrays cannot be loaded when allow_pickle=False"
    assert str(refused.value) == f"toy: {path}: {CANNOT_READ.format(reason)}"
    assert not marker.exists()
    np.load(path, allow_pickle=True)["y_test"]
    assert marker.exists()  # the file would have run its code


@pytest.mark.parametrize("content", [b"", pickle.dumps([1])])
def test_what_is_no_npz_is_refused(content, tmp_path):
    path = tmp_path / "toy.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"got no complete \.npz file; get it anew$"):
        load(path)
