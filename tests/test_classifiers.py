"""The classifiers: the SVM is scikit-learn's, the network is the paper's, and a seed means one result."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pytest
from in_memory import test_samples, train_samples
from official import parts_of
from scipy.sparse import csr_array, eye_array
from sklearn.svm import SVC

from raygrid.classifiers import CLASSIFIERS, resuming
from raygrid.classifiers.cnn import Cnn, Network
from raygrid.classifiers.svm import Svm
from raygrid.datasets import DATASETS
from raygrid.mixtures.mixing import mix
from raygrid.networks.keras_backend import load_keras
from raygrid.storage.checkpoint import NO_CHECKPOINT

ROOT = Path(__file__).parents[1]

# The paper's network, for what is its own: to build one takes a second of computing, to compile one four.
CNN = Cnn(alpha=0.25, weights="embedded", epochs=1)


class Tiny(Network):
    """One of each kind of layer that the paper's network has, for how any network is trained."""

    is_fused: ClassVar[bool] = True
    name: Literal["tiny"] = "tiny"

    def build(self, image_size, n_classes, *, seed):
        keras = load_keras()
        keras.utils.set_random_seed(seed)
        layers = keras.layers
        return keras.Sequential(
            [
                keras.Input((image_size, image_size, 3)),
                layers.Conv2D(4, 3, strides=2, use_bias=False),
                layers.BatchNormalization(),
                layers.ReLU(6.0),
                layers.DepthwiseConv2D(3, padding="same", use_bias=False),
                layers.Conv2D(6, 1),
                layers.GlobalAveragePooling2D(),
                layers.Dense(n_classes, activation="softmax"),
            ]
        )


# Compiled once for the whole module: 40 samples are a whole batch and a partial one.
TINY = Tiny(epochs=3)


def mixtures(n: int, n_rows: int, seed: int) -> csr_array:
    """Mix two samples of n in each row, as SMOTE does."""
    rng = np.random.default_rng(seed)
    first, second, share = rng.integers(0, n, n_rows), rng.integers(0, n, n_rows), rng.random(n_rows)
    rows = np.arange(n_rows)
    return csr_array((np.r_[1 - share, share], (np.r_[rows, rows], np.r_[first, second])), shape=(n_rows, n))


@pytest.fixture(scope="module")
def digits():
    return parts_of(DATASETS["digits"]().load(32, "bilinear"))


@pytest.fixture(scope="module")
def images(digits):
    """40 images, mixed into 40 others."""
    X, y = digits.X_train[:40], np.arange(40) % 10
    return X, mixtures(40, 40, seed=0), y


def fit(images, *, seed, checkpoint=NO_CHECKPOINT, network=TINY, **parameters):
    level = type(network).model_validate(network.as_dict() | parameters)
    return level.fit(*images, seed=seed, checkpoint=checkpoint)


def train(images, seed, network=TINY):
    return [np.array(array) for array in fit(images, seed=seed, network=network).model.get_weights()]


@pytest.fixture(scope="module")
def trained(images):
    """The weights that seed 1 gives the tiny network."""
    return train(images, 1)


@pytest.fixture(scope="module")
def trained_cnn(images):
    """The weights that seed 1 gives the paper's."""
    return train(images, 1, CNN)


def flat(variables):
    return np.concatenate([np.asarray(variable).ravel() for variable in variables])


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_every_registered_name_is_its_levels_own():
    assert [level.model_fields["name"].default for level in CLASSIFIERS.values()] == list(CLASSIFIERS)
    of_images = {name for name, level in CLASSIFIERS.items() if level.takes == "images"}
    assert of_images == {"cnn", "keras"}
    assert {level.takes for name, level in CLASSIFIERS.items() if name not in of_images} == {"vectors"}


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
    fitted = Svm(**level).fit(train_samples(X), A, y, seed=0, checkpoint=NO_CHECKPOINT)
    predicted = fitted.predict(test_samples(X_test, X))
    assert np.array_equal(predicted, expected)
    assert (predicted == digits.y_test).mean() > 0.2


