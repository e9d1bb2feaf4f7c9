"""What cells share: computed once, and under a name that holds all it depends on and nothing else."""

import pickle
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest

from raygrid.cache import Cache
from raygrid.classifiers.svm import Svm
from raygrid.datasets import FromPath
from raygrid.datasets.digits import Digits
from raygrid.datasets.mnist import Mnist
from raygrid.imbalance import split
from raygrid.inputs import images_key, inputs_key, load_inputs, samples_of
from raygrid.representations.features import Features
from raygrid.representations.image import Image, Raw
from raygrid.resampling import RESAMPLERS


class CountedDigits(Digits):
    """Says how often it was decoded."""

    sizes: ClassVar[list[int]] = []

    def load(self, image_size: int, interpolation: str) -> Any:
        self.sizes.append(image_size)
        return super().load(image_size, interpolation)


class CountedImage(Image):
    """Halves what it was given, and says how much that was."""

    is_view: ClassVar[bool] = False
    lengths: ClassVar[list[int]] = []

    def transform(self, X: Any, *, seed: int) -> Any:
        self.lengths.append(len(X))
        return super().transform(X, seed=seed) // 2


@pytest.fixture
def cell(cells_of):
    return cells_of()[0]


@pytest.fixture
def counted(cell):
    CountedDigits.sizes.clear()
    CountedImage.lengths.clear()
    return replace(cell, dataset=CountedDigits(), representation=CountedImage())


def test_inputs_are_computed_once_and_then_read(counted, tmp_path):
    first = load_inputs(counted, Cache(tmp_path))
    assert (CountedDigits.sizes, CountedImage.lengths) == ([32], [1198, 599])
    again = load_inputs(counted, Cache(tmp_path))
    assert (CountedDigits.sizes, CountedImage.lengths) == ([32], [1198, 599])
    for part in ("X_train", "y_train", "X_test", "y_test"):
        assert np.array_equal(getattr(first, part), getattr(again, part))
    assert first.class_names == again.class_names == tuple("0123456789")


