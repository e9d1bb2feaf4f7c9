"""The .npz reader: every layout it takes, and a file for every fault."""

import pickle
import re

import numpy as np
import pytest

from raygrid.datasets import FromPath
from raygrid.errors import DataError

GREY = np.arange(4 * 2 * 2, dtype=np.uint8).reshape(4, 2, 2)
SOUND = {"x_train": GREY, "y_train": np.array([7, 3, 7, 3]), "x_test": GREY[:2], "y_test": np.array([3, 7])}
CANNOT_READ = "got what numpy cannot read ({}); expected an .npz of plain arrays"


def load(path):
    return FromPath(name="toy", path=path).load(2, "nearest")


def saved(path, **changes):
    np.savez(path, **SOUND | changes)
    return path


def test_labels_become_places_in_the_sorted_values(tmp_path):
    images = load(saved(tmp_path / "toy.npz"))
    assert images.class_names == ("3", "7")
    assert (images.y_train.tolist(), images.y_test.tolist()) == ([1, 0, 1, 0], [0, 1])
    assert (images.X_train[..., 2] == GREY).all()


@pytest.mark.parametrize(
    "changes",
    [
        {"x_train": GREY[..., None], "x_test": GREY[:2, ..., None]},
        {"x_train": np.stack([GREY] * 3, -1), "x_test": np.stack([GREY[:2]] * 3, -1)},
        {"y_train": SOUND["y_train"][:, None], "y_test": SOUND["y_test"][:, None]},
        {"y_train": SOUND["y_train"].astype(np.uint8)},
        {"y_train": SOUND["y_train"].astype(str), "y_test": SOUND["y_test"].astype(str)},
    ],
)
def test_every_layout_gives_the_same(changes, tmp_path):
    expected, images = load(saved(tmp_path / "a.npz")), load(saved(tmp_path / "b.npz", **changes))
    assert (images.X_train == expected.X_train).all()
    assert (images.y_train == expected.y_train).all()
    assert images.class_names == ("3", "7")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"x_train": GREY / 255},
            "x_train: got float64; expected uint8, 0 to 255; scale and convert it before saving",
        ),
        (
            {"x_test": GREY.astype(np.int64)},
            "x_test: got int64; expected uint8, 0 to 255; scale and convert it before saving",
        ),
        (
            {"x_train": GREY.reshape(4, 4)},
            "x_train: got shape (4, 4); expected (n, h, w), (n, h, w, 1) or (n, h, w, 3)",
        ),
        (
            {"x_test": GREY.reshape(2, 2, 2, 2)},
            "x_test: got shape (2, 2, 2, 2); expected (n, h, w), (n, h, w, 1) or (n, h, w, 3)",
        ),
        (
            {"y_train": np.eye(4, 2, dtype=np.uint8)},
            "y_train: got shape (4, 2); expected (n,) or (n, 1); save labels, not one-hot vectors",
        ),
        ({"y_test": np.array([3.0, 7.0])}, "y_test: got float64; expected whole numbers or text"),
    ],
)
def test_an_array_of_another_form_is_refused(changes, message, tmp_path):
    path = saved(tmp_path / "toy.npz", **changes)
    with pytest.raises(DataError, match=f"^{re.escape(f'toy: {path}: {message}')}$"):
        load(path)


def test_more_labels_than_images_are_refused(tmp_path):
    path = saved(tmp_path / "toy.npz", y_test=np.array([3, 7, 3]))
    with pytest.raises(
        DataError, match=re.escape("toy: y_test: got int64 of shape (3,); expected int64 of shape (2,)")
    ):
        load(path)


def test_a_class_that_only_train_has_is_refused(tmp_path):
    path = saved(tmp_path / "toy.npz", y_test=np.array([3, 3]))
    with pytest.raises(DataError, match=r"^toy: y_test: got no image of 7; expected every class in train and in test"):
        load(path)


def test_absent_arrays_are_named(tmp_path):
    np.savez(tmp_path / "toy.npz", x_train=GREY, y_train=SOUND["y_train"])
    with pytest.raises(DataError) as refused:
        load(tmp_path / "toy.npz")
    assert str(refused.value) == (
        f"toy: {tmp_path / 'toy.npz'}: got no x_test, y_test; expected the arrays x_train, y_train, x_test, y_test"
    )


@pytest.mark.parametrize("content", [b"", b"hello", pickle.dumps([1])])
def test_what_is_no_npz_is_refused(content, tmp_path):
    path = tmp_path / "toy.npz"
    path.write_bytes(content)
    with pytest.raises(DataError) as refused:
        load(path)
    assert str(refused.value) == f"toy: {path}: {CANNOT_READ.format('File is not a zip file')}"


def test_a_truncated_npz_is_refused(tmp_path):
    path = saved(tmp_path / "toy.npz")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=re.escape(f"toy: {path}: got what numpy cannot read (")):
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
