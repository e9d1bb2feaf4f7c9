"""Fine-tuned features: activations of the classifier's network, as its training leaves it."""

import shutil

import numpy as np
import pytest
from in_memory import train_samples
from official import parts_of
from scipy.sparse import eye_array

from raygrid.classifiers import Part
from raygrid.classifiers.cnn import Cnn
from raygrid.classifiers.training.stopping import EarlyStopping
from raygrid.datasets import DATASETS
from raygrid.errors import WeightsError
from raygrid.networks.backbones import EMBEDDED, preprocess
from raygrid.networks.keras_backend import load_keras
from raygrid.representations.finetuned import Finetuned
from raygrid.storage.checkpoint import NO_CHECKPOINT

NETWORK = Cnn(alpha=0.25, weights="embedded", epochs=1, learning_rate=1e-3)


@pytest.fixture(scope="module")
def images():
    digits = parts_of(DATASETS["digits"]().load(32, "bilinear"))
    return train_samples(digits.X_train[:40])


def train(level, images, seed=1):
    return level.train(images, eye_array(40, format="csr"), np.arange(40) % 10, seed=seed)


@pytest.fixture(scope="module")
def features(images):
    return train(Finetuned(network=NETWORK), images)(images)


def test_features_are_the_last_activations_of_the_trained_network(images, features):
    trained = NETWORK.fit(images, eye_array(40, format="csr"), np.arange(40) % 10, seed=1, checkpoint=NO_CHECKPOINT)
    last = trained.model.get_layer("conv_pw_13_relu").output
    expected = load_keras().Model(trained.model.input, last).predict_on_batch(preprocess(images[:]))
    np.testing.assert_allclose(features, np.asarray(expected).reshape(40, -1), atol=1e-5)
    frozen = NETWORK.build_backbone(32, seed=0).predict_on_batch(preprocess(images[:]))
    assert np.abs(features - np.asarray(frozen).reshape(40, -1)).max() > 0.01


def test_a_seed_gives_one_network_whatever_is_trained_after_it(images, features):
    first = train(Finetuned(network=NETWORK), images)
    other = train(Finetuned(network=NETWORK), images, seed=2)
    assert np.array_equal(first(images), features)
    assert not np.array_equal(other(images), features)


def test_any_layer_can_be_read(images):
    level = Finetuned(network=NETWORK, layer="conv_pw_11_relu", pooling="average")
    assert train(level, images)(images).shape == (40, 128)
    with pytest.raises(WeightsError, match=r"^layer of finetuned: got 'conv_pw_12_rely'; expected one of conv1, "):
        train(level.model_copy(update={"layer": "conv_pw_12_rely"}), images)


def test_its_size_is_told_before_it_is_trained(features):
    assert Finetuned(network=NETWORK).bytes_per_image(32) == features[0].nbytes
    assert Finetuned(network=NETWORK, layer="conv1").bytes_per_image(32) is None


def test_a_weights_file_is_known_by_what_it_holds(tmp_path):
    path = shutil.copy(EMBEDDED, tmp_path / "mine.h5")
    copied = Finetuned(network=NETWORK.model_copy(update={"weights": str(path)}))
    assert copied.identity() == Finetuned(network=NETWORK).identity()
    assert copied.identity() != Finetuned(network=Cnn(alpha=0.25, weights="none")).identity()
    assert copied.to_fetch() == ""


def test_it_may_stop_on_the_validation_part(images):
    network = NETWORK.model_copy(update={"epochs": 3, "early_stopping": EarlyStopping(patience=1, by="loss")})
    level = Finetuned(network=network)
    assert level.needs_validation == ("network.early_stopping",)
    assert Finetuned(network=NETWORK).needs_validation == ()
    wrong = Part(images, (np.arange(40) + 1) % 10)  # the better it learns, the worse it is here
    A, y = eye_array(40, format="csr"), np.arange(40) % 10
    first = network.model_copy(update={"epochs": 1, "early_stopping": None})
    expected = Finetuned(network=first).train(images, A, y, seed=1)(images)
    assert np.array_equal(level.train(images, A, y, seed=1, validation=wrong)(images), expected)
