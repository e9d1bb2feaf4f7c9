"""The classifiers: the SVM is scikit-learn's, the network is the paper's, and a seed means one result."""

import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from in_memory import test_samples, train_samples
from scipy.sparse import csr_array, eye_array
from sklearn.svm import SVC

from raygrid.classifiers import CLASSIFIERS
from raygrid.classifiers.cnn import Cnn, _batches
from raygrid.classifiers.svm import Svm
from raygrid.datasets import DATASETS
from raygrid.mixing import mix

# Compiled once for the whole module: 40 samples are a whole batch and a partial one.
CNN = Cnn(alpha=0.25, weights="embedded", epochs=2)


def mixtures(n: int, n_rows: int, seed: int) -> csr_array:
    """Mix two samples of n in each row, as SMOTE does."""
    rng = np.random.default_rng(seed)
    first, second, share = rng.integers(0, n, n_rows), rng.integers(0, n, n_rows), rng.random(n_rows)
    rows = np.arange(n_rows)
    return csr_array((np.r_[1 - share, share], (np.r_[rows, rows], np.r_[first, second])), shape=(n_rows, n))


@pytest.fixture(scope="module")
def digits():
    return DATASETS["digits"]().load(32, "bilinear")


@pytest.fixture(scope="module")
def images(digits):
    """40 images, mixed into 40 others."""
    X, y = digits.X_train[:40], np.arange(40) % 10
    return X, mixtures(40, 40, seed=0), y


def train(images, seed):
    return [np.array(array) for array in CNN.fit(*images, seed=seed).model.get_weights()]


@pytest.fixture(scope="module")
def trained(images):
    """The weights that seed 1 gives."""
    return train(images, 1)


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_every_registered_name_is_its_levels_own():
    assert {name: level().name for name, level in CLASSIFIERS.items()} == {"cnn": "cnn", "svm": "svm"}
    assert {name: level.takes for name, level in CLASSIFIERS.items()} == {"cnn": "images", "svm": "vectors"}


@pytest.mark.parametrize(
    ("level", "parameters"),
    [
        ({}, {"C": 1.0, "kernel": "rbf", "gamma": "scale"}),
        ({"gamma": "auto"}, {"gamma": "auto"}),
        ({"gamma": 0.02, "C": 3.0}, {"gamma": 0.02, "C": 3.0}),
    ],
    ids=["defaults", "auto", "numbers"],
)
def test_the_svm_is_scikit_learns_on_the_materialised_mixtures(digits, level, parameters):
    X, X_test = (X[..., 0].reshape(len(X), -1)[:, ::16] / np.float32(255) for X in (digits.X_train, digits.X_test))
    A, y = mixtures(len(X), 400, seed=0), digits.y_train[:400]
    y = digits.y_train[A.toarray().argmax(axis=1)]  # of the sample that weighs more
    expected = SVC(**parameters).fit((A @ X).astype(np.float32), y).predict(X_test)
    predicted = Svm(**level).fit(train_samples(X), A, y, seed=0).predict(test_samples(X_test, X))
    assert np.array_equal(predicted, expected)
    assert (predicted == digits.y_test).mean() > 0.2


def test_the_network_is_the_backbone_pooled_with_one_hidden_layer():
    import keras

    model = Cnn(alpha=0.25, weights="embedded").build(32, 7, seed=0)
    backbone, (pooling, hidden, last) = model.layers[:-3], model.layers[-3:]
    assert len(backbone) == len(keras.applications.MobileNet(include_top=False, weights=None, alpha=0.25).layers)
    assert isinstance(pooling, keras.layers.GlobalAveragePooling2D)
    assert (hidden.units, hidden.activation) == (1024, keras.activations.relu)
    assert (last.units, last.activation) == (7, keras.activations.softmax)
    assert [layer.name for layer in model.layers if not layer.trainable] == []
    # Only the moving averages of batch normalisation are not for the optimiser.
    assert {variable.name for variable in model.non_trainable_variables} == {"moving_mean", "moving_variance"}


