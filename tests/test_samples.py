"""Samples are read like the array they are, and products of mixtures are those of the mixed samples."""

import numpy as np
import pytest
from in_memory import test_samples, train_samples
from scipy.sparse import csr_array, eye_array

from raygrid.mixtures import samples as module
from raygrid.mixtures.samples import Samples, nearest, products, squares

RNG = np.random.default_rng(0)
X, X_TEST = RNG.normal(size=(60, 9)), RNG.normal(size=(25, 9))


def mixtures(n_rows, n, seed=1):
    """Rows of one and of two samples, none of which is sample 5."""
    rng = np.random.default_rng(seed)
    A = np.zeros((n_rows, n))
    for row in A:
        share, (i, j) = rng.random(), rng.choice(np.delete(np.arange(n), 5), 2)
        row[i] += share
        row[j] += 1 - share
    A[::3] = np.eye(n)[rng.choice(np.delete(np.arange(n), 5), len(A[::3]))]
    return csr_array(A)


ROWS = {
    "all": eye_array(60, format="csr"),
    "some": csr_array(eye_array(60, format="csr")[[7, 3, 3, 59]]),
    "mixtures": mixtures(40, 60),
}


def dense(found, n_rows):
    parts = list(found)
    assert [some.start for some, _ in parts] == [0, *(some.stop for some, _ in parts)][:-1]
    assert parts[-1][0].stop == n_rows
    return np.concatenate([part for _, part in parts])


@pytest.mark.parametrize("places", [None, RNG.permutation(60)], ids=["in order", "elsewhere"])
@pytest.mark.parametrize("B", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("A", ROWS.values(), ids=ROWS)
def test_products_of_mixtures(A, B, places):
    train = train_samples(X, places)
    found = dense(products(A, train, B, train), A.shape[0])
    np.testing.assert_allclose(found, (A @ X) @ (B @ X).T, rtol=0, atol=1e-13)


@pytest.mark.parametrize("B", ROWS.values(), ids=ROWS)
def test_products_of_test_samples_with_mixtures(B):
    test, every = test_samples(X_TEST, X), eye_array(25, format="csr")
    found = dense(products(every, test, B, train_samples(X)), 25)
    np.testing.assert_allclose(found, X_TEST @ (B @ X).T, rtol=0, atol=1e-13)


@pytest.mark.parametrize("A", ROWS.values(), ids=ROWS)
def test_squares_of_mixtures(A):
    np.testing.assert_allclose(squares(A, train_samples(X)), ((A @ X) ** 2).sum(axis=1), rtol=1e-13)


@pytest.mark.parametrize("held", [1, 100, 1000])
def test_how_many_products_are_held_changes_nothing(monkeypatch, held):
    train, A, B = train_samples(X), ROWS["mixtures"], ROWS["all"]
    whole = dense(products(A, train, B, train), 40)
    indices, _ = nearest(A, train, B, train, squares(B, train), n=5)
    monkeypatch.setattr(module, "_PRODUCTS", held)
    monkeypatch.setattr(module, "_NEIGHBOURS", held)
    assert np.array_equal(dense(products(A, train, B, train), 40), whole)
    again, _ = nearest(A, train, B, train, squares(B, train), n=5)
    assert np.array_equal(again, indices)


@pytest.mark.parametrize("places", [None, RNG.permutation(60)], ids=["in order", "elsewhere"])
@pytest.mark.parametrize("B", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("A", ROWS.values(), ids=ROWS)
def test_the_nearest_mixtures(A, B, places):
    train = train_samples(X, places)
    indices, found = nearest(A, train, B, train, squares(B, train), n=3)
    a, b = A @ X, B @ X
    distances = ((a[:, None] - b) ** 2).sum(axis=2)
    of_found = np.take_along_axis(distances, indices, axis=1)
    np.testing.assert_allclose(of_found, np.sort(distances, axis=1)[:, :3], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found, np.einsum("ik,ijk->ij", a, b[indices]), rtol=0, atol=1e-12)


def test_of_equally_near_ones_the_first_are_found():
    ones = train_samples(np.ones((6, 4)))
    some, all_of_them = eye_array(6, format="csr")[[4, 1]], eye_array(6, format="csr")
    assert nearest(some, ones, all_of_them, ones, squares(all_of_them, ones), n=3)[0].tolist() == [[0, 1, 2]] * 2


def test_some_samples_of_a_partition():
    train = train_samples(X)
    index = np.array([40, 2, 17, 3])
    some = Samples(X, index, index, train.tiles)
    A = csr_array(np.array([[0.5, 0, 0.5, 0], [0, 0, 0, 1]]))
    np.testing.assert_allclose(dense(products(A, some, A, some), 2), (A @ X[index]) @ (A @ X[index]).T, atol=1e-13)
    assert np.array_equal(some[[0, 3]], X[[40, 3]])
    assert np.array_equal(some[:], X[index])
    assert (len(some), some.shape, some.n_features) == (4, (4, 9), 9)


def test_sums_and_squares_of_images_are_of_the_centred_values():
    images = RNG.integers(0, 256, (300, 4, 4, 3)).astype(np.uint8)
    whole = images.reshape(300, -1).astype(np.float64) - 128
    train = train_samples(images)
    assert train.sums().tolist() == whole.sum(axis=1).tolist()
    assert (
        train.squares().tolist()
        == (whole**2).sum(axis=1).tolist()
        == squares(eye_array(300, format="csr"), train).tolist()
    )


def test_products_are_asked_for_only_when_they_are_needed():
    def never():
        raise AssertionError

    idle = Samples(X, np.arange(60), np.arange(60), never)
    assert np.array_equal(idle[3:5], X[3:5])


def test_samples_of_images_are_read_as_an_array_and_have_as_many_features_as_values():
    images = np.arange(5 * 4 * 4 * 3, dtype=np.uint8).reshape(5, 4, 4, 3)
    train = train_samples(images)
    assert train.n_features == 48
    assert np.array_equal(np.asarray(train), images)
    assert np.asarray(train, np.float32).dtype == np.float32


def test_sums_of_floats_are_in_double_precision():
    assert train_samples(np.array([[2**24, 1, 1]], np.float32)).sums().tolist() == [2**24 + 2]
