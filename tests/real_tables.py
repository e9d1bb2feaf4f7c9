"""Real data of a few features, made imbalanced."""

from functools import cache

import numpy as np
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.preprocessing import StandardScaler

from raygrid.folds import imbalanced as kept_of
from raygrid.imbalance import Harmonic


@cache
def imbalanced(name, ir):
    """Real data, made imbalanced. The standardised tables have no two samples alike.

    Digits are whole numbers 0 to 16, so that many distances are exactly equal and which of two neighbours is the
    nearer is arbitrary; a fixed random projection to float32 keeps the geometry and breaks the ties.
    """
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        X = X @ np.random.default_rng(0).normal(size=(64, 40))
    else:
        X, y = {"iris": load_iris, "wine": load_wine}[name](return_X_y=True)
        X, first = np.unique(StandardScaler().fit_transform(X), axis=0, return_index=True)
        y = y[first]
    y = y.astype(np.int64)
    kept = kept_of(y, Harmonic(ir=ir), seed=1)
    X = X[kept].astype(np.float32)
    X.flags.writeable = False  # as a memory map is
    return X, y[kept]
