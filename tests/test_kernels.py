"""The features arm is scikit-learn's SVC on imbalanced-learn's resampled set, though it sees inner products only."""

from pathlib import Path

import numpy as np
import pytest
from imblearn.combine import SMOTEENN
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.under_sampling import InstanceHardnessThreshold, RandomUnderSampler
from in_memory import test_samples, train_samples
from sklearn.svm import SVC

from raygrid.classifiers.svm import Svm
from raygrid.datasets import FromPath
from raygrid.folds import imbalanced
from raygrid.host import Runtime
from raygrid.imbalance import Harmonic
from raygrid.inputs import load_inputs
from raygrid.representations.features import Features
from raygrid.resampling import RESAMPLERS
from raygrid.storage.checkpoint import NO_CHECKPOINT

SHARED = Path(__file__).parents[2] / "shared"
STL10, WEIGHTS = SHARED / "data/stl10.zip", SHARED / "weights/mobilenet_1.0_imagenet_notop.weights.h5"
THEIRS = {
    "none": None,
    "ros": RandomOverSampler(random_state=3),
    "rus": RandomUnderSampler(random_state=3),
    "smote": SMOTE(random_state=3),
    "smote_enn": SMOTEENN(random_state=3),
    "iht": InstanceHardnessThreshold(random_state=3),
}


def expected(name, X, y, X_test):
    """Return gamma and predictions of SVC on the materialised set."""
    X = X.astype(np.float64)
    model = SVC().fit(*(THEIRS[name].fit_resample(X, y) if THEIRS[name] else (X, y)))
    return model._gamma, model.predict(X_test.astype(np.float64))


def found(name, X, y, X_test, dtype):
    X, X_test = X.astype(dtype), X_test.astype(dtype)
    train = train_samples(X)
    A, y_resampled = RESAMPLERS[name]().resample(train, y, seed=3)
    model = Svm().fit(train, A, y_resampled, seed=0, checkpoint=NO_CHECKPOINT)
    return model.kernel.function.gamma, model.predict(test_samples(X_test, X))


def check(names, X, y, X_test):
    """In float64 all predictions are theirs; in float32, in which features are kept, all but one in a thousand."""
    for name in names:
        gamma, labels = expected(name, X, y, X_test)
        for dtype in (np.float64, np.float32):
            our_gamma, our_labels = found(name, X, y, X_test, dtype)
            assert our_gamma == pytest.approx(gamma, rel=1e-6)
            assert dtype == np.float32 or np.array_equal(our_labels, labels), name
        assert np.sum(our_labels != labels) <= max(1, 0.001 * len(labels)), name


@pytest.fixture
def digits(cells_of, cache):
    """Features of a small network, at IR 5: 535 training samples of 10 classes."""
    inputs = load_inputs(cells_of()[0], cache, Runtime())
    train, test = inputs.parts["train"], inputs.parts["test"]
    train = train[imbalanced(inputs.y[train], Harmonic(ir=5), seed=0)]
    return inputs.X[train], inputs.y[train], inputs.X[test]


@pytest.fixture
def stl10():
    """Features of the paper's network, 488 training samples at IR 10."""
    if not (STL10.exists() and WEIGHTS.exists()):
        pytest.skip(f"needs {STL10.name} and {WEIGHTS.name}")
    images = FromPath(name="stl10", path=STL10).load(64, "bilinear")
    train, test = images.parts["train"], images.parts["test"]
    train = train[imbalanced(images.y[train], Harmonic(ir=10), seed=0)][::3]
    test = test[imbalanced(images.y[test], Harmonic(ir=10), seed=0)][::6]
    features = Features(weights=str(WEIGHTS))
    X, X_test = (features.transform(images.X[part], seed=0) for part in (train, test))
    return X, images.y[train], X_test


def test_predictions_on_features_of_digits(digits):
    check([name for name in THEIRS if name != "iht"], *digits)  # whose forest takes its time


@pytest.mark.slow
def test_predictions_on_features_of_photographs(stl10):
    check(["none", "smote", "smote_enn", "iht"], *stl10)  # the paper's
