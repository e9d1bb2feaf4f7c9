"""Small made-up inputs for the checks of `test`, like those of a trial; the arrays are write-protected."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array, vstack

from raygrid.inputs import Inputs
from raygrid.mixtures.samples import Samples
from raygrid.storage.cache import Cache

SIDE = 32  # pixels; the least that a grid may ask for
_N_FEATURES = 16
_N_TEST = 8

Labels = NDArray[np.int64]


def images(n_samples: int, y: Labels | int = 0) -> NDArray[np.uint8]:
    """Return noise, (n_samples, side, side, 3), uint8, the brighter the larger the label."""
    shape = (n_samples, SIDE, SIDE, 3)
    noise = np.random.default_rng(0).integers(0, 128, shape, dtype=np.uint8)
    return _protected(noise + np.reshape(np.uint8(40) * np.asarray(y, dtype=np.uint8), (-1, 1, 1, 1)))


def _vectors(n_samples: int, y: Labels) -> NDArray[np.float32]:
    noise = np.random.default_rng(0).normal(size=(n_samples, _N_FEATURES))
    return _protected((noise + y[:, None]).astype(np.float32))


def _protected(array: NDArray[Any]) -> NDArray[Any]:
    array.setflags(write=False)
    return array


@contextmanager
def samples(
    kind: Literal["images", "vectors"], sizes: Sequence[int] = (60, 24, 12)
) -> Iterator[tuple[Samples, Labels, Samples]]:
    """Give training samples with so many of each class, their labels, and test samples."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    y_test = np.repeat(np.arange(len(sizes)), _N_TEST)
    both = np.concatenate([y, y_test])
    X = images(len(both), both) if kind == "images" else _vectors(len(both), both)
    with tempfile.TemporaryDirectory(prefix="raygrid-") as folder:
        names = tuple(map(str, range(len(sizes))))
        inputs = Inputs(X, both, names, parts={}, cache=Cache(folder), key=kind)
        index, test_index = np.split(np.arange(len(both)), [len(y)])
        yield inputs.samples(index), y, inputs.samples(test_index)


def mixtures(y: Labels) -> tuple[csr_array, Labels]:
    """Return samples as they are, and the mean of each with the next of its class, as a resampled set."""
    every = eye_array(len(y), format="csr")
    following = np.arange(len(y))
    for label in np.unique(y):
        members = np.flatnonzero(y == label)
        following[members] = np.roll(members, 1)
    return vstack([every, (every + every[following]) / 2], format="csr"), np.tile(y, 2)
