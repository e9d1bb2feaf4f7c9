"""Training epoch by epoch: curves, early stopping, the best epoch, and the settings of the optimiser."""

from typing import Any, Literal

import numpy as np
import pytest
from in_memory import train_samples
from scipy.sparse import eye_array
from test_classifiers import Kept, same

from raygrid.classifiers import Part, resuming
from raygrid.classifiers.cnn import Network
from raygrid.classifiers.fitting import fit as fit_left
from raygrid.classifiers.training.stopping import EarlyStopping
from raygrid.errors import InfeasibleError, UsageError
from raygrid.metrics.confusion import confusion_matrix, metrics_of
from raygrid.networks.keras_backend import load_keras
from raygrid.storage.checkpoint import NO_CHECKPOINT


class Tiny(Network):
    """A linear network, which needs no time."""

    name: Literal["tiny"] = "tiny"

    def build(self, image_size: int, n_classes: int, *, seed: int) -> Any:
        keras = load_keras()
        keras.utils.set_random_seed(seed)
        dense = keras.layers.Dense(n_classes, activation="softmax")
        return keras.Sequential([keras.Input((image_size, image_size, 3)), keras.layers.Flatten(), dense])


class Dropping(Tiny):
    """It drops some of its input at random, of which Keras has a state on all backends but torch."""

    def build(self, image_size: int, n_classes: int, *, seed: int) -> Any:
        keras = load_keras()
        network = super().build(image_size, n_classes, seed=seed)
        return keras.Sequential([network.inputs[0], keras.layers.Dropout(0.5), *network.layers])


def samples(n, seed):
    """Noise that has a little of its class in it."""
    rng, y = np.random.default_rng(seed), np.arange(n) % 3
    pattern = np.random.default_rng(0).normal(0, 12, (3, 4, 4, 3))
    return np.clip(128 + pattern[y] + rng.normal(0, 60, (n, 4, 4, 3)), 0, 255).astype(np.uint8), y


X, Y = samples(48, 1)
X_VALIDATION, Y_VALIDATION = samples(30, 2)
VALIDATION = Part(train_samples(X_VALIDATION), Y_VALIDATION)
TINY = {"epochs": 6, "batch_size": 16, "optimizer": "sgd", "learning_rate": 1.0}


def fit(checkpoint=NO_CHECKPOINT, validation=VALIDATION, y=Y, seed=1, kind=Tiny, **settings):
    network = kind(**TINY | settings)
    A = eye_array(len(X), format="csr")
    return network.fit(train_samples(X), A, y, seed=seed, checkpoint=checkpoint, validation=validation)


@pytest.fixture(scope="module")
def whole():
    """The same training for each number of epochs, to its end."""
    return [fit(epochs=n) for n in range(1, 7)]


@pytest.fixture
def every_epoch(monkeypatch):
    monkeypatch.setattr(resuming, "_CHECKPOINT_EVERY_S", 0)


def test_curves_of_the_validation_part_are_what_the_network_predicts_after_each_epoch(whole):
    curves = whole[-1].curves
    assert (list(curves.train), list(curves.validation)) == (["loss", "AvAcc", "CBA", "MAvG"],) * 2
    for i, trained in enumerate(whole):
        scores = trained.scores(VALIDATION.X)
        metrics = metrics_of(confusion_matrix(Y_VALIDATION, scores.argmax(axis=1), 3))
        expected = {"loss": -np.log(scores[np.arange(30), Y_VALIDATION]).mean(), **metrics}
        assert {name: values[i] for name, values in curves.validation.items()} == pytest.approx(expected, rel=1e-3)
        assert trained.curves.kept == i + 1
        assert trained.curves.validation["loss"] == curves.validation["loss"][: i + 1]


def test_curves_of_the_training_part_are_of_the_epoch_as_it_is_trained():
    """One batch an epoch: the loss and the metrics are those before its step."""
    trained = fit(epochs=2, batch_size=48, validation=None)
    start = Tiny(**TINY).build(4, 3, seed=1)
    assert trained.curves.validation == {}
    assert all(len(values) == 2 for values in trained.curves.train.values())
    order = np.random.default_rng(1).permutation(48)
    p = load_keras().ops.convert_to_numpy(start(X[order] / np.float32(127.5) - 1))
    assert trained.curves.train["loss"][0] == pytest.approx(-np.log(p[np.arange(48), Y[order]]).mean(), rel=1e-3)
    confusion = confusion_matrix(Y[order], p.argmax(axis=1), 3)
    assert trained.curves.train["AvAcc"][0] == pytest.approx(metrics_of(confusion)["AvAcc"], rel=1e-3)


def test_following_the_validation_part_changes_nothing(whole):
    assert same(fit(validation=None).weights, whole[-1].weights)


def test_the_best_epoch_is_the_first_with_the_best_value(whole):
    values = whole[-1].curves.validation["AvAcc"]
    best = int(np.argmax(values))
    selected = fit(select="best")
    assert 0 < best < 5  # or this would not tell
    assert selected.curves.kept == best + 1
    assert same(selected.weights, whole[best].weights)
    assert selected.curves.validation == whole[-1].curves.validation


