"""Classifiers on vectors: scikit-learn's own, on the materialised mixtures; and thresholds moved by the priors."""

from collections import namedtuple

import numpy as np
import pytest
from in_memory import test_samples, train_samples
from scipy.sparse import csr_array
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from raygrid.classifiers import predictions
from raygrid.classifiers.estimator import Estimator
from raygrid.classifiers.knn import Knn
from raygrid.classifiers.linear_probe import LinearProbe
from raygrid.errors import InfeasibleError
from raygrid.storage.checkpoint import NO_CHECKPOINT

Data = namedtuple("Data", "X A y X_test mixed")


def blobs(n_test: int) -> Data:
    """Three overlapping classes of 40, 20 and 10, mixed within; X is three features of different sizes."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [40, 20, 10])
    X = ((rng.normal(size=(70, 3)) + 0.8 * y[:, None]) * [1, 10, 0.1]).astype(np.float32)
    partner = [rng.choice(np.flatnonzero(y == label)) for label in y]
    rows, share = np.arange(70), rng.random(70)
    A = csr_array((np.r_[1 - share, share], (np.r_[rows, rows], np.r_[rows, partner])), shape=(70, 70))
    X_test = (rng.normal(size=(n_test, 3)) * [1.5, 15, 0.15] + [0.8, 8, 0.08]).astype(np.float32)
    return Data(X, A, y, X_test, (A @ X).astype(np.float32))


DATA = blobs(300)


def fit(level, data=DATA):
    return level.fit(train_samples(data.X), data.A, data.y, seed=3, checkpoint=NO_CHECKPOINT)


def predicted(level, data=DATA):
    return predictions(fit(level, data), test_samples(data.X_test, data.X), len(np.unique(data.y)))


def check(found, scores):
    """These are the scores, and the labels are theirs."""
    assert (found["scores"].dtype, found["y_pred"].dtype) == (np.float32, np.int64)
    np.testing.assert_allclose(found["scores"], scores, atol=1e-5)
    assert found["y_pred"].tolist() == found["scores"].argmax(axis=1).tolist()


@pytest.mark.parametrize("class_weight", ["none", "balanced"])
def test_the_linear_probe_is_logistic_regression_on_standardised_mixtures(class_weight):
    scaler = StandardScaler().fit(DATA.mixed)
    weight = None if class_weight == "none" else "balanced"
    theirs = LogisticRegression(C=0.5, class_weight=weight, max_iter=1000).fit(scaler.transform(DATA.mixed), DATA.y)
    found = predicted(LinearProbe(C=0.5, class_weight=class_weight))
    check(found, theirs.predict_proba(scaler.transform(DATA.X_test)))
    assert 20 < np.sum(found["y_pred"] == 2) or class_weight == "none"


@pytest.mark.parametrize("k", [1, 4, 5])
def test_the_neighbours_are_scikit_learns(k):
    theirs = KNeighborsClassifier(k, algorithm="brute").fit(DATA.mixed, DATA.y)
    found = predicted(Knn(n_neighbors=k))
    check(found, theirs.predict_proba(DATA.X_test))
    assert found["y_pred"].tolist() == theirs.predict(DATA.X_test).tolist()
    if k == 4:  # even, so that there are equal votes
        assert np.any(np.sort(found["scores"])[:, -1] == np.sort(found["scores"])[:, -2])


def test_of_equally_near_neighbours_the_first_counts_and_of_equal_votes_the_smaller_label():
    X = np.array([[1], [-1], [-1], [5], [5]], dtype=np.float32)
    data = Data(X, csr_array(np.eye(5)), np.array([2, 0, 1, 1, 0]), np.array([[0], [5]], dtype=np.float32), X)
    assert predicted(Knn(n_neighbors=1), data)["y_pred"].tolist() == [2, 1]
    assert predicted(Knn(n_neighbors=2), data)["y_pred"].tolist() == [0, 0]


def test_more_neighbours_than_samples_are_infeasible():
    with pytest.raises(InfeasibleError, match=r"^knn: got 70 training samples; expected at least 71 \(k\)$"):
        fit(Knn(n_neighbors=71))


def test_an_estimator_is_trained_on_the_mixtures_with_the_trials_seed():
    level = Estimator(estimator="sklearn.ensemble.RandomForestClassifier", parameters={"n_estimators": 7})
    theirs = RandomForestClassifier(7, random_state=3).fit(DATA.mixed, DATA.y)
    check(predicted(level), theirs.predict_proba(DATA.X_test))


def test_an_estimator_without_a_seed_or_probabilities():
    without_seed = Estimator(estimator="sklearn.naive_bayes.GaussianNB", parameters={"priors": [0.2, 0.2, 0.6]})
    theirs = GaussianNB(priors=[0.2, 0.2, 0.6]).fit(DATA.mixed, DATA.y)
    check(predicted(without_seed), theirs.predict_proba(DATA.X_test))
    labels = predicted(Estimator(estimator="sklearn.svm.LinearSVC", parameters={"C": 0.1}))
    assert list(labels) == ["y_pred"]
    theirs = LinearSVC(C=0.1, random_state=3).fit(DATA.mixed, DATA.y)
    assert labels["y_pred"].tolist() == theirs.predict(DATA.X_test).tolist()


@pytest.mark.parametrize("level", [LinearProbe(), Knn(n_neighbors=9)], ids=lambda level: level.name)
def test_moved_thresholds_divide_by_the_priors(level):
    before, after = (predicted(one) for one in (level, level.model_copy(update={"threshold_moving": True})))
    expected = before["scores"] / np.array([4, 2, 1])
    check(after, expected / expected.sum(axis=1, keepdims=True))
    assert np.sum(after["y_pred"] == 2) > np.sum(before["y_pred"] == 2) + 10


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"estimator": "RandomForestClassifier"}, "got 'RandomForestClassifier', which is in no installed package"),
        ({"estimator": "test_estimators.Mine"}, "got 'test_estimators.Mine', which is in no installed package"),
        ({"estimator": "sklearn.forest.Random"}, "No module named 'sklearn.forest'"),
        ({"estimator": "sklearn.ensemble.RandomForest"}, "got 'sklearn.ensemble.RandomForest', which is no classifier"),
        ({"estimator": "sklearn.ensemble.RandomForestRegressor"}, "which is no classifier; expected the dotted path"),
        ({"parameters": {"n_estimator": 3}}, "; did you mean 'n_estimators'?"),
        ({"parameters": {"n_estimators": 3, "random_state": 0}}, "unknown parameter: got 'random_state'"),
        (
            {"parameters": {"n_estimators": "three"}},
            "'n_estimators' parameter of RandomForestClassifier must be an int",
        ),
        ({"estimator": "sklearn.linear_model.Perceptron", "threshold_moving": True}, "which gives no probabilities"),
        ({"estimator": "sklearn.ensemble.VotingClassifier"}, "missing 1 required positional argument: 'estimators'"),
    ],
)
def test_what_cannot_be_made_is_refused_early(wrong, message):
    with pytest.raises(ValueError) as refused:
        Estimator.model_validate({"estimator": "sklearn.ensemble.RandomForestClassifier"} | wrong)
    assert message in str(refused.value)


def test_parameters_make_another_level():
    levels = [Estimator(estimator="sklearn.svm.SVC", parameters={"C": C}) for C in (1, 2, 2)]
    assert (levels[0] != levels[1], levels[1] == levels[2], len(set(levels))) == (True, True, 2)
    expected = {"name": "sklearn", "estimator": "sklearn.svm.SVC", "parameters": {"C": 2}}
    assert levels[1].identity() == expected
