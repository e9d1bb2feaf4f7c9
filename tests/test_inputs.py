"""What cells share: computed once, and under a name that holds all it depends on and nothing else."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from raygrid.classifiers.cnn import Cnn
from raygrid.classifiers.svm import Svm
from raygrid.datasets import FromPath
from raygrid.datasets.digits import Digits
from raygrid.datasets.mnist import Mnist
from raygrid.folds import fold_of
from raygrid.host import Runtime
from raygrid.images import images_key, load_labels
from raygrid.imbalance import Harmonic
from raygrid.inputs import inputs_key, load_inputs, makers_first, samples_key, samples_of
from raygrid.mixtures.mixing import mix
from raygrid.representations import TrainedRepresentation
from raygrid.representations.autoencoder import Autoencoder
from raygrid.representations.features import Features
from raygrid.representations.finetuned import Finetuned
from raygrid.representations.image import Image, Raw
from raygrid.representations.representation import Scope
from raygrid.resampling import RESAMPLERS
from raygrid.splits import Holdout
from raygrid.storage.cache import Cache
from raygrid.storage.checkpoint import NO_CHECKPOINT
from raygrid.trial import Clock, compute


class CountedDigits(Digits):
    """Says how often it was decoded."""

    sizes: ClassVar[list[int]] = []

    def load(self, image_size: int, interpolation: str) -> Any:
        self.sizes.append(image_size)
        return super().load(image_size, interpolation)


class CountedImage(Image):
    """Halves what it was given, and says how much that was."""

    scope: ClassVar[Scope] = "dataset"
    lengths: ClassVar[list[int]] = []

    def transform(self, X: Any, *, seed: int) -> Any:
        self.lengths.append(len(X))
        return super().transform(X, seed=seed) // 2


class Trained(TrainedRepresentation):
    """Pixels less the mean of the images that it is trained on; says what these are, and with which seed."""

    name: str = "trained"
    seen: ClassVar[list[tuple[Any, Any, int]]] = []

    def train(self, X: Any, A: Any, y: Any, *, seed: int) -> Any:
        trained_on = mix(A, X)
        self.seen.append((trained_on, y, seed))
        return lambda images: images[:].reshape(len(images), -1) - trained_on.mean(axis=0).ravel()


@pytest.fixture
def cell(cells_of):
    return cells_of()[0]


@pytest.fixture
def counted(cell):
    CountedDigits.sizes.clear()
    CountedImage.lengths.clear()
    return replace(cell, dataset=CountedDigits(), representation=CountedImage())


def test_inputs_are_computed_once_and_then_read(counted, tmp_path):
    first = load_inputs(counted, Cache(tmp_path), Runtime())
    assert (CountedDigits.sizes, CountedImage.lengths) == ([32], [1797])
    again = load_inputs(counted, Cache(tmp_path), Runtime())
    assert (CountedDigits.sizes, CountedImage.lengths) == ([32], [1797])
    assert np.array_equal(first.X, again.X) and np.array_equal(first.y, again.y)
    assert list(first.parts) == list(again.parts) == ["train", "test"]
    assert first.class_names == again.class_names == tuple("0123456789")


def test_what_is_read_is_what_the_stages_gave(counted, tmp_path):
    inputs = load_inputs(counted, Cache(tmp_path), Runtime())
    images = Digits().load(32, "bilinear")
    assert np.array_equal(inputs.X, images.X // 2)
    assert inputs.y.tolist() == images.y.tolist()
    assert {part: index.tolist() for part, index in inputs.parts.items()} == {
        part: index.tolist() for part, index in images.parts.items()
    }
    assert not inputs.X.flags.writeable


def test_two_representations_share_the_decoded_images(counted, tmp_path):
    load_inputs(counted, Cache(tmp_path), Runtime())
    plain = replace(counted, representation=Image())
    assert load_inputs(plain, Cache(tmp_path), Runtime()).X.shape == (1797, 32, 32, 3)
    assert CountedDigits.sizes == [32]
    # Images are their own representation, and not kept a second time.
    assert {path.name for path in tmp_path.glob("i*-*")} == {images_key(plain), inputs_key(counted, Runtime())}
    assert inputs_key(plain, Runtime()) == images_key(plain)


def test_raw_pixels_are_the_images_in_another_shape_and_kept_as_such(counted, tmp_path):
    raw, plain = (replace(counted, representation=level) for level in (Raw(), Image()))
    inputs = load_inputs(raw, Cache(tmp_path), Runtime())
    fold = fold_of(raw, inputs)
    (X, _, X_test), (Y, _, Y_test) = (samples_of(cell, inputs, fold, Runtime()) for cell in (raw, plain))
    assert (X.shape, X_test.shape, X.X.dtype) == ((len(fold.train), 3072), (len(fold.test), 3072), np.uint8)
    assert np.shares_memory(X.X, Y.X) and np.shares_memory(X_test.X, Y_test.X)
    assert np.array_equal(X[:5], Y[:5].reshape(5, -1))
    assert (X_test.tiles().tiles == Y_test.tiles().tiles).all()
    kept = sorted(path.name for path in tmp_path.glob("[ip]*-*"))
    assert [name.partition("-")[0] for name in kept] == ["images", "products"]  # one of each, for both


def test_a_deleted_cache_is_computed_anew(counted, tmp_path):
    load_inputs(counted, Cache(tmp_path / "one"), Runtime())
    load_inputs(counted, Cache(tmp_path / "two"), Runtime())
    assert CountedDigits.sizes == [32, 32]


def test_a_failed_computation_leaves_nothing_to_be_read(counted, tmp_path):
    class Broken(CountedImage):
        def transform(self, X: Any, *, seed: int) -> Any:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        load_inputs(replace(counted, representation=Broken()), Cache(tmp_path), Runtime())
    assert [path.name for path in tmp_path.glob("i*-*")] == [images_key(counted)]
    assert load_inputs(counted, Cache(tmp_path), Runtime()).X.shape == (1797, 32, 32, 3)


# What is changed, and whether images and inputs are then others.
CHANGES = {
    "fold": ({"fold": 1}, False, False),
    "imbalance": ({"imbalance": Harmonic(ir=5)}, False, False),
    "split": ({"split": Holdout()}, False, False),
    "validation": ({"validation": 0.2}, False, False),
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
    assert (images_key(other) != images_key(cell), inputs_key(other, Runtime()) != inputs_key(cell, Runtime())) == (
        images,
        inputs,
    )


def test_the_seed_is_part_of_random_features(cell):
    random = replace(cell, representation=Features(alpha=0.25, weights="none"))
    assert inputs_key(random, Runtime()) != inputs_key(replace(random, seed=7), Runtime())
    assert images_key(random) == images_key(replace(random, seed=7))


@pytest.fixture
def trained(counted):
    Trained.seen.clear()
    return replace(counted, representation=Trained())


def samples(cell, cache):
    inputs = load_inputs(cell, cache, Runtime())
    fold = fold_of(cell, inputs)
    X, _, X_test = samples_of(cell, inputs, fold, Runtime())
    return inputs, fold, X, X_test


def test_a_representation_is_trained_on_the_folds_training_images_and_those_alone(trained, tmp_path):
    inputs, fold, X, X_test = samples(trained, Cache(tmp_path))
    ((images, y, seed),) = Trained.seen
    assert np.array_equal(images, inputs.X[fold.train])
    assert (y.tolist(), seed) == (inputs.y[fold.train].tolist(), trained.seed_of("represent"))
    mean = images.reshape(len(images), -1).mean(axis=0)
    assert np.array_equal(X[:], inputs.X[fold.train].reshape(len(X), -1) - mean)
    assert np.array_equal(X_test[:], inputs.X[fold.test].reshape(len(X_test), -1) - mean)


def test_the_inner_products_are_those_of_the_fold_in_its_representation(trained, tmp_path):
    _, _, X, X_test = samples(trained, Cache(tmp_path))
    some = np.array([0, 7, 30])
    ordered = some[np.argsort(X.places[some])]
    tiles = X_test.tiles().gather(X_test.places[:4], X.places[ordered])
    np.testing.assert_allclose(tiles, X_test[:4] @ X[ordered].T, rtol=1e-4)


def test_what_is_resampled_is_trained_on_where_a_representation_says_so(trained, tmp_path):
    balanced = replace(trained, representation=Trained(train_on="resampled"), resampler=RESAMPLERS["ros"]())
    _, fold, X, _ = samples(balanced, Cache(tmp_path))
    ((images, y, _),) = Trained.seen
    assert len(set(np.bincount(y))) == 1 and len(y) == len(images) > len(fold.train)
    assert X.shape == (len(fold.train), 3072)  # represented are the images as they were


def test_cells_of_a_fold_share_what_is_trained_for_it(trained, tmp_path):
    others = [
        replace(trained, resampler=RESAMPLERS["smote"]()),
        replace(trained, classifier=Svm(gamma="auto")),
    ]
    for cell in (trained, *others):
        samples(cell, Cache(tmp_path))
    assert len(Trained.seen) == 1
    assert makers_first([trained, *others], Runtime()) == [trained, *others]


def of_other_code(level):
    """A level as it is after its source has changed."""
    return level.with_code(Path("module.py"), source="sha256:0")


# What is changed, and whether another network is then trained: on the original images, and on resampled ones.
RETRAINED = {
    "fold": ({"fold": 1}, True, True),
    "imbalance": ({"imbalance": Harmonic(ir=5)}, True, True),
    "split": ({"split": Holdout()}, True, True),
    "validation": ({"validation": 0.2}, True, True),
    "seed": ({"seed": 7}, True, True),
    "image size": ({"image_size": 64}, True, True),
    "resampler": ({"resampler": RESAMPLERS["iht"]()}, False, True),
    "its parameter": ({"resampler": RESAMPLERS["smote"](k_neighbors=3)}, False, True),
    "its source": ({"resampler": of_other_code(RESAMPLERS["smote"]())}, False, True),
    "classifier": ({"classifier": Svm(gamma="auto")}, False, False),
}


@pytest.mark.parametrize(("change", "original", "resampled"), RETRAINED.values(), ids=RETRAINED)
def test_what_is_trained_is_known_by_what_its_training_depends_on(trained, change, original, resampled):
    for train_on, differs in (("original", original), ("resampled", resampled)):
        cell = replace(trained, representation=Trained(train_on=train_on), resampler=RESAMPLERS["smote"]())
        assert (samples_key(replace(cell, **change), Runtime()) != samples_key(cell, Runtime())) is differs
    assert samples_key(trained, Runtime()) != samples_key(
        replace(trained, representation=Trained(train_on="resampled")), Runtime()
    )


def test_threads_processors_and_backends_are_part_of_what_is_trained(trained):
    runtimes = [Runtime(1), Runtime(2), Runtime(1, 0.25), Runtime(1, 0.5), Runtime(1, backend="torch")]
    keys = [samples_key(trained, runtime) for runtime in runtimes]
    assert keys[2] == keys[3]  # a share of a card rounds as the whole card does
    assert len(set(keys)) == 4


def test_a_trained_representation_that_changes_nothing_changes_no_result(trained, tmp_path):
    class Unchanged(Trained):
        def train(self, X: Any, A: Any, y: Any, *, seed: int) -> Any:
            return lambda images: images[:].reshape(len(images), -1).astype(np.float32)

    found = []
    for level in (Raw(), Unchanged()):
        cell = replace(trained, representation=level, resampler=RESAMPLERS["smote"]())
        found.append(compute(cell, load_inputs(cell, Cache(tmp_path), Runtime()), Clock(), NO_CHECKPOINT, Runtime()))
    (raw, raw_predicted), (fields, predicted) = found
    assert fields == raw and raw["metrics"]["AvAcc"] > 0.5
    assert all(np.array_equal(predicted[name], raw_predicted[name]) for name in raw_predicted)


class OtherTestImages(Digits):
    def load(self, image_size: int, interpolation: str) -> Any:
        images = super().load(image_size, interpolation)
        X, test = images.X.copy(), images.parts["test"]
        X[test] = 255 - X[test]
        return replace(images, X=X)


@pytest.mark.parametrize(
    "level",
    [
        Autoencoder(code_size=4, epochs=1),
        Autoencoder(code_size=4, epochs=1, train_on="resampled"),
        Finetuned(network=Cnn(alpha=0.25, weights="embedded", epochs=1)),
    ],
    ids=["autoencoder", "on resampled images", "finetuned"],
)
def test_no_test_image_is_seen_in_training(cell, tmp_path, level):
    cells = [
        replace(cell, imbalance=Harmonic(ir=10), dataset=dataset, representation=level)
        for dataset in (Digits(), OtherTestImages())
    ]
    (_, _, X, X_test), (_, _, Y, Y_test) = (samples(one, Cache(tmp_path / str(i))) for i, one in enumerate(cells))
    assert np.array_equal(X[:], Y[:])
    assert not np.array_equal(X_test[:], Y_test[:])


def test_cells_that_would_wait_for_a_training_come_last(trained):
    smote, other_fold = replace(trained, resampler=RESAMPLERS["smote"]()), replace(trained, fold=1)
    plain, plain_smote = (replace(cell, representation=Raw()) for cell in (trained, smote))
    assert makers_first([trained, smote, plain, other_fold, plain_smote], Runtime()) == [
        *(trained, plain, other_fold, plain_smote),
        smote,
    ]


def test_trials_of_trained_representations_are_given_the_images(trained):
    assert inputs_key(trained, Runtime()) == images_key(trained) != samples_key(trained, Runtime())


def test_a_file_is_known_by_what_it_holds(cell, tmp_path):
    def keys(name: str, value: int) -> tuple[str, str]:
        path = tmp_path / f"{name}.npz"
        X, y = np.full((4, 32, 32), value, dtype=np.uint8), np.array([0, 0, 1, 1])
        np.savez(path, x_train=X, y_train=y, x_test=X, y_test=y)
        other = replace(cell, dataset=FromPath(name="mine", path=path))
        return images_key(other), inputs_key(other, Runtime())

    assert keys("a", 1) == keys("b", 1)
    assert not set(keys("a", 1)) & set(keys("c", 2))


def test_inner_products_are_computed_when_asked_for_and_shared(cell, tmp_path, cache):
    inputs = replace(load_inputs(cell, cache, Runtime()), cache=Cache(tmp_path))
    train, test = inputs.samples(inputs.parts["train"][[700, 3, 90]]), inputs.samples(inputs.parts["test"][[5, 6]])
    assert not list(tmp_path.iterdir())
    for again in (inputs, pickle.loads(pickle.dumps(inputs))):
        G = again.samples(train.index).tiles().gather(np.sort(train.places), np.sort(train.places))
        X = inputs.X[train.index[np.argsort(train.places)]]
        np.testing.assert_allclose(G, X @ X.T, rtol=1e-6)
        X_test = inputs.X[test.index[np.argsort(test.places)]]
        cross = test.tiles().gather(np.sort(test.places), np.sort(train.places))
        np.testing.assert_allclose(cross, X_test @ X.T, rtol=1e-6)
    assert len(list(tmp_path.glob("products-*"))) == 1  # of all samples with each other, once


def test_a_class_of_a_part_lies_together(cell, cache):
    inputs = load_inputs(cell, cache, Runtime())
    every = inputs.samples(np.arange(len(inputs.y)))
    assert sorted(every.places) == list(range(1797))
    in_order = inputs.y[np.argsort(every.places)]
    assert (np.diff(in_order[:1198]) >= 0).all() and (np.diff(in_order[1198:]) >= 0).all()
    assert set(every.places[inputs.parts["train"]]) == set(range(1198))


def test_labels_alone_are_kept_beside_the_images(counted, tmp_path):
    labels = load_labels(counted, Cache(tmp_path))
    inputs = load_inputs(counted, Cache(tmp_path), Runtime())
    assert labels.y.tolist() == inputs.y.tolist() and labels.class_names == inputs.class_names
    assert load_labels(counted, Cache(tmp_path)).parts["test"].tolist() == inputs.parts["test"].tolist()
    assert CountedDigits.sizes == [32]


def test_what_is_shared_depends_on_no_cell(cells_of, tmp_path, cache):
    for cell in cells_of():
        inputs = replace(load_inputs(cell, cache, Runtime()), cache=Cache(tmp_path))
        inputs.samples(np.arange(3)).tiles()
    assert len(list(tmp_path.glob("products-*"))) == 1
