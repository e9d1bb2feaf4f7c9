"""The SVM with few and many classes: whichever share kernels, its machines are those of scikit-learn's SVC."""

import numpy as np
import pytest
from in_memory import test_samples, train_samples
from scipy.sparse import csr_array, eye_array
from sklearn.svm import SVC

from raygrid.classifiers import pairs
from raygrid.classifiers.svm import Svm
from raygrid.storage.checkpoint import NO_CHECKPOINT

# Sizes of classes.
CASES = {
    "two": [30, 20],
    "three, one of one sample": [40, 1, 9],
    "ten, imbalanced": [40, 33, 27, 21, 15, 11, 8, 6, 5, 4],
    "fifty of one to four": [1, 2, 3, 4, 4] * 10,
}
# How many classes share a kernel: `_FEW` and `_GROUP`.
PAIRS, GROUPS, ALL = (0, 4096), (1000, 30), (1000, 4096)


def made_up(sizes, seed=0):
    """Classes that overlap, in no order, half of them mixtures of two samples of their class; and test samples."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    centres = rng.normal(size=(len(sizes), 12))
    X, X_test = (centres[labels] + 1.5 * rng.normal(size=(len(labels), 12)) for labels in (y, np.resize(y, 400)))
    others = np.array([rng.choice(np.flatnonzero(y == label)) for label in y])
    share = rng.random(len(y)) * (np.arange(len(y)) % 2)
    rows = np.arange(len(y))
    A = csr_array((np.r_[1 - share, share], (np.r_[rows, rows], np.r_[rows, others])), shape=(len(y), len(y)))
    return X, A, y, X_test


def fitted(X, A, y, *, monkeypatch, sharing=ALL, **parameters):
    monkeypatch.setattr(pairs, "_FEW", sharing[0])
    monkeypatch.setattr(pairs, "_GROUP", sharing[1])
    return Svm(**parameters).fit(train_samples(X), A, y, seed=0, checkpoint=NO_CHECKPOINT)


@pytest.mark.parametrize("class_weight", ["none", "balanced"])
@pytest.mark.parametrize("sizes", CASES.values(), ids=CASES)
def test_any_sharing_of_kernels_gives_the_machines_of_scikit_learn(sizes, class_weight, monkeypatch):
    X, A, y, X_test = made_up(sizes)
    expected = SVC(class_weight=None if class_weight == "none" else class_weight).fit(A @ X, y)
    for sharing in (PAIRS, GROUPS, ALL):
        model = fitted(X, A, y, monkeypatch=monkeypatch, sharing=sharing, class_weight=class_weight)
        assert np.array_equal(model.predict(test_samples(X_test, X)), expected.predict(X_test))
        sign = 1 if len(sizes) == 2 else -1  # scikit-learn's, of two classes alone
        intercepts = model.machines.intercepts[np.triu_indices(len(sizes), 1)]
        assert np.allclose(sign * intercepts, expected.intercept_, atol=1e-6)
        weights = model.machines.weights
        assert np.allclose(
            np.sort(weights[weights != 0]), np.sort(sign * expected.dual_coef_[expected.dual_coef_ != 0])
        )


def test_of_equal_votes_the_smaller_label_wins(monkeypatch):
    X, A, y, X_test = made_up([3] * 30, seed=1)
    y = y * 2 + 5  # not all numbers are labels
    model = SVC(decision_function_shape="ovo").fit(A @ X, y)
    first, second = np.triu_indices(30, 1)
    is_first = model.decision_function(X_test) > 0
    winners = np.where(is_first, first, second)
    votes = np.array([np.bincount(of_sample, minlength=30) for of_sample in winners])
    assert np.sum(votes == votes.max(axis=1, keepdims=True)) > len(X_test) + 20  # more than one winner of many samples
    predicted = fitted(X, A, y, monkeypatch=monkeypatch).predict(test_samples(X_test, X))
    assert np.array_equal(predicted, 2 * votes.argmax(axis=1) + 5)
    assert np.array_equal(predicted, model.predict(X_test))


@pytest.mark.parametrize(
    ("sizes", "n_samples"),
    [
        ([1400] * 3, [1400] * 3),  # large: pair by pair
        ([3, 100], [3, 100]),
        ([8] * 60, [240, 240]),  # small: all in one fit
        ([5] * 999, [2495, 2500]),
        ([10] * 1000, [3330, 3340, 3330]),
        ([5000] + [1] * 99, [5000, 99]),
    ],
)
def test_small_classes_share_kernels(sizes, n_samples):
    groups = pairs.groups(np.array(sizes))
    assert [len(rows) for rows in groups] == n_samples
    assert np.array_equal(np.concatenate(groups), np.arange(sum(sizes)))


def svm_of(X, y):
    A = eye_array(len(X), format="csr")
    return Svm().fit(train_samples(X), A, y, seed=0, checkpoint=NO_CHECKPOINT)


def test_gamma_of_samples_that_are_all_equal_is_scikit_learns():
    X, y = np.ones((6, 3)), np.arange(6) % 2
    assert svm_of(X, y).kernel.function.gamma == SVC().fit(X, y)._gamma == 1


def test_a_sample_halfway_between_two_classes_goes_where_libsvm_puts_it():
    X, y, middle = np.array([[-1.0], [1.0]]), np.array([0, 1]), np.zeros((1, 1))
    model = SVC().fit(X, y)
    assert model.decision_function(middle) == 0
    assert np.array_equal(svm_of(X, y).predict(test_samples(middle, X)), model.predict(middle))


@pytest.mark.parametrize("sizes", CASES.values(), ids=CASES)
def test_levels_that_are_compared_predict_what_each_predicts_alone(sizes):
    X, A, y, X_test = made_up(sizes)
    levels = [
        Svm(C=C, gamma=gamma, class_weight=weight)
        for C in (0.1, 10.0)
        for gamma in ("auto", "scale", 0.01)
        for weight in ("none", "balanced")
    ]
    given = {"seed": 0, "checkpoint": NO_CHECKPOINT}
    samples = train_samples(X), A, y
    together = Svm.predictions_of_each(levels, *samples, test_samples(X_test, X), **given)
    alone = [level.fit(*samples, **given).predict(test_samples(X_test, X)) for level in levels]
    assert np.array_equal(list(together), alone)
    assert len({labels.tobytes() for labels in alone}) > 4
