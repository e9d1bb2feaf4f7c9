"""Calibration: the formulas by hand and against scikit-learn, and what a report says of cells without probabilities."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from raygrid.metrics.calibration import N_BINS, are_probabilities, calibration_of

BY_HAND = np.array([[0.9, 0.1, 0.0], [0.6, 0.4, 0.0], [0.2, 0.3, 0.5], [0.0, 0.42, 0.58]])
TRUE = np.array([0, 1, 2, 2])  # the second is wrong


def test_by_hand():
    found = calibration_of(TRUE, BY_HAND)
    # 0.9 * 15 = 13.5, 0.6 * 15 = 9, 0.5 * 15 = 7.5, 0.58 * 15 = 8.7: the bins 14, 9, 8 and 9, counted from 1.
    assert dict(enumerate(found.counts, start=1)) == dict.fromkeys(range(1, 16), 0) | {8: 1, 9: 2, 14: 1}
    in_bin_9 = abs(1 - (0.6 + 0.58))  # one of two right
    assert found.ece == pytest.approx((abs(1 - 0.9) + in_bin_9 + abs(1 - 0.5)) / 4)
    brier = [0.1**2 + 0.1**2, 0.6**2 + 0.6**2, 0.2**2 + 0.3**2 + 0.5**2, 0.42**2 + 0.42**2]
    assert found.brier == pytest.approx(np.mean(brier))
    assert found.nll == pytest.approx(-np.log([0.9, 0.4, 0.5, 0.58]).mean())
    assert (found.accuracy, found.confidence) == (0.75, pytest.approx((0.9 + 0.6 + 0.5 + 0.58) / 4))


def test_a_bin_has_its_upper_end():
    highest = np.array([0.6, 0.8, 1.0])  # times 15: 9, 12, 15
    p = np.stack([highest, (1 - highest) / 2, (1 - highest) / 2], axis=1)
    assert np.flatnonzero(calibration_of(np.zeros(3, int), p).counts).tolist() == [8, 11, 14]


def test_a_class_without_probability_costs_a_finite_amount():
    assert calibration_of(np.array([1]), np.array([[1.0, 0.0]], np.float32)).nll == pytest.approx(15.942, abs=0.001)


@pytest.mark.parametrize("n_classes", [2, 5])
def test_as_in_scikit_learn(n_classes):
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(n_classes), 400).astype(np.float32)
    y = rng.integers(n_classes, size=400)
    found = calibration_of(y, p)
    assert found.nll == pytest.approx(log_loss(y, p / p.sum(axis=1, keepdims=True)), rel=1e-5)
    exact = p.astype(np.float64) / p.sum(axis=1, keepdims=True, dtype=np.float64)
    assert found.brier == pytest.approx(brier_score_loss(y, exact, labels=range(n_classes), scale_by_half=False))
    is_right, confidence = p.argmax(axis=1) == y, p.max(axis=1)
    edges = np.linspace(0, 1, N_BINS + 1)
    gaps = [
        inside.mean() * abs(is_right[inside].mean() - confidence[inside].mean())
        for low, high in pairwise(edges)
        if (inside := (confidence > low) & (confidence <= high)).any()
    ]
    assert found.ece == pytest.approx(sum(gaps), rel=1e-5)


def test_what_are_probabilities():
    assert are_probabilities(BY_HAND)
    assert are_probabilities(BY_HAND.astype(np.float16))
    for scores in (BY_HAND * 2, BY_HAND - 0.1, np.full((2, 2), np.nan), np.array([[1.5, -0.5]]), np.empty((0, 3))):
        assert not are_probabilities(scores)
