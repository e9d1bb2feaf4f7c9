"""Probabilities of the SVM: decision values, sigmoids, and that they come from samples that were not trained on."""

from dataclasses import replace

import numpy as np
import pytest
from in_memory import test_samples, train_samples
from scipy.sparse import eye_array
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.svm import SVC

from raygrid import trial
from raygrid.choosing import calibrated
from raygrid.classifiers import predictions
from raygrid.classifiers.fitting import fit
from raygrid.classifiers.svm import Svm
from raygrid.classifiers.votes import CalibratedVotes, Voting, probabilities, sigmoids_of
from raygrid.datasets import DATASETS
from raygrid.errors import InfeasibleError
from raygrid.host import Runtime
from raygrid.inputs import Inputs
from raygrid.metrics.calibration import are_probabilities, calibration_of
from raygrid.resampling import NoResampling
from raygrid.storage.cache import Cache
from raygrid.storage.checkpoint import NO_CHECKPOINT
from raygrid.storage.store import Store

SIGMOID = Svm(probability="sigmoid")


def made_up(sizes, seed=0):
    """Classes that overlap, and test samples of them."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    centres = rng.normal(size=(len(sizes), 8))
    y_test = np.resize(y, 300)
    return *(centres[labels] + 1.2 * rng.normal(size=(len(labels), 8)) for labels in (y, y_test)), y, y_test


class Passing(SVC):
    """A classifier whose decision values are what it is given."""

    def decision_function(self, X):
        return X


@pytest.mark.parametrize("sizes", [[30, 20], [40, 30, 9], [9] * 12], ids=["two", "three", "twelve"])
def test_decision_values_are_those_of_scikit_learn(sizes):
    X, X_test, y, _ = made_up(sizes)
    model = SIGMOID.fit(train_samples(X), eye_array(len(y), format="csr"), y, seed=0, checkpoint=NO_CHECKPOINT)
    values = model.decision_values(test_samples(X_test, X))
    expected = SVC().fit(X, y)
    assert np.array_equal(np.rint(values).argmax(axis=1), model.predict(test_samples(X_test, X)))
    if len(sizes) > 2:
        assert values == pytest.approx(expected.decision_function(X_test), abs=1e-4)
    else:  # scikit-learn has one column of two classes, without votes
        assert np.array_equal(values[:, 1] > values[:, 0], expected.decision_function(X_test) > 0)


def test_sigmoids_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    y = rng.choice(3, 200, p=[0.7, 0.2, 0.1])
    values = rng.normal(size=(200, 3)) + 1.5 * (y[:, None] == np.arange(3))
    passing = Passing().fit(values, y)
    expected = CalibratedClassifierCV(FrozenEstimator(passing), method="sigmoid").fit(values, y)
    assert probabilities(values, sigmoids_of(values, y)) == pytest.approx(expected.predict_proba(values), abs=1e-3)


def test_a_class_that_was_lost_has_a_vote_less_than_any_other():
    X, X_test, y, _ = made_up([20, 20, 20])
    left = np.flatnonzero(y != 1)
    samples, A = train_samples(X), eye_array(len(y), format="csr")[left]
    model = fit(SIGMOID, samples, A, y[left], 3, seed=0, checkpoint=NO_CHECKPOINT)
    values = Voting(model, 3).decision_values(test_samples(X_test, X))
    assert values[:, 1] == pytest.approx(values[:, [0, 2]].min(axis=1) - 1)
    assert set(CalibratedVotes(Voting(model, 3), np.zeros((3, 2))).predict(test_samples(X_test, X))) <= {0, 2}


@pytest.fixture
def cell(cells_of):
    return replace(cells_of()[0], classifier=SIGMOID, resampler=NoResampling())


def test_probabilities_of_noise_are_the_priors(cell):
    """A classifier that has learnt its samples by heart is sure of them; samples that it has not seen say otherwise."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(150, 5)), rng.permutation(np.repeat([0, 1, 2], [90, 40, 20]))
    by_heart = cell.classifier.model_copy(update={"C": 1000.0})
    samples = train_samples(X)
    model = fit(by_heart, samples, eye_array(150, format="csr"), y, 3, seed=0, checkpoint=NO_CHECKPOINT)
    assert (model.predict(test_samples(X, X)) == y).all()
    found = calibrated(replace(cell, classifier=by_heart), model, samples, y, 3, NO_CHECKPOINT)
    mean = predictions(found, test_samples(X, X), 3)["scores"].mean(axis=0)
    assert mean == pytest.approx([0.6, 0.27, 0.13], abs=0.1)


def test_probabilities_are_calibrated_and_change_no_label(cell):
    X, X_test, y, y_test = made_up([120, 60, 30])
    samples, A = train_samples(X), eye_array(len(y), format="csr")
    model = fit(SIGMOID, samples, A, y, 3, seed=0, checkpoint=NO_CHECKPOINT)
    found = predictions(calibrated(cell, model, samples, y, 3, NO_CHECKPOINT), test_samples(X_test, X), 3)
    assert np.array_equal(found["y_pred"], model.predict(test_samples(X_test, X)))
    assert are_probabilities(found["scores"])
    assert calibration_of(y_test, found["scores"]).ece < 0.1


def test_the_same_trial_with_and_without(cells_of, tmp_path):
    images = DATASETS["digits"]().load(8, "nearest")
    X = images.X[..., 0].reshape(len(images.X), -1).astype(np.float32)
    inputs = Inputs(X, images.y, images.class_names, images.parts, Cache(tmp_path / "cache"), "digits")
    store = Store(tmp_path / "store")
    store.prepare()
    plain = next(cell for cell in cells_of() if (cell.imbalance.ir, cell.resampler.name) == (2, "smote"))
    assert "probability" not in plain.identity()["classifier"]
    with_them = replace(plain, classifier=plain.classifier.model_copy(update={"probability": "sigmoid"}))
    records = [trial.run(cell, inputs, store, runtime=Runtime(1), attempt="") for cell in (plain, with_them)]
    assert records[0].confusion == records[1].confusion
    assert "calibrate" in records[1].measured.seconds
    assert "calibrate" not in records[0].measured.seconds
    kept = store.predictions(with_them.key)
    assert are_probabilities(kept["scores"])
    assert "scores" not in store.predictions(plain.key)


def test_a_refusal_of_an_inner_fold_says_so(cell, cells_of):
    X, _, y, _ = made_up([40, 7])
    smote = next(one for one in cells_of() if one.resampler.name == "smote").resampler
    model = fit(SIGMOID, train_samples(X), eye_array(len(y), format="csr"), y, 2, seed=0, checkpoint=NO_CHECKPOINT)
    with pytest.raises(InfeasibleError, match=r"^in an inner fold for probabilities: "):
        calibrated(replace(cell, resampler=smote), model, train_samples(X), y, 2, NO_CHECKPOINT)