def test_what_is_read_is_what_the_stages_gave(counted, tmp_path):
    inputs = load_inputs(counted, Cache(tmp_path))
    images = Digits().load(32, "bilinear")
    assert np.array_equal(inputs.X_train, images.X_train // 2)
    assert np.array_equal(inputs.X_test, images.X_test // 2)
    assert (inputs.y_train.tolist(), inputs.y_test.tolist()) == (images.y_train.tolist(), images.y_test.tolist())
    assert not inputs.X_train.flags.writeable


def test_two_representations_share_the_decoded_images(counted, tmp_path):
    load_inputs(counted, Cache(tmp_path))
    plain = replace(counted, representation=Image())
    assert load_inputs(plain, Cache(tmp_path)).X_test.shape == (599, 32, 32, 3)
    assert CountedDigits.sizes == [32]
    # Images are their own representation, and not kept a second time.
    assert {path.name for path in tmp_path.glob("i*-*")} == {images_key(plain), inputs_key(counted)}
    assert inputs_key(plain) == images_key(plain)


def test_raw_pixels_are_the_images_in_another_shape_and_kept_as_such(counted, tmp_path):
    raw, plain = (replace(counted, representation=level) for level in (Raw(), Image()))
    inputs = load_inputs(raw, Cache(tmp_path))
    fold = split(inputs.y_train, inputs.y_test, ir=2, seed=0)
    (X, X_test), (Y, Y_test) = (samples_of(cell, inputs, fold) for cell in (raw, plain))
    assert (X.shape, X_test.shape, X.X.dtype) == ((len(fold.train), 3072), (len(fold.test), 3072), np.uint8)
    assert np.shares_memory(X.X, Y.X) and np.shares_memory(X_test.X, Y_test.X)
    assert np.array_equal(X[:5], Y[:5].reshape(5, -1))
    assert (X_test.tiles().tiles == Y_test.tiles().tiles).all()
    kept = sorted(path.name for path in tmp_path.glob("[ip]*-*"))
    assert [name.partition("-")[0] for name in kept] == ["images", "products"]  # one of each, for both


def test_a_deleted_cache_is_computed_anew(counted, tmp_path):
    load_inputs(counted, Cache(tmp_path / "one"))
    load_inputs(counted, Cache(tmp_path / "two"))
    assert CountedDigits.sizes == [32, 32]


def test_a_failed_computation_leaves_nothing_to_be_read(counted, tmp_path):
    class Broken(CountedImage):
        def transform(self, X: Any, *, seed: int) -> Any:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        load_inputs(replace(counted, representation=Broken()), Cache(tmp_path))
    assert [path.name for path in tmp_path.glob("i*-*")] == [images_key(counted)]
    assert load_inputs(counted, Cache(tmp_path)).X_train.shape == (1198, 32, 32, 3)


# What is changed, and whether images and inputs are then others.
CHANGES = {
    "fold": ({"fold": 1}, False, False),
    "ir": ({"ir": 5.0}, False, False),
    "resampler": ({"resampler": RESAMPLERS["iht"]()}, False, False),
    "classifier": ({"classifier": Svm(gamma="auto")}, False, False),
    "seed, of pretrained weights": ({"seed": 7}, False, False),
    "weights": ({"representation": Features(alpha=0.25, weights="none")}, False, True),
    "alpha": ({"representation": Features(alpha=0.5, weights="imagenet")}, False, True),
    "representation": ({"representation": Image()}, False, True),
    "image size": ({"image_size": 64}, True, True),
    "interpolation": ({"interpolation": "nearest"}, True, True),
    "dataset": ({"dataset": Mnist()}, True, True),
}


@pytest.mark.parametrize(("change", "images", "inputs"), CHANGES.values(), ids=CHANGES)
def test_keys_change_with_what_the_arrays_depend_on(cell, change, images, inputs):
    other = replace(cell, **change)
    assert other.key != cell.key
    assert (images_key(other) != images_key(cell), inputs_key(other) != inputs_key(cell)) == (images, inputs)


def test_the_seed_is_part_of_random_features(cell):
    random = replace(cell, representation=Features(alpha=0.25, weights="none"))
    assert inputs_key(random) != inputs_key(replace(random, seed=7))
    assert images_key(random) == images_key(replace(random, seed=7))


def test_a_file_is_known_by_what_it_holds(cell, tmp_path):
    def keys(name: str, value: int) -> tuple[str, str]:
        path = tmp_path / f"{name}.npz"
        X, y = np.full((4, 32, 32), value, dtype=np.uint8), np.array([0, 0, 1, 1])
        np.savez(path, x_train=X, y_train=y, x_test=X, y_test=y)
        other = replace(cell, dataset=FromPath(name="mine", path=path))
        return images_key(other), inputs_key(other)

    assert keys("a", 1) == keys("b", 1)
    assert not set(keys("a", 1)) & set(keys("c", 2))


def test_inner_products_are_computed_when_asked_for_and_shared(cell, tmp_path, cache):
    inputs = replace(load_inputs(cell, cache), cache=Cache(tmp_path))
    train, test = inputs.train(np.array([700, 3, 90])), inputs.test(np.array([5, 6]))
    assert not list(tmp_path.iterdir())
    for again in (inputs, pickle.loads(pickle.dumps(inputs))):
        G = again.train(train.index).tiles().gather(np.sort(train.places), np.sort(train.places))
        X = inputs.X_train[train.index[np.argsort(train.places)]]
        np.testing.assert_allclose(G, X @ X.T, rtol=1e-6)
        assert len(list(tmp_path.glob("products-*"))) == 1
    cross = test.tiles().gather(test.places, np.sort(train.places))
    np.testing.assert_allclose(cross, inputs.X_test[test.index] @ X.T, rtol=1e-6)
    assert len(list(tmp_path.glob("products-*"))) == 2


def test_a_class_lies_together(cell, cache):
    inputs = load_inputs(cell, cache)
    train = inputs.train(np.arange(len(inputs.y_train)))
    assert sorted(train.places) == list(range(len(inputs.y_train)))
    in_order = inputs.y_train[np.argsort(train.places)]
    assert (np.diff(in_order) >= 0).all()


def test_what_is_shared_depends_on_no_cell(cells_of, tmp_path, cache):
    for cell in cells_of():
        inputs = replace(load_inputs(cell, cache), cache=Cache(tmp_path))
        inputs.train(np.arange(3)).tiles()
    assert len(list(tmp_path.glob("products-*"))) == 1