def test_the_defaults_are_the_papers():
    assert Cnn().model_dump() == {
        "name": "cnn",
        "backbone": "mobilenet",
        "alpha": 1.0,
        "weights": "imagenet",
        "dense_units": 1024,
        "epochs": 50,
        "batch_size": 32,
        "optimizer": "rmsprop",
        "learning_rate": 1e-4,
    }


def test_the_optimiser_is_kerass_but_for_the_learning_rate(images):
    import keras

    model = CNN.fit(*images, seed=0).model
    got, expected = model.optimizer.get_config(), keras.optimizers.RMSprop(1e-4).get_config()
    assert got.pop("learning_rate") == pytest.approx(expected.pop("learning_rate"))
    assert got | {"name": expected["name"]} == expected
    assert model.loss == "sparse_categorical_crossentropy"


def test_a_seed_gives_one_network_whatever_was_trained_before(images, digits, trained):
    between = train((digits.X_train[100:170], eye_array(70, format="csr"), digits.y_train[100:170]), 2)
    assert same(trained, train(images, 1))
    assert not same(trained, between)
    assert not same(trained, train(images, 3))


def test_training_changes_every_layer(trained):
    before = CNN.build(32, 10, seed=1).get_weights()
    assert [i for i, (x, y) in enumerate(zip(before, trained, strict=True)) if np.array_equal(x, y)] == []


def test_training_on_mixtures_is_training_on_the_mixed_set(images, trained):
    X, A, y = images
    assert same(trained, train((mix(A, X), eye_array(len(y), format="csr"), y), 1))


@pytest.mark.slow
@pytest.mark.parametrize(("n", "steps"), [(33, 4), (20, 2)], ids=["one more", "less than one"])
def test_the_last_partial_batch_is_used(images, n, steps):
    X, A, y = images
    model = CNN.fit(X, A[:n], y[:n], seed=0).model
    assert int(model.optimizer.iterations) == steps


def test_an_epoch_shows_every_mixture_once_as_the_network_expects_it(images):
    X, A, _ = images
    batches = _batches(X, A, np.arange(40), batch_size=32, seed=5)
    epochs = []
    for _ in range(2):
        (first, order), (last, rest) = (batches[i] for i in range(len(batches)))
        assert (len(first), len(last)) == (32, 8)
        epochs.append([*order, *rest])
        expected = (A[epochs[-1]] @ X.reshape(40, -1)).reshape(40, 32, 32, 3) / 127.5 - 1
        np.testing.assert_allclose(np.concatenate([first, last]), expected, atol=1e-5)
        batches.on_epoch_end()
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(40))
    assert epochs[0] != epochs[1]


def test_predictions_are_the_likeliest_classes_whatever_the_batch(images, digits):
    fitted = CNN.fit(*images, seed=0)
    X = digits.X_test[:130]
    predicted = fitted.predict(X)
    assert (predicted.shape, predicted.dtype) == ((130,), np.int64)
    assert predicted.tolist() == [*fitted.predict(X[:50]), *fitted.predict(X[50:])]
    scores = np.asarray(fitted.model.predict_on_batch(X[:50] / np.float32(127.5) - 1))
    assert predicted[:50].tolist() == scores.argmax(axis=1).tolist()
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_seed_gives_one_network_on_every_backend(backend):
    if not find_spec(backend):
        pytest.skip(f"{backend} is not installed")
    code = (
        "import keras, numpy as np\n"
        "from scipy.sparse import eye_array\n"
        "from raygrid.classifiers.cnn import Cnn\n"
        "X, y = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3)).astype(np.uint8), np.arange(40) % 10\n"
        "cnn = Cnn(alpha=0.25, weights='embedded', epochs=2)\n"
        "def train(seed):\n"
        "    fitted = cnn.fit(X, eye_array(40, format='csr'), y, seed=seed)\n"
        "    assert fitted.predict(X).shape == (40,)\n"
        "    return [np.array(w) for w in fitted.model.get_weights()]\n"
        "one, other, again = train(1), train(2), train(1)\n"
        "same = lambda a, b: all(map(np.array_equal, a, b))\n"
        "print(keras.backend.backend(), same(one, again), same(one, other))\n"
    )
    env = os.environ | {"KERAS_BACKEND": backend}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert run.stdout.splitlines()[-1:] == [f"{backend} True False"], run.stderr