def test_early_stopping_ends_the_training_and_keeps_the_best_epoch(whole):
    best = int(np.argmax(whole[-1].curves.validation["AvAcc"]))
    stopped = fit(early_stopping=EarlyStopping(patience=1), epochs=50)
    assert len(stopped.curves.train["loss"]) == best + 2 < 50
    assert stopped.curves.kept == best + 1
    assert same(stopped.weights, whole[best].weights)
    last = fit(early_stopping=EarlyStopping(patience=1), select="last")
    assert last.curves.kept == best + 2
    assert same(last.weights, whole[best + 1].weights)


def test_it_is_judged_by_what_is_predicted_with_moved_thresholds():
    y = np.where(np.arange(48) < 40, 0, Y)
    moved = fit(y=y, threshold_moving=True)
    predicted = moved.predict(VALIDATION.X)
    expected = metrics_of(confusion_matrix(Y_VALIDATION, predicted, 3))["AvAcc"]
    assert moved.curves.validation["AvAcc"][-1] == pytest.approx(expected, rel=1e-3)
    assert moved.curves.validation["AvAcc"] != fit(y=y).curves.validation["AvAcc"]


SETTINGS = {
    "select": "best",
    "early_stopping": EarlyStopping(patience=3, by="loss"),
    "momentum": 0.9,
    "weight_decay": 0.01,
    "schedule": {"name": "cosine", "warm_up": 2},
    "augment": ["flip", "crop", "remix"],
    "balanced_batches": True,
}


@pytest.mark.parametrize(
    "settings", [{"select": "best"}, SETTINGS, {"kind": Dropping}], ids=["best", "all settings", "dropout"]
)
@pytest.mark.parametrize("stop_after", [1, 3])
def test_an_interrupted_training_goes_on_to_the_same_network_and_curves(every_epoch, stop_after, settings):
    expected, kept = fit(**settings), Kept(stop_after)
    with pytest.raises(KeyboardInterrupt):
        fit(kept, **settings)
    fit(seed=2, **settings)  # another cell in between
    kept.stop_after = None
    resumed = fit(kept, **settings)
    assert same(resumed.weights, expected.weights)
    assert resumed.curves == expected.curves
    assert kept.epochs == [1, 2, 3, 4, 5][: len(kept.epochs)]


def test_a_checkpoint_of_another_kind_of_training_is_ignored(every_epoch):
    kept = Kept(stop_after=2)
    with pytest.raises(KeyboardInterrupt):
        fit(kept)
    kept.stop_after = None
    assert same(fit(kept, select="best").weights, fit(select="best").weights)
    assert fit(kept, validation=None).curves == fit(validation=None).curves


def test_without_a_validation_part_it_says_so():
    with pytest.raises(UsageError, match=r"^tiny: early_stopping and select: got no validation part; expected one"):
        fit(validation=None, early_stopping=EarlyStopping(), select="best")
    empty = Part(VALIDATION.X.select(np.arange(0)), Y_VALIDATION[:0])
    with pytest.raises(InfeasibleError, match="got no validation samples"):
        fit(validation=empty, select="best")
    assert fit(validation=empty).curves.validation == {}


def test_of_a_class_that_a_resampler_removed_no_validation_sample_is_seen():
    left = np.flatnonzero(Y != 1)
    A = eye_array(len(X), format="csr")[left]
    model = fit_left(
        Tiny(**TINY), train_samples(X), A, Y[left], 3, seed=1, checkpoint=NO_CHECKPOINT, validation=VALIDATION
    )
    kept = Y_VALIDATION != 1
    confusion = confusion_matrix(Y_VALIDATION[kept] // 2, model.scores(VALIDATION.X)[kept][:, [0, 2]].argmax(1), 2)
    assert model.curves.validation["AvAcc"][-1] == pytest.approx(metrics_of(confusion)["AvAcc"], rel=1e-3)


def gradients(kernel, bias):
    """Those of the mean cross-entropy of all samples."""
    images = (X / np.float32(127.5) - 1).reshape(48, -1)
    powers = np.exp(images @ kernel + bias)
    excess = powers / powers.sum(axis=1, keepdims=True) - np.eye(3)[Y]
    return images.T @ excess / 48, excess.mean(axis=0)


def test_momentum_weight_decay_and_schedule_by_hand():
    weights = [np.array(weight) for weight in Tiny(**TINY).build(4, 3, seed=1).get_weights()]
    velocity = [np.zeros_like(weight) for weight in weights]
    for rate in (0.05, 0.1, 0.1, 0.02):  # one step an epoch: two epochs of warm-up, and a fifth after the third
        steps = zip(velocity, gradients(*weights), weights, strict=True)
        velocity = [0.9 * v + gradient + 0.3 * weight for v, gradient, weight in steps]  # as in PyTorch
        weights = [weight - rate * v for weight, v in zip(weights, velocity, strict=True)]
    schedule = {"name": "step", "after": [3], "factor": 0.2, "warm_up": 2}
    settings = {"epochs": 4, "batch_size": 48, "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.3}
    got = fit(**settings, schedule=schedule).weights
    for ours, theirs in zip(got, weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)
