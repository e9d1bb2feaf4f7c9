"""Levels of one's own: a data set, a resampler and a classifier, named by ../own_levels.yaml."""

import numpy as np
from scipy.sparse import eye_array, vstack
from sklearn.neighbors import NearestCentroid

from raygrid.classifiers import Classifier
from raygrid.datasets import DatasetLevel, Images
from raygrid.resampling import Resampler


class Bars(DatasetLevel):
    """Noise with a bar, whose height is the class."""

    contrast: int = 60

    def load(self, image_size, interpolation):
        y = np.tile(np.arange(4), 60)
        X = np.random.default_rng(0).integers(0, 256 - self.contrast, (240, image_size, image_size, 3), np.uint8)
        X[np.arange(240), y * image_size // 4] += self.contrast
        return Images(X[:120], y[:120], X[120:], y[120:], ("top", "high", "low", "bottom"))


class Blend(Resampler):
    """Fills every class up with means of two of its samples."""

    def _fit(self, X, y, seed):
        rng, each, sizes = np.random.default_rng(seed), eye_array(len(y), format="csr"), np.bincount(y)
        first, second = np.hstack([rng.choice(np.where(y == c)[0], (2, max(sizes) - n)) for c, n in enumerate(sizes)])
        return vstack([each, (each[first] + each[second]) / 2], format="csr"), np.concatenate([y, y[first]])


class NearestMean(Classifier):
    """The class whose mean is nearest."""

    takes = "vectors"

    def fit(self, X, A, y, *, seed, checkpoint):
        return NearestCentroid().fit(A @ X[:], y)
