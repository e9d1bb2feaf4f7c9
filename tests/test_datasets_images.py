"""The checks of `Images`, and resizing."""

import re

import numpy as np
import pytest
from PIL import Image

from raygrid.datasets.images import INTERPOLATIONS, Images, resize, stack
from raygrid.errors import DataError

SOUND = {
    "X_train": np.zeros((4, 2, 2, 3), np.uint8),
    "y_train": np.array([0, 1, 0, 1]),
    "X_test": np.zeros((2, 2, 2, 3), np.uint8),
    "y_test": np.array([0, 1]),
    "class_names": ("cat", "dog"),
}
FAULTS = [
    (
        {"X_train": np.zeros((4, 2, 2, 3))},
        "X_train: got float64 of shape (4, 2, 2, 3); expected uint8 of shape (n_samples, size, size, 3)",
    ),
    (
        {"X_test": np.zeros((2, 2, 1, 3), np.uint8)},
        "X_test: got uint8 of shape (2, 2, 1, 3); expected uint8 of shape (n_samples, size, size, 3)",
    ),
    ({"X_test": np.zeros((2, 3, 3, 3), np.uint8)}, "X_test: got images of shape (3, 3, 3); expected (2, 2, 3)"),
    (
        {"y_train": np.array([0, 1, 0])},
        "y_train: got int64 of shape (3,); expected int64 of shape (4,), a label an image",
    ),
    (
        {"y_test": np.array([0, 1], np.uint8)},
        "y_test: got uint8 of shape (2,); expected int64 of shape (2,), a label an image",
    ),
    ({"y_test": np.array([0, 2])}, "y_test: got label 2; expected 0 to 1"),
    ({"y_train": np.array([0, 1, -1, 1])}, "y_train: got label -1; expected 0 to 1"),
    (
        {"y_test": np.array([0, 0])},
        "y_test: got no image of dog; expected every class in train and in test; "
        "add images, or take the class out of both",
    ),
    (
        {"y_train": np.array([1, 1, 1, 1])},
        "y_train: got no image of cat; expected every class in train and in test; "
        "add images, or take the class out of both",
    ),
]


def test_a_sound_data_set_is_accepted():
    assert Images(**SOUND).class_names == ("cat", "dog")


@pytest.mark.parametrize(("fault", "message"), FAULTS)
def test_each_fault_is_named(fault, message):
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        Images(**SOUND | fault)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_every_mode_becomes_an_rgb_square(mode, interpolation):
    image = Image.new("RGB", (5, 3), (255, 255, 255)).convert(mode)
    resized = resize(image, 4, interpolation)
    assert (resized.shape, resized.dtype) == ((4, 4, 3), np.uint8)
    assert (resized == 255).all()


def test_grey_is_replicated_and_scaled_up_by_blocks():
    image = Image.fromarray(np.array([[0, 50], [100, 200]], np.uint8))
    grey = [[0, 0, 50, 50], [0, 0, 50, 50], [100, 100, 200, 200], [100, 100, 200, 200]]
    for channel in range(3):
        assert resize(image, 4, "nearest")[..., channel].tolist() == grey


def test_box_is_the_mean_and_bilinear_is_not_nearest():
    image = Image.fromarray(np.array([[0, 50], [100, 200]], np.uint8))
    assert resize(image, 1, "box").tolist() == [[[88, 88, 88]]]
    assert resize(image, 4, "bilinear")[0, :, 0].tolist() == [0, 13, 38, 50]


@pytest.mark.filterwarnings("error")
def test_transparency_is_dropped_and_colour_kept():
    image = Image.new("RGBA", (1, 1), (10, 20, 30, 0))
    assert resize(image, 1, "nearest").tolist() == [[[10, 20, 30]]]
    palette = Image.new("P", (1, 1), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    palette.info["transparency"] = b"\xff\x00"
    assert resize(palette, 1, "nearest").tolist() == [[[10, 20, 30]]]


def test_sixteen_bits_are_refused_and_not_clipped():
    image = Image.fromarray(np.array([[1000]], np.uint16))
    with pytest.raises(DataError) as refused:
        resize(image, 1, "nearest")
    assert str(refused.value) == "got an image of mode I;16; expected 8 bits a channel; convert it first"


def test_an_unknown_interpolation_is_refused():
    with pytest.raises(DataError) as refused:
        resize(Image.new("L", (1, 1)), 1, "cubic")
    assert str(refused.value) == (
        "interpolation: got 'cubic'; expected one of nearest, bilinear, bicubic, lanczos, box; did you mean 'bicubic'?"
    )


def test_stack_keeps_the_order():
    images = (Image.new("L", (2, 2), value) for value in (3, 1, 2))
    stacked = stack(images, 1, "nearest")
    assert (stacked.shape, stacked.dtype) == ((3, 1, 1, 3), np.uint8)
    assert stacked[:, 0, 0, 0].tolist() == [3, 1, 2]
