"""What follows the training of a network: its last layer is trained anew, or normalised."""

from typing import Literal

import numpy as np
import pytest
from in_memory import train_samples
from pydantic import ValidationError
from scipy.sparse import eye_array

from raygrid.classifiers import resuming
from raygrid.classifiers.cnn import Cnn, Network
from raygrid.classifiers.training.losses import Ldam
from raygrid.classifiers.training.second_stages import Crt, NoSecondStage, TauNorm
from raygrid.errors import UsageError
from raygrid.networks.keras_backend import load_keras
from raygrid.storage.checkpoint import NO_CHECKPOINT

Y = np.repeat([0, 1, 2], [12, 6, 3])


class Tiny(Network):
    """A convolution, batch normalisation and a linear layer."""

    name: Literal["tiny"] = "tiny"
    epochs: int = 2
    batch_size: int = 7
    learning_rate: float = 0.05
    ends_in: str = "softmax"

    def build(self, image_size, n_classes, *, seed):
        keras = load_keras()
        keras.utils.set_random_seed(seed)
        images = keras.Input((image_size, image_size, 3))
        x = keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3, activation="relu")(images))
        x = keras.layers.GlobalAveragePooling2D()(x)
        return keras.Model(images, keras.layers.Dense(n_classes, activation=self.ends_in)(x))


X = (
    np.random.default_rng(0).integers(0, 200, (len(Y), 8, 8, 3)).astype(np.uint8)
    + np.uint8(20) * Y[:, None, None, None]
)
X = X.astype(np.uint8)


def fit(checkpoint=NO_CHECKPOINT, **settings):
    A = eye_array(len(Y), format="csr")
    return Tiny(**settings).train(train_samples(X), A, Y, seed=3, checkpoint=checkpoint)


class Kept:
    """A checkpoint in memory, whose training is interrupted after `stop_after` saves."""

    def __init__(self, stop_after):
        self.arrays, self.saves, self.stop_after = None, [], stop_after

    def load(self):
        return self.arrays

    def save(self, arrays):
        self.arrays = dict(arrays)
        self.saves.append((int(arrays["stage"]), int(arrays["epochs"])))
        if len(self.saves) == self.stop_after:
            raise KeyboardInterrupt


def same(a, b):
    return [np.array_equal(x, y) for x, y in zip(a, b, strict=True)]


def test_re_training_changes_the_last_layer_alone():
    once, twice = fit(), fit(second_stage=Crt(epochs=3))
    assert same(once.weights, twice.weights) == [True] * 6 + [False] * 2  # frozen batch normalisation counts nothing
    assert len(twice.curves.train["loss"]) == 2 + 3


def test_re_training_is_on_balanced_batches_without_what_else_makes_up_for_imbalance():
    schedule, settings = (
        {"name": "cosine"},
        {"class_weight": "balanced", "class_weight_after": 1, "logit_adjustment": 1.0},
    )
    network = Tiny(second_stage=Crt(learning_rate=0.5), schedule=schedule, loss=Ldam(), augment=["flip"], **settings)
    first, second = network.stages()
    assert first == network
    assert second == Tiny(
        epochs=10, learning_rate=0.5, balanced_batches=True, trained_layers="last", loss=Ldam(), augment=["flip"]
    )
    assert Tiny().stages() == Tiny(second_stage=TauNorm()).model_copy(update={"second_stage": NoSecondStage()}).stages()


@pytest.mark.parametrize("stop_after", [1, 2, 3])
def test_an_interrupted_re_training_goes_on_to_the_same_network(monkeypatch, stop_after):
    monkeypatch.setattr(resuming, "_CHECKPOINT_EVERY_S", 0)
    whole, kept = fit(second_stage=Crt(epochs=3)), Kept(stop_after)
    with pytest.raises(KeyboardInterrupt):
        fit(kept, second_stage=Crt(epochs=3))
    kept.stop_after = None
    resumed = fit(kept, second_stage=Crt(epochs=3))
    assert kept.saves == [(0, 1), (1, 1), (1, 2)]  # none twice
    assert all(same(resumed.weights, whole.weights))
    assert resumed.curves == whole.curves


@pytest.mark.parametrize("tau", [0, 0.5, 1])
def test_tau_normalisation_divides_the_weights_of_a_class_by_their_length(tau):
    once, after = fit(), fit(second_stage=TauNorm(tau=tau))
    W = once.weights[-2]
    np.testing.assert_allclose(after.weights[-2], W / np.linalg.norm(W, axis=0) ** tau, rtol=1e-6)
    assert after.weights[-1].tolist() == [0, 0, 0]
    assert all(same(once.weights[:-2], after.weights[:-2]))


def test_a_network_that_ends_otherwise_has_no_layer_to_train_anew():
    with pytest.raises(UsageError, match=r"^network: got Dense as its last layer, with sigmoid; expected Dense with"):
        fit(second_stage=Crt(), ends_in="sigmoid")


def test_weights_that_are_normalised_are_not_normalised_again():
    with pytest.raises(ValidationError, match="got second_stage tau_norm with loss ldam, whose last layer is"):
        Cnn(second_stage=TauNorm(), loss=Ldam())


def test_a_network_with_margins_learns_and_is_re_trained():
    ldam = {
        "loss": Ldam(),
        "class_weight": "effective_number",
        "class_weight_after": 3,
        "epochs": 6,
        "optimizer": "sgd",
    }
    losses = fit(**ldam, second_stage=Crt(epochs=1), learning_rate=0.1).curves.train["loss"]
    assert np.isfinite(losses).all() and losses[2] < losses[0]
