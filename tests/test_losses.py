"""The loss of a network on imbalanced classes, by hand."""

import numpy as np
import pytest
from pydantic import ValidationError

from raygrid.classifiers.class_weights import Balanced, EffectiveNumber
from raygrid.classifiers.cnn import Cnn
from raygrid.classifiers.training.losses import Focal, Ldam
from raygrid.networks.fused import fused
from raygrid.networks.keras_backend import load_keras

# Priors 1/2, 1/3, 1/6.
Y = np.array([0, 0, 0, 1, 1, 2])
P = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.9, 0.05, 0.05], [0.2, 0.2, 0.6]])
CROSS_ENTROPY = -np.log([0.5, 0.1, 0.7, 0.6, 0.05, 0.6])


def tensors(*values):
    return [load_keras().ops.convert_to_tensor(value, dtype="float32") for value in values]


def arrays(tensor):
    return np.array(load_keras().ops.convert_to_numpy(tensor))


def losses(**settings):
    """Return the loss of every sample."""
    cnn = Cnn(**settings)
    (targets,) = cnn.targets(Y)(np.arange(6))
    return arrays(cnn.compiled_loss()(*tensors(targets, P)))


def test_the_focal_loss_makes_light_of_what_is_certain():
    p = np.array([0.5, 0.1, 0.7, 0.6, 0.05, 0.6])
    np.testing.assert_allclose(losses(focal_gamma=2), (1 - p) ** 2 * CROSS_ENTROPY, rtol=1e-5)


def test_an_adjusted_loss_is_of_logits_and_log_priors():
    adjusted = P * [1 / 2, 1 / 3, 1 / 6]
    expected = (adjusted / adjusted.sum(axis=1, keepdims=True))[np.arange(6), Y]
    np.testing.assert_allclose(expected[[0, 3]], [15 / 23, 12 / 22])  # of 1.5 : 0.6 : 0.2, and 0.9 : 1.2 : 0.1
    np.testing.assert_allclose(losses(logit_adjustment=1), -np.log(expected), rtol=1e-5)
    np.testing.assert_allclose(
        losses(logit_adjustment=1, focal_gamma=2), (1 - expected) ** 2 * -np.log(expected), rtol=1e-5
    )


def test_both_spellings_of_the_focal_loss_are_one():
    assert losses(focal_gamma=3).tolist() == losses(loss=Focal(gamma=3)).tolist()
    assert Cnn(focal_gamma=3).as_dict()["focal_gamma"] == 3  # and its key has stayed
    with pytest.raises(ValidationError, match=r"got focal_gamma with loss ldam; expected one of them"):
        Cnn(focal_gamma=3, loss=Ldam())


def test_tau_1_is_the_balanced_softmax():
    """Ren et al. (2020), equation (3): the exponentials of the logits times the class sizes."""
    exponentials = P * [3, 2, 1]
    expected = -np.log(exponentials[np.arange(6), Y] / exponentials.sum(axis=1))
    np.testing.assert_allclose(losses(logit_adjustment=1), expected, rtol=1e-5)


def test_the_margin_of_a_class_is_its_size_to_the_power_of_minus_a_quarter():
    """Cao et al. (2019), equations (12) and (13): the smallest of 16, 81 and 1 samples has the largest margin."""
    margins = Ldam(max_margin=0.6, scale=10).margins(np.array([16, 81, 1]))
    np.testing.assert_allclose(margins, [3, 2, 6])


def test_ldam_lowers_the_logit_of_the_own_class_by_its_margin():
    cosines = np.array([[0.9, 0.1, -0.3], [-1.0, 1.0, 0.0], [0.5, 0.5, 1.0]])
    labels, margins = np.array([0, 0, 2]), np.array([0.2, 0.3, 0.5])
    lowered = 30 * (cosines - np.eye(3)[labels] * margins)
    expected = np.log(np.exp(lowered).sum(axis=1)) - lowered[np.arange(3), labels]
    p = np.exp(30 * cosines) / np.exp(30 * cosines).sum(axis=1, keepdims=True)
    own = p[np.arange(3), labels]
    costs = Ldam().costs(*tensors(own, p.sum(axis=1) - own, 30 * margins[labels]))
    np.testing.assert_allclose(arrays(costs), expected, rtol=1e-5, atol=1e-6)
    assert expected[1] > 60  # a probability of exp(-60), of which Keras' own loss would not learn


