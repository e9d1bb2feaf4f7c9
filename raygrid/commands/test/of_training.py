"""The checks of `test` for levels that use a training set: resamplers, trained representations and classifiers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from raygrid.classifiers import Classifier, predictions
from raygrid.commands.test import toys
from raygrid.commands.test.expect import Check, ContractError, expect, expect_labels, kind_of
from raygrid.errors import InfeasibleError
from raygrid.mixtures.samples import Samples
from raygrid.representations import TrainedRepresentation
from raygrid.resampling import Resampler
from raygrid.resampling.plain import PlainSampler
from raygrid.storage.checkpoint import NO_CHECKPOINT


def rows_are_mixtures(level: Resampler) -> None:
    """Every row of the mixing matrix, a csr_array of float64, sums to 1 and has a label."""
    for kind in ("images", "vectors"):
        with toys.samples(kind) as (X, y, _):
            A, labels = level.resample(X, y.copy(), seed=0)
        expect(isinstance(A, csr_array) and A.dtype == np.float64, f"got {kind_of(A)}")
        expect(A.shape[1] == len(y), f"got shape {A.shape}; expected {len(y)} columns")
        sums = A.sum(axis=1)
        expect(np.allclose(sums, 1), f"got rows that sum to {sums.min():.3g} to {sums.max():.3g}")
        expect_labels(labels, A.shape[0], y)


def samples_are_made(level: PlainSampler) -> None:
    """Make finite samples of the size of those that it is given, each with one of their labels."""
    for kind in ("images", "vectors"):
        with toys.samples(kind) as (X, y, _):
            made, _, labels = level.apply(X, y.copy(), seed=0)
        expect_labels(labels, len(made), y)


def one_seed_gives_one_resampled_set(level: Resampler) -> None:
    """One seed gives one result."""
    with toys.samples("vectors") as (X, y, _):
        (made, A, labels), (others, B, their_labels) = (level.apply(X, y.copy(), seed=3) for _ in range(2))
        are_equal = np.array_equal(made[:], others[:]) and _are_equal(A, B) and np.array_equal(labels, their_labels)
    expect(are_equal, "got another result at the second call")


def labels_are_left_as_they_are(level: Resampler) -> None:
    """All samples and labels that it is given stay as they are."""
    with toys.samples("vectors") as (X, y, _):
        given = y.copy()
        level.apply(X, given, seed=0)  # samples are write-protected
        expect(np.array_equal(given, y), "got other labels after the call")


def any_sizes_will_do(level: Resampler) -> None:
    """Classes of a single sample, or all of one size, are resampled or infeasible, and nothing else."""
    for sizes in ((20, 1, 3), (10, 10, 10), (1, 1)):
        with toys.samples("vectors", sizes) as (X, y, _):
            try:
                level.resample(X, y, seed=0)
            except InfeasibleError:
                pass
            except Exception as error:
                raise ContractError(f"got {type(error).__name__} for sizes {sizes}: {error}") from error


def images_become_vectors(level: TrainedRepresentation) -> None:
    """Trained on mixtures, it maps images of either partition to finite vectors, each by itself."""
    with toys.samples("images") as (X, y, X_test):
        represent = level.train(X, *toys.mixtures(y), seed=0)
        for samples in (X, X_test):
            got = represent(samples)
            is_shaped = isinstance(got, np.ndarray) and got.ndim == 2 and len(got) == len(samples)
            expect(is_shaped and np.isfinite(got).all(), f"got {kind_of(got)}; expected {len(samples)} finite vectors")


def one_seed_gives_one_map(level: TrainedRepresentation) -> None:
    """One seed gives one result, whatever else was trained in between."""
    with toys.samples("images") as (X, y, X_test):
        first = level.train(X, *toys.mixtures(y), seed=0)(X_test)
        level.train(X, *toys.mixtures(y), seed=1)
        again = level.train(X, *toys.mixtures(y), seed=0)(X_test)
        expect(np.array_equal(first, again), "got another result at the second training")


def labels_are_predicted(level: Classifier) -> None:
    """Resampled data train it; every test sample is given one of the labels, int64, and its scores are finite."""
    with toys.samples(level.takes) as (X, y, X_test):
        model = _fit(level, X, y)
        predictions(model, X_test, len(np.unique(y)))
        expect_labels(model.predict(X_test), len(X_test), y)


def one_seed_gives_one_classifier(level: Classifier) -> None:
    """One seed gives one result, and what has been fitted stays so whatever else is fitted."""
    with toys.samples(level.takes) as (X, y, X_test):
        first = _fit(level, X, y)
        predicted = first.predict(X_test)
        _fit(level, X, y[::-1], seed=1)
        expect(np.array_equal(first.predict(X_test), predicted), "got other predictions after another fit")
        expect(np.array_equal(_fit(level, X, y).predict(X_test), predicted), "got another result at the second fit")


def mixtures_are_left_as_they_are(level: Classifier) -> None:
    """All samples, mixtures and labels that it is given stay as they are."""
    with toys.samples(level.takes) as (X, y, _):
        A, labels = toys.mixtures(y)
        B, given = A.copy(), labels.copy()
        level.fit(X, B, given, seed=0, checkpoint=NO_CHECKPOINT)  # samples are write-protected
        expect(_are_equal(A, B) and np.array_equal(given, labels), "got another matrix or labels after the call")


def _fit(level: Classifier, X: Samples, y: NDArray[np.int64], *, seed: int = 0) -> Any:
    return level.fit(X, *toys.mixtures(y), seed=seed, checkpoint=NO_CHECKPOINT)


def _are_equal(A: csr_array, B: csr_array) -> bool:
    return A.shape == B.shape and not abs(A - B).nnz


OF_RESAMPLERS: tuple[Check, ...] = (
    rows_are_mixtures,
    one_seed_gives_one_resampled_set,
    labels_are_left_as_they_are,
    any_sizes_will_do,
)
OF_PLAIN_SAMPLERS: tuple[Check, ...] = (
    samples_are_made,
    one_seed_gives_one_resampled_set,
    labels_are_left_as_they_are,
)
OF_CLASSIFIERS: tuple[Check, ...] = (
    labels_are_predicted,
    one_seed_gives_one_classifier,
    mixtures_are_left_as_they_are,
)
OF_TRAINED: tuple[Check, ...] = (
    images_become_vectors,
    one_seed_gives_one_map,
)
