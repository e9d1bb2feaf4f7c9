"""The loss of a network on imbalanced classes, by hand."""

import numpy as np
import pytest

from raygrid.classifiers.cnn import Cnn

# Priors 1/2, 1/3, 1/6.
Y = np.array([0, 0, 0, 1, 1, 2])
P = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.9, 0.05, 0.05], [0.2, 0.2, 0.6]])
CROSS_ENTROPY = -np.log([0.5, 0.1, 0.7, 0.6, 0.05, 0.6])


def losses(**settings):
    """Return the loss of every sample."""
    cnn = Cnn(**settings)
    (targets,) = cnn.targets(Y)(np.arange(6))
    return np.asarray(cnn.loss()(targets, P.astype(np.float32)))


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


@pytest.mark.parametrize(
    "settings", [{"focal_gamma": 1e-12}, {"logit_adjustment": 1e-12}], ids=lambda one: next(iter(one))
)
def test_next_to_zero_they_are_the_cross_entropy(settings):
    np.testing.assert_allclose(losses(**settings), CROSS_ENTROPY, rtol=1e-5)


def test_at_zero_they_are_kerass_own_loss():
    cnn = Cnn(focal_gamma=0, logit_adjustment=0)
    assert cnn.loss() == "sparse_categorical_crossentropy"
    assert [part.tolist() for part in cnn.targets(Y)(np.array([5, 0]))] == [[2, 0]]


def test_weights_are_inverse_to_the_frequencies_of_the_training_set():
    labels, weights = Cnn(class_weight="balanced").targets(Y)(np.array([5, 0, 3]))
    assert labels.tolist() == [2, 0, 1]
    assert weights.tolist() == [2, 2 / 3, 1]
    targets, weights = Cnn(class_weight="balanced", focal_gamma=2).targets(Y)(np.array([5]))
    assert targets.tolist() == [[[0, 0, 1], [1, 1, 1]]]
    assert weights.tolist() == [2]