def test_balanced_weights_are_scikit_learns(digits):
    X, X_test = (X[..., 0].reshape(len(X), -1)[:, ::16] / np.float32(255) for X in (digits.X_train, digits.X_test))
    kept = np.flatnonzero((digits.y_train > 2) | (np.arange(len(X)) % 9 == 0))[:400]
    A, y = eye_array(len(X), format="csr")[kept], digits.y_train[kept]
    expected, unweighted = (SVC(class_weight=w).fit(X[kept], y).predict(X_test) for w in ("balanced", None))
    fitted = Svm(class_weight="balanced").fit(train_samples(X), A, y, seed=0, checkpoint=NO_CHECKPOINT)
    assert np.array_equal(fitted.predict(test_samples(X_test, X)), expected)
    assert np.sum(expected != unweighted) > 20


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
    assert Cnn().identity() == {
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

    model = fit(images, seed=0).model
    got, expected = model.optimizer.get_config(), keras.optimizers.RMSprop(1e-4).get_config()
    assert got.pop("learning_rate") == pytest.approx(expected.pop("learning_rate"))
    assert got | {"name": expected["name"]} == expected
    assert model.loss == "sparse_categorical_crossentropy"


def test_a_seed_gives_one_network_whatever_was_trained_before(images, digits, trained_cnn):
    others = digits.X_train[100:170], eye_array(70, format="csr"), digits.y_train[100:170]
    between, again, other = train(others, 2, CNN), train(images, 1, CNN), train(images, 3, CNN)
    assert same(trained_cnn, again)
    assert not same(trained_cnn, between)
    assert not same(trained_cnn, other)


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": "embedded"},
        {"weights": "none"},
        {"backbone": "mobilenet_v2", "alpha": 0.35, "weights": "none"},
        {"backbone": "mobilenet_v3_small", "alpha": 0.75, "weights": "none"},
        pytest.param({"backbone": "resnet50", "alpha": 1.0, "weights": "none"}, marks=pytest.mark.slow),
    ],
    ids=lambda changes: " ".join(map(str, changes.values())),
)
def test_a_network_used_again_starts_as_one_built_anew(changes):
    cnn = CNN.model_copy(update=changes)
    used = cnn.initialised(32, 10, seed=7)
    for variable in [*used.variables, *used.optimizer.variables]:
        variable.assign(variable + 1)
    model = cnn.initialised(32, 10, seed=3)
    assert model is used
    assert same(model.get_weights(), cnn.build(32, 10, seed=3).get_weights())
    assert {np.abs(variable).max() for variable in model.optimizer.variables} == {0, np.float32(1e-4)}


def test_a_seed_is_kerass_own():
    """Seeding Python's generator alone does all that `set_random_seed` does for a network's weights."""
    import keras

    cnn = CNN.model_copy(update={"weights": "none"})
    ours = cnn.build(32, 10, seed=3).get_weights()
    keras.utils.set_random_seed(3)
    backbone = keras.applications.MobileNet(input_shape=(32, 32, 3), include_top=False, weights=None, alpha=0.25)
    x = keras.layers.GlobalAveragePooling2D()(backbone.output)
    x = keras.layers.Dense(1024)(x)
    x = keras.layers.Dense(10)(x)
    assert same(ours, keras.Model(backbone.input, x).get_weights())


@pytest.mark.parametrize("class_weight", ["none", "balanced"])
def test_one_step_is_stock_kerass(images, class_weight):
    import keras

    X, A, y = images
    y = np.where(np.arange(40) < 25, 0, y)  # the first class is the largest, and has the least weight
    weights = None if class_weight == "none" else (len(y) / (10 * np.bincount(y)))[y]
    # A step of plain gradient descent is the gradient; a deep network, and layers one by one, are in test_fused.py.
    network = Tiny(epochs=1, batch_size=40, optimizer="sgd", learning_rate=0.1)
    model = network.build(32, 10, seed=4)
    start = flat(model.trainable_variables)
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    order = np.random.default_rng(4).permutation(40)
    weighted = {} if weights is None else {"sample_weight": weights[order]}
    batch = {"x": mix(A, X)[order] / np.float32(127.5) - 1, "y": y[order], **weighted}
    model.fit(**batch, batch_size=40, shuffle=False, verbose=0)
    ours = fit((X, A, y), seed=4, network=network, class_weight=class_weight).model
    expected, got = flat(model.trainable_variables), flat(ours.trainable_variables)
    assert np.linalg.norm(got - expected) < 1e-4 * np.linalg.norm(expected - start)
    averages = flat(ours.non_trainable_variables), flat(model.non_trainable_variables)
    np.testing.assert_allclose(*averages, rtol=1e-5, atol=1e-6)


