"""Simulated studies: methods that are equal, or differ by what is planted, on images that folds share.

A method's value in a fold is made of three parts besides its true level: how it does on each test image, what each
training image does to it (both drawn once an image, so that folds with images in common have them in common), and what
belongs to the fold alone, such as the class order, seeds and the draw of a resampler. Which images a fold has is decided
by raygrid's own splits and profiles.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from raygrid.cells import Cell
from raygrid.classifiers import CLASSIFIERS
from raygrid.datasets import DATASETS
from raygrid.folds import Fold, fold_of
from raygrid.images import Labels
from raygrid.imbalance import Harmonic, Natural, Profile
from raygrid.report.inference.design import Design
from raygrid.report.inference.paired import FEWEST_DATASETS, corrected_t, holm
from raygrid.report.inference.signed_rank import signed_rank_p
from raygrid.report.inference.families import is_testable
from raygrid.representations import REPRESENTATIONS
from raygrid.resampling import NoResampling
from raygrid.splits import Holdout, Official, Split, StratifiedKFold

Floats = NDArray[np.float64]

ALPHA = 0.05
N_CLASSES, N_TRAIN, N_TEST = 5, 40, 20  # images of each class; pooled where the split is not official


@dataclass(frozen=True)
class Shape:
    """How a study is made: its split, its folds and its levels of imbalance."""

    name: str
    split: Split
    n_folds: int
    profiles: tuple[Profile, ...] = (Natural(name="natural"),)


IRS = tuple(Harmonic(name="harmonic", ir=ir) for ir in (2.0, 5.0, 10.0))
SHAPES = (
    Shape("official parts, IR 2, 5, 10, 10 folds", Official(), 10, IRS),
    Shape("official parts, IR 2, 5, 10, 3 folds", Official(), 3, IRS),
    Shape("5-fold", StratifiedKFold(n_splits=5), 5),
    Shape("5-fold, IR 2, 5, 10", StratifiedKFold(n_splits=5), 5, IRS),
    Shape("5 x 2-fold", StratifiedKFold(n_splits=2), 10),
    Shape("2 x 5-fold", StratifiedKFold(n_splits=5), 10),
    Shape("10 holdouts of 0.3", Holdout(test=0.3), 10),
)


@dataclass(frozen=True)
class Truth:
    """What is true of the methods.

    Attributes
    ----------
    n_methods : int
    planted : tuple of float
        What is added to the first methods, in standard deviations of a fold's value.
    of_dataset : float
        Standard deviation of what is added to each method in each data set: equal on average, not within a data set.
    of_fold : float
        Variance of what belongs to a fold alone, relative to what comes from its test images.
    of_training : float
        Variance of what one training image adds, relative to that of one test image.
    """

    n_methods: int = 6
    planted: tuple[float, ...] = ()
    of_dataset: float = 0.0
    of_fold: float = 1.0
    of_training: float = 0.25


@dataclass(frozen=True)
class Studies:
    """Many studies of one shape: the values, what is true in each data set, and how its folds share images."""

    values: Floats
    """By study, data set, level, fold and method."""
    effects: Floats
    """By study, data set and method."""
    correlation: float
    degrees: int


@cache
def weights(shape: Shape) -> tuple[Floats, Floats, float, int]:
    """Return how much each image weighs in a fold at a level, as training and as test image, and the correlation."""
    official = isinstance(shape.split, Official)
    y = np.tile(np.arange(N_CLASSES), N_TRAIN + N_TEST)
    halves = np.split(np.arange(len(y)), [N_CLASSES * N_TRAIN])
    data = Labels(y, tuple("abcde"), dict(zip(("train", "test"), halves, strict=True)) if official else {})
    cells = [[_cell(shape, profile, fold) for fold in range(shape.n_folds)] for profile in shape.profiles]
    folds = [[fold_of(cell, data) for cell in of_level] for of_level in cells]
    sizes = {
        str(level): {i: np.array([np.bincount(y[part]) for part in (fold.train, fold.test)]) for i, fold in enumerate(of)}
        for level, of in enumerate(folds)
    }
    design = Design(shape.split, sizes)
    parts = (np.array([[_weights(y, part(fold)) for fold in of] for of in folds]) for part in (_train, _test))
    return *parts, design.correlation(list(sizes), range(shape.n_folds)), design.degrees(range(shape.n_folds))


def _train(fold: Fold) -> NDArray[np.int64]:
    return fold.train


def _test(fold: Fold) -> NDArray[np.int64]:
    return fold.test


def _weights(y: NDArray[np.int64], index: NDArray[np.int64]) -> Floats:
    """Return what each image weighs in a mean over classes of means over images."""
    found = np.zeros(len(y))
    found[index] = 1 / (N_CLASSES * np.bincount(y[index])[y[index]])
    return found


def _cell(shape: Shape, profile: Profile, fold: int) -> Cell:
    return Cell(
        dataset=DATASETS["digits"](),
        imbalance=profile,
        fold=fold,
        representation=REPRESENTATIONS["raw"](),
        resampler=NoResampling(),
        classifier=CLASSIFIERS["svm"](),
        image_size=32,
        interpolation="bilinear",
        seed=7,
        split=shape.split,
    )


def simulated(shape: Shape, truth: Truth, *, n_studies: int, n_datasets: int, seed: int) -> Studies:
    """Simulate studies."""
    rng = np.random.default_rng(seed)
    train, test, *sharing = weights(shape)
    unit = np.sqrt((test**2).sum(axis=-1).mean())  # the standard deviation that comes from a fold's test images
    n_methods, size = truth.n_methods, (n_studies, n_datasets)
    scale = 1 + np.arange(n_methods) / n_methods  # some methods vary more than others
    effects = rng.normal(size=(*size, n_methods)) * truth.of_dataset
    effects[..., : len(truth.planted)] += truth.planted
    images = test.shape[-1]
    on_test, of_training = rng.normal(size=(2, *size, images, n_methods)) * scale / unit
    from_images = np.einsum("lfi,sdik->sdlfk", test, on_test, optimize=True)
    from_images += np.sqrt(truth.of_training) * np.einsum("lfi,sdik->sdlfk", train, of_training, optimize=True)
    of_fold = rng.normal(size=(*size, 1, shape.n_folds, n_methods)) * scale
    of_cell = rng.normal(size=(*size, len(shape.profiles), shape.n_folds, n_methods)) * scale
    own = np.sqrt(truth.of_fold / 2) * (of_fold + of_cell)
    return Studies(effects[:, :, None, None] + from_images + own, effects, *sharing)


def claims(studies: Studies, pairs: Sequence[tuple[int, int]]) -> Floats:
    """Return what the report's primary analysis claims: by study, place and pair, 1 where left is better, -1 or 0.

    The places are the data sets, or with six data sets the one that stands for all.
    """
    left, right = np.transpose(pairs)
    by_fold = studies.values.mean(axis=2)
    differences = by_fold[..., left] - by_fold[..., right]  # study, data set, fold, pair
    n_studies, n_datasets = differences.shape[:2]
    if n_datasets >= FEWEST_DATASETS:
        over = differences.mean(axis=2)
        if not is_testable(n_datasets, len(pairs), alpha=ALPHA):
            return np.zeros((n_studies, 1, len(pairs)))
        told = holm(signed_rank_p(over)) < ALPHA
        return (told * np.sign(np.median(over, axis=1)))[:, None]
    found = corrected_t(differences, studies.correlation, studies.degrees)
    told = holm(found.p.reshape(n_studies, -1)) < ALPHA
    return np.asarray(told.reshape(found.mean.shape) * np.sign(found.mean))


def all_pairs(n_methods: int) -> list[tuple[int, int]]:
    return list(combinations(range(n_methods), 2))


def against_first(n_methods: int) -> list[tuple[int, int]]:
    return [(other, 0) for other in range(1, n_methods)]


def false_claims(studies: Studies, pairs: Sequence[tuple[int, int]], truth: Truth) -> float:
    """Return the share of studies with any false claim.

    Within a data set a claim is false if that data set's methods do not differ that way; over data sets, if methods do
    not do so on average.
    """
    claimed = claims(studies, pairs)
    planted = np.zeros(truth.n_methods)
    planted[: len(truth.planted)] = truth.planted
    true = studies.effects if claimed.shape[1] == studies.effects.shape[1] else planted[None, None]
    left, right = np.transpose(pairs)
    wrong = (claimed != 0) & (claimed != np.sign(true[..., left] - true[..., right]))
    return float(wrong.any(axis=(1, 2)).mean())
