"""The autoencoder: its code, and that it learns nothing but from what it is trained on."""

import numpy as np
import pytest
from in_memory import train_samples
from official import parts_of
from scipy.sparse import csr_array, eye_array

from raygrid.datasets import DATASETS
from raygrid.networks.backbones import preprocess
from raygrid.representations.autoencoder import Autoencoder

LEVEL = Autoencoder(code_size=16, epochs=2, batch_size=20)


@pytest.fixture(scope="module")
def digits():
    return parts_of(DATASETS["digits"]().load(32, "bilinear"))


@pytest.fixture(scope="module")
def images(digits):
    return train_samples(digits.X_train[:60])


def train(images, *, seed=1, A=None):
    A = eye_array(len(images), format="csr") if A is None else A
    return LEVEL.train(images, A, np.zeros(A.shape[0], dtype=np.int64), seed=seed)


@pytest.fixture(scope="module")
def encode(images):
    return train(images)


@pytest.fixture(scope="module")
def codes(images, encode):
    return encode(images)


def test_an_image_becomes_a_code(codes):
    assert (codes.shape, codes.dtype) == ((60, 16), np.float32)
    assert LEVEL.bytes_per_image(32) == codes[0].nbytes
    assert (codes.std(axis=0) > 0).all()


def test_a_seed_gives_one_code_whatever_was_trained_before(images, codes):
    assert not np.array_equal(train(images, seed=2)(images), codes)
    assert np.array_equal(train(images)(images), codes)


def test_it_is_trained_on_mixtures(images, codes):
    means = csr_array(np.full((60, 60), 1 / 60))
    assert not np.array_equal(train(images, A=means)(images), codes)


def test_what_it_is_shown_changes_nothing(images, digits, encode, codes):
    encode(train_samples(digits.X_test[:30]))
    assert np.array_equal(encode(images), codes)


def test_it_learns_to_give_images_back(digits):
    pixels = preprocess(digits.X_train[:300])
    _, autoencoder = Autoencoder(code_size=16, learning_rate=3e-3).build(32, seed=0)
    for batch in np.split(pixels, 15) * 8:
        autoencoder.train_on_batch(batch, batch)
    error = np.mean((autoencoder.predict_on_batch(pixels) - pixels) ** 2)
    assert error < np.mean((pixels.mean(axis=0) - pixels) ** 2)  # of who gives the mean image back


@pytest.mark.parametrize("size", [32, 36, 37])
def test_images_of_any_size_come_back_in_it(size):
    encoder, autoencoder = LEVEL.build(size, seed=0)
    assert (encoder.output_shape, autoencoder.output_shape) == ((None, 16), (None, size, size, 3))
