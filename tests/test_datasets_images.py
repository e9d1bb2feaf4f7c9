"""The pool: its checks, and how parts are stacked."""

import re

import numpy as np
import pytest

from raygrid.datasets.images import Images
from raygrid.errors import DataError

SOUND = {
    "X": np.zeros((6, 2, 2, 3), np.uint8),
    "y": np.array([0, 1, 0, 1, 0, 1]),
    "class_names": ("cat", "dog"),
    "parts": {"train": np.array([0, 1, 4]), "test": np.array([2, 3])},
}
SQUARE = "expected uint8 of shape (n_samples, size, size, 3)"
ASCENDING = "expected ascending indices, int64, of the 6 samples"
FAULTS = [
    ({"X": np.zeros((6, 2, 2, 3))}, f"X: got float64 of shape (6, 2, 2, 3); {SQUARE}"),
    ({"X": np.zeros((6, 2, 1, 3), np.uint8)}, f"X: got uint8 of shape (6, 2, 1, 3); {SQUARE}"),
    ({"X": np.zeros((6, 0, 0, 3), np.uint8)}, f"X: got uint8 of shape (6, 0, 0, 3); {SQUARE}"),
    ({"y": np.array([0, 1, 0])}, "y: got int64 of shape (3,); expected int64 of shape (6,), a label an image"),
    (
        {"y": np.array([0, 1] * 3, np.uint8)},
        "y: got uint8 of shape (6,); expected int64 of shape (6,), a label an image",
    ),
    ({"y": np.array([0, 2] * 3)}, "y: got label 2; expected 0 to 1"),
    ({"y": np.array([0, -1] * 3)}, "y: got label -1; expected 0 to 1"),
    (
        {"class_names": ("cat", "dog", "eel")},
        "y: got no image of eel; expected every class; add images, or take the class out",
    ),
    ({"class_names": ("cat",)}, "y: got 1 class; expected at least 2; add images of others"),
    ({"class_names": ("cat", "d\udceag")}, "class d\\xeag: got a name that is not UTF-8; rename it"),
    (
        {"parts": {"val": np.array([0])}},
        "parts: got 'val'; expected one of train, validation, test; did you mean 'validation'?",
    ),
    ({"parts": {"test": np.array([2, 1])}}, f"parts: test: {ASCENDING}"),
    ({"parts": {"test": np.array([1, 1])}}, f"parts: test: {ASCENDING}"),
    ({"parts": {"test": np.array([-1, 1])}}, f"parts: test: {ASCENDING}"),
    ({"parts": {"test": np.array([0, 6])}}, f"parts: test: {ASCENDING}"),
    ({"parts": {"test": np.array([0.0])}}, f"parts: test: {ASCENDING}"),
    (
        {"parts": {"train": np.array([0, 1]), "test": np.array([1, 2])}},
        "parts: got a sample in two of train, test; expected each in one at most",
    ),
]


def test_a_sound_pool_is_accepted_with_parts_or_without():
    assert Images(**SOUND).parts.keys() == {"train", "test"}
    assert Images(**SOUND | {"parts": {}}).notes == ()


@pytest.mark.parametrize(("fault", "message"), FAULTS)
def test_each_fault_is_named(fault, message):
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        Images(**SOUND | fault)


def part(*values: int, side: int = 2):
    X = np.stack([np.full((side, side, 3), value, np.uint8) for value in values])
    return X, np.array(values) % 2


def test_parts_are_stacked_train_then_validation_then_test():
    images = Images.of_parts({"test": part(5, 6), "train": part(1), "validation": part(3, 4)}, ("even", "odd"), ("x",))
    assert images.X[:, 0, 0, 0].tolist() == [1, 3, 4, 5, 6]
    assert images.y.tolist() == [1, 1, 0, 1, 0]
    parts = [(name, index.tolist()) for name, index in images.parts.items()]
    assert parts == [("train", [0]), ("validation", [1, 2]), ("test", [3, 4])]
    assert images.notes == ("x",)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"train": (part(1, 2)[0], part(1)[1]), "test": (part(1)[0], part(1, 2)[1])},
            "y_train: got int64 of shape (1,); expected int64 of shape (2,), a label an image",
        ),
        (
            {"train": part(1, 2), "test": part(1, 2, side=3)},
            "X: got images of 2 shapes [(2, 2, 3), (3, 3, 3)]; expected one shape in all parts",
        ),
        ({"train": part(1, 2), "tset": part(1)}, "parts: got 'tset'; expected one of train, validation, test; did you"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(parts, message):
    with pytest.raises(DataError, match=f"^{re.escape(message)}"):
        Images.of_parts(parts, ("even", "odd"))
