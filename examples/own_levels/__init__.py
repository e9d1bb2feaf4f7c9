import numpy as np
from PIL import Image
from scipy.sparse import eye_array, vstack
from sklearn.neighbors import NearestCentroid

from raygrid.classifiers import Classifier
from raygrid.datasets import DatasetLevel, ExistingPath, Images, stack
from raygrid.resampling import Resampler


class Bars(DatasetLevel):
    """A folder of images for each class; every third image is for testing."""

    path: ExistingPath
    every: int = 3

    def load(self, image_size, interpolation):
        files = sorted(self.path.glob("*/*.png"))
        names, y = np.unique([file.parent.name for file in files], return_inverse=True)
        parts = {"train": np.flatnonzero(np.arange(len(y)) % self.every), "test": np.arange(0, len(y), self.every)}
        return Images(stack(map(Image.open, files), image_size, interpolation), y, tuple(names.tolist()), parts)


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
