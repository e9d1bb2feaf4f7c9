"""Methods that know nothing of raygrid."""

import numpy as np


class NearestMean:
    """A classifier: the class whose mean is nearest, each feature divided by its spread."""

    def fit(self, X, y):
        self.spread = X.std(axis=0) + 1e-6
        self.means = np.array([X[y == label].mean(axis=0) for label in np.unique(y)])

    def predict(self, X):
        return np.linalg.norm((X[:, None] - self.means) / self.spread, axis=-1).argmin(axis=1)


class Jitter:
    """A sampler: repeats samples of the smaller classes, moved a little."""

    def __init__(self, width=0.1, random_state=None):
        self.width, self.random_state = width, random_state

    def fit_resample(self, X, y):
        rng, most = np.random.default_rng(self.random_state), np.bincount(y).max()
        rows = np.concatenate([np.resize(np.flatnonzero(y == label), most) for label in np.unique(y)])
        return X[rows] + self.width * X.std(axis=0) * rng.normal(size=(len(rows), X.shape[1])), y[rows]
