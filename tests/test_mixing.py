"""A X, dense and by hand."""

import numpy as np
import pytest
from scipy.sparse import csr_array, eye_array

from raygrid.mixtures.mixing import blocks, mix

# A sample kept, one repeated, a mixture, and one that nobody uses (row 3 of X).
A = csr_array(np.array([[1, 0, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 1, 0, 0], [0.25, 0, 0, 0, 0.75], [0, 0.5, 0.5, 0, 0]]))


def samples(shape, dtype):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, shape).astype(np.uint8) if dtype == np.uint8 else rng.normal(size=shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(5, 7), (5, 4, 4, 3)], ids=["vectors", "images"])
def test_mix_is_the_dense_product(dtype, shape):
    X = samples(shape, dtype)
    X.flags.writeable = False  # as a memory map is
    mixed = mix(A, X)
    dense = np.tensordot(A.toarray(), X.astype(np.float64), axes=1)
    assert (mixed.shape, mixed.dtype) == (shape, np.float32)
    np.testing.assert_allclose(mixed, dense, rtol=0, atol=1e-6 * np.abs(X.astype(float)).max())


def test_kept_samples_are_kept_to_the_last_bit():
    X = samples((5, 7), np.float32)
    assert (mix(eye_array(5, format="csr"), X) == X).all()


class Watched(np.ndarray):
    """Remembers which samples were asked for: in a memory map, each is read from disk."""

    def __getitem__(self, index):
        self.asked_for = np.asarray(index).tolist()
        return np.asarray(self)[index]


def test_only_used_samples_are_touched():
    X = samples((5, 7), np.float32).view(Watched)
    X[3] = np.nan
    assert np.isfinite(mix(A, X)).all()
    assert X.asked_for == [0, 1, 2, 4]
    assert np.isnan(mix(csr_array(np.eye(5)[[3]]), X)).all()
    assert X.asked_for == [3]


def test_a_batch_of_rows_is_mixed_as_it_is_in_the_whole():
    X = samples((5, 4, 4, 3), np.uint8)
    assert (mix(A[[3, 0, 3]], X) == mix(A, X)[[3, 0, 3]]).all()


@pytest.mark.parametrize(
    ("n", "size", "cuts"),
    [(0, 3, []), (2, 3, [(0, 2)]), (3, 3, [(0, 3)]), (7, 3, [(0, 3), (3, 6), (6, 7)])],
)
def test_blocks(n, size, cuts):
    assert [(block.start, block.stop) for block in blocks(n, size)] == cuts