class Kept:
    """A checkpoint in memory, whose training is interrupted after `stop_after` saves."""

    def __init__(self, stop_after=None):
        self.arrays, self.epochs, self.stop_after = None, [], stop_after

    def load(self):
        return self.arrays

    def save(self, arrays):
        self.arrays = dict(arrays)
        self.epochs.append(int(arrays["epochs"]))
        if len(self.epochs) == self.stop_after:
            raise KeyboardInterrupt


@pytest.fixture
def every_epoch(monkeypatch):
    """A checkpoint is due whenever an epoch ends."""
    monkeypatch.setattr(resuming, "_CHECKPOINT_EVERY_S", 0)


def test_an_interrupted_training_goes_on_to_the_same_network(images, digits, every_epoch):
    whole = fit(images, seed=1)
    expected, predicted = whole.weights, whole.predict(digits.X_test[:50])
    kept = Kept(stop_after=1)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            fit(images, seed=1, checkpoint=kept)
        fit(images, seed=2)  # another cell in between
        kept.stop_after = 2
    kept.stop_after = None
    resumed = fit(images, seed=1, checkpoint=kept)
    assert kept.epochs == [1, 2]  # none twice, and none after the last
    assert same(resumed.weights, expected)
    assert np.array_equal(resumed.predict(digits.X_test[:50]), predicted)


def test_a_checkpoint_holds_plain_arrays_of_the_variables_own_kinds(images, every_epoch):
    kept = Kept()
    model = fit(images, seed=1, checkpoint=kept).model
    expected = [str(variable.dtype) for variable in [*model.weights, *model.optimizer.variables]]
    assert [array.dtype.name for name, array in kept.arrays.items() if name.isdigit()] == expected
    assert {name for name in kept.arrays if not name.isdigit()} == {"epochs", "stage", "measured"}
    assert {type(array) for array in kept.arrays.values()} == {np.ndarray}


def test_a_training_shorter_than_a_minute_keeps_nothing(images):
    kept = Kept()
    fit(images, seed=1, checkpoint=kept)
    assert kept.epochs == []


def without(arrays, name):
    return {other: array for other, array in arrays.items() if other != name}


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: without(arrays, "5"),
        lambda arrays: without(arrays, "epochs"),
        lambda arrays: arrays | {"0": arrays["0"][..., :1]},
        lambda arrays: arrays | {"0": arrays["0"].astype(np.float64)},
        lambda arrays: arrays | {"epochs": np.array(3)},
        lambda arrays: arrays | {"epochs": np.array(0)},
        lambda arrays: {},
    ],
    ids=["a variable less", "no epoch", "another shape", "another kind", "all epochs", "no epochs", "empty"],
)
def test_a_checkpoint_that_does_not_fit_is_ignored(images, every_epoch, trained, change):
    kept = Kept(stop_after=1)
    with pytest.raises(KeyboardInterrupt):
        fit(images, seed=5, checkpoint=kept)
    kept.arrays = change(kept.arrays)
    assert same(fit(images, seed=1, checkpoint=kept).weights, trained)


def test_training_changes_every_layer(trained_cnn):
    before = CNN.build(32, 10, seed=1).get_weights()
    assert [i for i, (x, y) in enumerate(zip(before, trained_cnn, strict=True)) if np.array_equal(x, y)] == []


def test_training_on_mixtures_is_training_on_the_mixed_set(images, trained):
    X, A, y = images
    assert same(trained, train((mix(A, X), eye_array(len(y), format="csr"), y), 1))


@pytest.mark.parametrize(("n", "steps"), [(33, 6), (20, 3)], ids=["one more", "less than one"])
def test_the_last_partial_batch_is_used(images, n, steps):
    X, A, y = images
    model = fit((X, A[:n], y[:n]), seed=0).model
    assert int(model.optimizer.iterations) == steps


def test_an_epoch_shows_every_mixture_once_as_the_network_expects_it(images, images_are_sent):
    X, A, _ = images
    batches = CNN.batches(X, A, np.arange(40), seed=5)
    epochs = []
    for _ in range(2):
        read = [(*steps.inputs, *steps.targets) for steps in batches]
        assert [images.shape for images, _ in read] == [(1, 32, 32, 32, 3), (1, 8, 32, 32, 3)]
        shown, order = (np.concatenate(parts, axis=1)[0] for parts in zip(*read, strict=True))
        epochs.append(order.tolist())
        expected = (A[order] @ X.reshape(40, -1)).reshape(40, 32, 32, 3) / 127.5 - 1
        np.testing.assert_allclose(shown, expected, atol=1e-5)
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(40))
    assert epochs[0] != epochs[1]