def test_a_normalised_layer_gives_the_softmax_of_scaled_cosines():
    cnn = Cnn(backbone="resnet32", weights="none", dense_units=0, loss=Ldam(scale=4))
    network = cnn.network(32, 3, seed=0)
    layer = network.layers[-1]
    X = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    x = arrays(load_keras().Model(network.input, layer.input)(X))
    W = arrays(layer.kernel)
    cosines = x @ W / np.linalg.norm(x, axis=1, keepdims=True) / np.linalg.norm(W, axis=0)
    expected = np.exp(4 * cosines) / np.exp(4 * cosines).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(arrays(network(X)), expected, rtol=1e-4)
    np.testing.assert_allclose(arrays(fused(network)(X)), expected, rtol=1e-4)


@pytest.mark.parametrize(
    "settings", [{"focal_gamma": 1e-12}, {"logit_adjustment": 1e-12}], ids=lambda one: next(iter(one))
)
def test_next_to_zero_they_are_the_cross_entropy(settings):
    np.testing.assert_allclose(losses(**settings), CROSS_ENTROPY, rtol=1e-5)


def test_at_zero_they_are_kerass_own_loss():
    cnn = Cnn(focal_gamma=0, logit_adjustment=0)
    assert cnn.compiled_loss() == "sparse_categorical_crossentropy"
    assert [part.tolist() for part in cnn.targets(Y)(np.array([5, 0]))] == [[2, 0]]


def test_effective_numbers():
    """Cui et al. (2019), equation (2): with beta 1/2 the effective numbers of 1, 2 and 3 samples are 1, 3/2 and 7/4."""
    weights = EffectiveNumber(beta=0.5).weights(np.array([1, 2, 3]))
    inverse = np.array([1, 2 / 3, 4 / 7])
    np.testing.assert_allclose(weights / weights[0], inverse)
    assert weights @ [1, 2, 3] == pytest.approx(6)  # a sample's mean weight is 1
    sizes = np.array([5000, 500, 50])
    np.testing.assert_allclose(EffectiveNumber(beta=0).weights(sizes), 1)
    np.testing.assert_allclose(EffectiveNumber(beta=1 - 1e-9).weights(sizes), Balanced().weights(sizes), rtol=1e-4)


def test_deferred_weights_are_one_until_their_epoch():
    cnn = Cnn(class_weight="balanced", class_weight_after=2)
    weights = [cnn.targets(Y, epoch=epoch)(np.array([5, 0]))[1].tolist() for epoch in range(4)]
    assert weights == [[1, 1], [1, 1], [2, 2 / 3], [2, 2 / 3]]
    with pytest.raises(ValidationError, match="got class_weight_after without weights; expected also class_weight"):
        Cnn(class_weight_after=2)


def test_weights_are_inverse_to_the_frequencies_of_the_training_set():
    labels, weights = Cnn(class_weight="balanced").targets(Y)(np.array([5, 0, 3]))
    assert labels.tolist() == [2, 0, 1]
    assert weights.tolist() == [2, 2 / 3, 1]
    targets, weights = Cnn(class_weight="balanced", focal_gamma=2).targets(Y)(np.array([5]))
    assert targets.tolist() == [[[0, 0, 1], [1, 1, 1], [0, 0, 0]]]
    assert weights.tolist() == [2]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"class_weight": "balanced", "class_weight_after": 3}, "class_weight_after 3 of 3 epochs"),
        ({"schedule": {"name": "step", "after": [160, 180]}}, "steps after 160, 180 of 3 epochs"),
    ],
)
def test_what_would_never_begin_is_refused(settings, message):
    Cnn.model_validate({"epochs": 200, **settings})
    with pytest.raises(ValidationError, match=message):
        Cnn.model_validate({"epochs": 3, **settings})
