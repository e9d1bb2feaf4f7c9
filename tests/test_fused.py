"""Layers of one kernel: the same numbers as Keras' own, on TensorFlow and torch."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from raygrid.classifiers.cnn import Cnn
from raygrid.networks.backbones import preprocess
from raygrid.networks.fused import fused
from raygrid.networks.keras_backend import load_keras

ROOT = Path(__file__).parents[1]


def small(**pointwise):
    """A network with one of each layer, so shallow that rounding stays rounding."""
    keras = load_keras()
    keras.utils.set_random_seed(1)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, strides=2, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(6.0),
            layers.Conv2D(5, 1, **pointwise),
            layers.BatchNormalization(momentum=0.9, epsilon=0.01),
            layers.GlobalAveragePooling2D(),
            layers.BatchNormalization(),
            layers.Dense(3, activation="softmax"),
        ]
    )


def compiled(model):
    """Compile for plain gradient descent; the first step traces the model, which takes most of the time."""
    model.compile(load_keras().optimizers.SGD(1.0), "sparse_categorical_crossentropy")
    return model


def step(model, X, y):
    """Return what one step adds to the weights: the gradients, and the moving averages."""
    before = [np.array(weight) for weight in model.get_weights()]
    model.train_on_batch(X, y)
    return [np.array(after) - start for after, start in zip(model.get_weights(), before, strict=True)]


def batch(size=8, n=16, seed=0):
    rng = np.random.default_rng(seed)
    return preprocess(rng.integers(0, 256, (n, size, size, 3))), np.arange(n) % 3


@pytest.mark.parametrize("pointwise", [{}, {"use_bias": False}, {"activation": "relu"}, {"strides": 2}])
def test_a_step_is_kerass_to_rounding(pointwise):
    stock, ours = compiled(small(**pointwise)), compiled(fused(small(**pointwise)))
    X, y = batch()
    for trained in (False, True):
        np.testing.assert_allclose(ours.predict_on_batch(X), stock.predict_on_batch(X), rtol=1e-5, atol=1e-6)
        if not trained:
            for got, expected in zip(step(ours, X, y), step(stock, X, y), strict=True):
                np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
    is_fused = [type(layer).__module__ == "raygrid.networks.fused" for layer in ours.layers]
    assert is_fused == [False, True, False, "strides" not in pointwise, True, False, True, False]


def test_a_deep_network_is_as_near_to_float64_as_stock_keras_is():
    keras = load_keras()
    stock = Cnn(alpha=0.25, weights="embedded").build(32, 3, seed=0)

    def in_float64(layer):
        return type(layer).from_config(layer.get_config() | {"dtype": "float64"})

    models = {"exact": keras.models.clone_model(stock, clone_function=in_float64), "stock": stock, "ours": fused(stock)}
    for model in models.values():
        compiled(model)
    start, errors = stock.get_weights(), {"stock": [], "ours": []}
    for seed in range(5):
        X, y = batch(32, seed=seed)
        steps = {}
        for name, model in models.items():
            model.set_weights(start)
            steps[name] = np.concatenate([part.ravel() for part in step(model, X, y)])
        for name, found in errors.items():
            found.append(np.linalg.norm(steps[name] - steps["exact"]) / np.linalg.norm(steps["exact"]))
    # The median: now and then rounding turns a ReLU on or off, in either of them, which makes it 1e-2.
    far, ours = np.median(errors["stock"]), np.median(errors["ours"])
    assert 1e-7 < far < 1e-5
    assert ours < 3 * far


@pytest.mark.slow
def test_the_same_on_torch():
    if not find_spec("torch"):
        pytest.skip("torch is not installed")
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "-p", "no:cacheprovider", __file__]
    env = os.environ | {"KERAS_BACKEND": "torch"}
    run = subprocess.run(command, capture_output=True, text=True, env=env, cwd=ROOT)
    assert run.returncode == 0, run.stdout
