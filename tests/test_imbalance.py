"""Class sizes by hand, and what pairs the splits of one fold."""

from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raygrid.imbalance import class_sizes, split

SIZES = {
    "STL-10, balanced": (500, 10, 1, [500] * 10),
    "STL-10, IR 2": (500, 10, 2, [500, 450, 409, 375, 346, 321, 300, 281, 264, 250]),
    "STL-10, IR 5": (500, 10, 5, [500, 346, 264, 214, 180, 155, 136, 121, 109, 100]),
    "STL-10, IR 10: r_i is i": (500, 10, 10, [500, 250, 166, 125, 100, 83, 71, 62, 55, 50]),
    "MNIST's smallest class, IR 10": (5421, 10, 10, [5421, 2710, 1807, 1355, 1084, 903, 774, 677, 602, 542]),
    "never below 1": (3, 10, 10, [3, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
    "one sample a class": (1, 4, 100, [1, 1, 1, 1]),
    "two classes": (100, 2, 2.5, [100, 40]),
    "a steep ratio": (1000, 5, 100, [1000, 38, 19, 13, 10]),
    "980 / (98 / 90) is 900": (980, 10, 1.1, [980, 969, 958, 948, 938, 928, 918, 909, 900, 890]),
}


@pytest.mark.parametrize(("n", "n_classes", "ir", "sizes"), SIZES.values(), ids=SIZES)
def test_class_sizes(n, n_classes, ir, sizes):
    assert class_sizes(n, n_classes, ir).tolist() == sizes


def test_sizes_are_exact_where_floating_point_is_not():
    ratio = 1 + (1.1 - 1) / (10 - 1) * 8
    assert floor(980 / ratio) == 899  # the trap: in numbers that end, 980 / (98 / 90) is 900
    assert class_sizes(980, 10, 1.1)[8] == 900


ratios = st.one_of(st.integers(1, 100), st.integers(100, 10000).map(lambda hundredths: hundredths / 100))


@settings(deadline=None)
@given(n=st.integers(1, 100_000), n_classes=st.integers(2, 100), ir=ratios)
def test_sizes_start_at_n_and_never_rise(n, n_classes, ir):
    sizes = class_sizes(n, n_classes, ir)
    assert sizes.shape == (n_classes,)
    assert sizes[0] == n
    assert sizes.min() >= 1
    assert (np.diff(sizes) <= 0).all()


@settings(deadline=None)
@given(last=st.integers(1, 1000), n_classes=st.integers(2, 100), ir=st.integers(1, 100))
def test_the_ratio_of_the_first_class_to_the_last_is_ir(last, n_classes, ir):
    sizes = class_sizes(last * ir, n_classes, ir)
    assert (sizes[0], sizes[-1]) == (last * ir, last)


def shuffled_labels(counts, seed):
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))


Y_TRAIN = shuffled_labels([40, 43, 50, 41, 60], seed=0)
Y_TEST = shuffled_labels([25, 20, 21, 22, 30], seed=1)


def counts_in_order(y, kept, order):
    return np.bincount(y[kept], minlength=len(order))[order].tolist()


@pytest.mark.parametrize("ir", [1, 2, 4.5, 10])
def test_both_partitions_keep_the_ratio_each_with_its_own_n(ir):
    made = split(Y_TRAIN, Y_TEST, ir=ir, seed=7)
    assert sorted(made.class_order) == [0, 1, 2, 3, 4]
    # n is the size of the smallest class: 40 of train, 20 of test.
    assert counts_in_order(Y_TRAIN, made.train, made.class_order) == class_sizes(40, 5, ir).tolist()
    assert counts_in_order(Y_TEST, made.test, made.class_order) == class_sizes(20, 5, ir).tolist()


label_counts = st.integers(2, 8).flatmap(
    lambda m: st.tuples(*[st.lists(st.integers(1, 30), min_size=m, max_size=m)] * 2)
)


@settings(max_examples=50, deadline=None)
@given(counts=label_counts, irs=st.tuples(ratios, ratios), seed=st.integers(0, 2**32 - 1))
def test_a_split_is_ascending_unique_in_range_and_nested_over_ir(counts, irs, seed):
    ys = [shuffled_labels(some, seed=i) for i, some in enumerate(counts)]
    small, large = (split(*ys, ir=ir, seed=seed) for ir in sorted(irs))
    assert small.class_order.tolist() == large.class_order.tolist()
    for y, wide, narrow in zip(ys, (small.train, small.test), (large.train, large.test), strict=True):
        for kept in (wide, narrow):
            assert (np.diff(kept) > 0).all()
            assert 0 <= kept[0] and kept[-1] < len(y)
            sizes = np.bincount(y[kept], minlength=len(small.class_order))[small.class_order]
            assert (np.diff(sizes) <= 0).all()
        assert set(narrow) <= set(wide)


def test_a_fold_is_the_same_whenever_it_is_made():
    first, second = (split(Y_TRAIN, Y_TEST, ir=2, seed=7) for _ in range(2))
    assert first.train.tolist() == second.train.tolist()
    assert first.test.tolist() == second.test.tolist()


def test_the_train_subset_does_not_depend_on_the_test_partition():
    with_tests = split(Y_TRAIN, Y_TEST, ir=2, seed=7)
    with_others = split(Y_TRAIN, shuffled_labels([9, 9, 9, 9, 9], seed=2), ir=2, seed=7)
    assert with_tests.train.tolist() == with_others.train.tolist()
    assert with_tests.class_order.tolist() == with_others.class_order.tolist()


def test_global_random_state_is_neither_read_nor_moved():
    np.random.seed(0)
    before = split(Y_TRAIN, Y_TEST, ir=2, seed=7).train.tolist()
    expected = np.random.random()
    np.random.seed(0)
    np.random.random(100)
    assert split(Y_TRAIN, Y_TEST, ir=2, seed=7).train.tolist() == before
    np.random.seed(0)
    assert np.random.random() == expected


def test_folds_differ_in_class_order_and_in_samples():
    folds = [split(Y_TRAIN, Y_TEST, ir=2, seed=seed) for seed in range(10)]
    assert len({tuple(fold.class_order) for fold in folds}) == 10
    assert len({tuple(fold.train) for fold in folds}) == 10


def test_the_split_of_one_seed_stays_the_same():
    # A release (of raygrid, or of NumPy) that changes these changes every result behind an unchanged key.
    made = split(Y_TRAIN, Y_TEST, ir=10, seed=7)
    assert made.class_order.tolist() == [4, 2, 3, 1, 0]
    assert made.train[:10].tolist() == [1, 5, 7, 14, 31, 36, 37, 40, 43, 45]
    assert made.test[:10].tolist() == [1, 2, 3, 13, 18, 22, 28, 29, 30, 36]