def test_balanced_batches_have_the_classes_in_turn(images_are_sent):
    y = np.repeat([0, 1, 2, 3], [40, 13, 4, 2])
    cnn, X = Cnn(balanced_batches=True, batch_size=8), np.arange(59, dtype=np.uint8)[:, None]
    epochs = []
    for seed in (5, 5, 6):
        batches = cnn.batches(X, eye_array(59, format="csr"), y, seed=seed)
        read = [(*steps.inputs, *steps.targets) for steps in batches]
        images, labels = (np.concatenate(parts, axis=1)[0] for parts in zip(*read, strict=True))
        drawn = np.rint((images[:, 0] + 1) * 127.5).astype(int)
        epochs.append(drawn.tolist())
        assert len(read) == 8  # as many as without: 59 samples
        assert y[drawn].tolist() == labels.tolist()
        assert {tuple(sorted(turn)) for turn in labels[:56].reshape(14, 4)} == {(0, 1, 2, 3)}
        counts = np.bincount(drawn, minlength=59)
        # In 15 turns, of 40 samples some come, of 13 each once or twice, of 4 three or four times, of 2 seven or eight.
        assert [set(counts[y == label]) for label in range(4)] == [{0, 1}, {1, 2}, {3, 4}, {7, 8}]
    assert epochs[0] == epochs[1] != epochs[2]
    assert np.concatenate([steps.targets[0] for steps in batches], axis=1)[0].tolist() != labels.tolist()


def test_predictions_are_the_likeliest_classes_whatever_the_batch(images, digits):
    fitted = fit(images, seed=0)
    X = digits.X_test[:130]
    predicted = fitted.predict(X)
    assert (predicted.shape, predicted.dtype) == ((130,), np.int64)
    assert predicted.tolist() == [*fitted.predict(X[:50]), *fitted.predict(X[50:])]
    scores = np.asarray(fitted.model.predict_on_batch(X[:50] / np.float32(127.5) - 1))
    assert predicted[:50].tolist() == scores.argmax(axis=1).tolist()
    assert np.array_equal(fitted.scores(X[:50]), scores)
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_seed_gives_one_network_on_every_backend(backend):
    if not find_spec(backend):
        pytest.skip(f"{backend} is not installed")
    code = (
        "import keras, numpy as np\n"
        "from scipy.sparse import eye_array\n"
        "from raygrid.storage.checkpoint import NO_CHECKPOINT\n"
        "from raygrid.classifiers import resuming\n"
        "from raygrid.classifiers.cnn import Cnn\n"
        "from test_classifiers import Kept\n"
        "from test_losses import test_an_adjusted_loss_is_of_logits_and_log_priors\n"
        "X, y = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3)).astype(np.uint8), np.arange(40) % 10\n"
        "cnn = Cnn(alpha=0.25, weights='embedded', epochs=2)\n"
        "def train(seed, checkpoint=NO_CHECKPOINT):\n"
        "    fitted = cnn.fit(X, eye_array(40, format='csr'), y, seed=seed, checkpoint=checkpoint)\n"
        "    assert fitted.predict(X).shape == (40,)\n"
        "    return [np.array(w) for w in fitted.model.get_weights()]\n"
        "one, other, again = train(1), train(2), train(1)\n"
        "same = lambda a, b: all(map(np.array_equal, a, b))\n"
        "resuming._CHECKPOINT_EVERY_S, kept = 0, Kept(stop_after=1)\n"
        "try: train(1, kept)\n"
        "except KeyboardInterrupt: train(2)\n"
        "found = same(one, again), same(one, other), same(one, train(1, kept))\n"
        "settings = dict(class_weight='balanced', focal_gamma=2.0, logit_adjustment=1.0, balanced_batches=True)\n"
        "cnn = Cnn(alpha=0.25, weights='embedded', epochs=1, **settings)\n"
        "assert same(train(1), train(1)) and not same(train(1), one)\n"
        "test_an_adjusted_loss_is_of_logits_and_log_priors()\n"
        "print(keras.backend.backend(), *found)\n"
    )
    env = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, cwd=ROOT)
    assert run.stdout.splitlines()[-1:] == [f"{backend} True False True"], run.stderr
