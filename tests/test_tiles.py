"""Inner products in tiles: right, exact for bytes, and the same whoever computes them."""

import numpy as np
import pytest
from in_memory import computed
from threadpoolctl import threadpool_limits

from raygrid.mixtures import tiles
from raygrid.mixtures.tiles import Gram, Tiles, values


def samples(n, n_features=40, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    if dtype == np.uint8:
        return rng.integers(0, 256, (n, n_features)).astype(np.uint8)
    return rng.normal(size=(n, n_features)).astype(dtype)


def symmetric(X, order=None):
    order = np.arange(len(X)) if order is None else order
    return Gram(X, order)


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch):
    """Sizes that a few samples make many tiles of, the last ones partly empty."""
    monkeypatch.setattr(tiles, "TILE", 16)


@pytest.mark.parametrize("n", [1, 15, 16, 17, 50])
def test_every_product_is_found_at_its_place(n):
    X = samples(n, dtype=np.float64)
    order = np.random.default_rng(1).permutation(n)
    found = Tiles(computed(symmetric(X, order))).gather(np.arange(n), np.arange(n))
    np.testing.assert_allclose(found, X[order] @ X[order].T, rtol=0, atol=1e-12)


def test_some_rows_and_columns_are_those_of_the_whole():
    X = samples(50)
    kept = Tiles(computed(symmetric(X)))
    whole = kept.gather(np.arange(50), np.arange(50))
    rows, columns = np.array([0, 7, 15, 16, 33, 49]), np.array([2, 16, 17, 31, 32, 48])
    assert np.array_equal(kept.gather(rows, columns), whole[np.ix_(rows, columns)])
    assert np.array_equal(kept.gather(columns, rows), whole[np.ix_(columns, rows)])


def test_only_one_half_of_a_symmetric_matrix_is_computed():
    assert symmetric(samples(50)).shape == (10, 16, 16)  # of 16
    assert symmetric(samples(3)).shape == (1, 3, 3)


@pytest.mark.parametrize(
    ("dtype", "expected"), [(np.float32, np.float32), (np.float64, np.float64), (np.uint8, np.int32)]
)
def test_products_are_of_the_samples_precision(dtype, expected):
    gram = symmetric(samples(20, dtype=dtype))
    assert gram.dtype == expected == next(gram.compute(threads=1)).dtype


def test_products_of_bytes_are_exact():
    # As many features as overflow float32's whole numbers several times, and the extremes among the values.
    X = samples(20, 5000, np.uint8)
    X[:4] = np.array([0, 255, 128, 127], np.uint8)[:, None]
    whole = X.astype(np.int64) - 128
    found = Tiles(computed(symmetric(X))).gather(np.arange(20), np.arange(20))
    assert np.array_equal(found, whole @ whole.T)
    assert found.max() > 2**24


def test_products_of_large_images_do_not_overflow():
    assert symmetric(np.zeros((2, 2**17 - 1), np.uint8)).dtype == np.int32
    assert symmetric(np.zeros((2, 2**17), np.uint8)).dtype == np.int64


def test_the_values_of_bytes_are_centred_and_others_are_left_alone():
    X = samples(4)
    assert values(X) is not None and np.array_equal(values(X), X)
    assert values(np.array([[[0, 255]]], np.uint8)).tolist() == [[-128.0, 127.0]]


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_threads_change_no_bit(dtype, monkeypatch):
    monkeypatch.setattr(tiles, "TILE", 256)
    X = samples(700, 600, dtype)
    found = []
    for threads in (1, 2, 3):
        with threadpool_limits(threads):
            found.append(list(symmetric(X).compute(threads=threads)))
    assert np.array_equal(found[0], found[1]) and np.array_equal(found[0], found[2])


def test_equal_samples_are_at_no_distance():
    X = samples(50)
    X[[3, 20, 49]] = X[0]
    G = Tiles(computed(symmetric(X))).gather(np.arange(50), np.arange(50))
    squares = np.diag(G)
    assert (squares[:, None] + squares - 2 * G)[np.ix_([0, 3, 20, 49], [0, 3, 20, 49])].tolist() == [[0.0] * 4] * 4


@pytest.mark.parametrize(
    ("dtype", "of_products"), [("float16", "float32"), ("int16", "float32"), ("bool", "float32"), ("int32", "float64")]
)
def test_samples_of_any_dtype_are_multiplied_as_floats(dtype, of_products):
    X = (100 * samples(30)).astype(dtype)
    G = computed(symmetric(X))
    assert G.dtype == of_products
    gathered = Tiles(G).gather(np.arange(30), np.arange(30))
    np.testing.assert_allclose(gathered, X.astype(float) @ X.astype(float).T, rtol=1e-5, atol=1e-2)


def test_a_product_of_bytes_one_above_what_float32_counts_is_exact():
    X = np.zeros((1, 1025), np.uint8)  # -128 each: 1024 squares are 2^24, ...
    X[0, -1] = 129  # ... and 1 more is what float32 cannot hold beside them
    assert computed(symmetric(X)).tolist() == [[[2**24 + 1]]]


def test_places_are_read_in_one_run_a_tile():
    assert tiles._by_tile(np.array([0, 1, 15, 16, 40, 41]), 16) == [
        (0, slice(0, 3)),
        (1, slice(3, 4)),
        (2, slice(4, 6)),
    ]


@pytest.mark.parametrize(("threads", "used"), [(1, 1), (3, 3), (1000, 16)])
def test_as_many_threads_as_a_trial_has_are_used(threads, used, monkeypatch):
    pools = []

    class Counted(tiles.ThreadPoolExecutor):
        def __init__(self, n):
            pools.append(n)
            super().__init__(n)

    monkeypatch.setattr(tiles, "ThreadPoolExecutor", Counted)
    assert len(list(symmetric(samples(40)).compute(threads=threads))) == 6
    assert pools == [used]
