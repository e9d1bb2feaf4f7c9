"""Imbalance: which samples of a balanced data set make fold k at imbalance ratio IR. Pure functions of labels and seed.

References
----------
Koziarski, Cyganek, Wiatr (2020), The Choice of Feature Representation in Small-Scale MobileNet-Based
Imbalanced Image Recognition, VISAPP, section 3, equations (1) and (2).
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from raygrid.seeds import seed_for

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """The samples of one fold at one imbalance ratio.

    Attributes
    ----------
    train, test : array of shape (n_train,) and (n_test,), int64
        Ascending indices into the data set's train and test partitions.
    class_order : array of shape (n_classes,), int64
        The classes from the largest to the smallest.
    """

    train: Ints
    test: Ints
    class_order: Ints


def class_sizes(n: int, n_classes: int, ir: float) -> Ints:
    """Return how many samples each class keeps, from the largest class to the smallest.

    Equations (1) and (2): class i (1-based) keeps n / r_i with r_i = 1 + (IR - 1) / (M - 1) * (i - 1), rounded
    down, never below 1. The arithmetic is exact: of 980 samples at IR 1.1, the ninth of ten classes keeps 900, not 899.

    Parameters
    ----------
    n : int
        Samples a class before; the size of the first class after.
    n_classes : int
        M, at least 2.
    ir : float
        Imbalance ratio, at least 1: the size of the first class over that of the last.

    Returns
    -------
    array of shape (n_classes,), int64
    """
    step = (Fraction(str(ir)) - 1) / (n_classes - 1)
    return np.array([max(1, int(n / (1 + step * i))) for i in range(n_classes)], dtype=np.int64)


def split(y_train: Ints, y_test: Ints, *, ir: float, seed: int) -> Split:
    """Return the subsets of both partitions at one imbalance ratio.

    For one `seed` the class order is the same at every `ir`, and the subset at a larger `ir` lies within that at
    a smaller one: comparisons over IR, representations and resamplers are paired.

    Parameters
    ----------
    y_train, y_test : array of shape (n_samples,), int64
        Labels 0 .. M - 1 of the whole partitions.
    ir : float
        Imbalance ratio, at least 1.
    seed : int
        The fold's seed.
    """
    order = np.random.default_rng(seed_for(seed, "class order")).permutation(int(y_train.max()) + 1)
    return Split(
        train=_subset(y_train, order, ir=ir, seed=seed_for(seed, "train")),
        test=_subset(y_test, order, ir=ir, seed=seed_for(seed, "test")),
        class_order=order,
    )


def _subset(y: Ints, class_order: Ints, *, ir: float, seed: int) -> Ints:
    """Keep the first n_i of each class's samples in an order that depends on the seed alone (hence nested)."""
    # n is the smallest class of the partition, so that the ratio between the classes is exactly IR.
    sizes = class_sizes(int(np.bincount(y).min()), len(class_order), ir)
    rng = np.random.default_rng(seed)
    shuffled = [rng.permutation(np.flatnonzero(y == label)) for label in range(len(class_order))]
    kept = [shuffled[label][:size] for label, size in zip(class_order, sizes, strict=True)]
    return np.sort(np.concatenate(kept))
