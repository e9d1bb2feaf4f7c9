"""Simulated studies: methods that are equal, or differ by what is planted, in folds that share images.

A method's value in a fold has three parts besides its true level: how it does on each test image, what each training
image does to it, both of which folds with images in common have in common, and what belongs to the fold alone, such as
the class order, seeds and the draw of a resampler. Which images a fold has is decided by raygrid's own splits and
profiles, and what is claimed by the functions that the report calls.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from math import inf

import numpy as np
from numpy.typing import NDArray

from raygrid.cells import Cell
from raygrid.classifiers import CLASSIFIERS
from raygrid.datasets import DATASETS
from raygrid.folds import Fold, fold_of
from raygrid.images import Labels
from raygrid.imbalance import Harmonic, Natural, Profile
from raygrid.report.inference.design import Design
from raygrid.report.inference.families import ALPHA, is_testable
from raygrid.report.inference.paired import FEWEST_DATASETS, corrected_t, holm
from raygrid.report.inference.signed_rank import signed_rank_p
from raygrid.representations import REPRESENTATIONS
from raygrid.resampling import NoResampling
from raygrid.splits import Holdout, Official, Split, StratifiedKFold

Floats = NDArray[np.float64]
Pairs = Sequence[tuple[int, int]]

N_CLASSES, N_TRAIN, N_TEST = 5, 40, 20  # images of each class; pooled where the split is not official


@dataclass(frozen=True)
class Shape:
    """How a study is made: its split, its folds and its levels of imbalance."""

    name: str
    split: Split
    n_folds: int
    profiles: tuple[Profile, ...] = (Natural(name="natural"),)


IRS = tuple(Harmonic(name="harmonic", ir=ir) for ir in (2.0, 5.0, 10.0))
PAPER = Shape("official parts, IR 2, 5, 10, 10 folds", Official(), 10, IRS)
SHAPES = (
    PAPER,
    Shape("official parts, IR 2, 5, 10, 3 folds", Official(), 3, IRS),
    Shape("official parts, IR 10, 10 folds", Official(), 10, IRS[2:]),
    Shape("5-fold", StratifiedKFold(n_splits=5), 5),
    Shape("5-fold, IR 2, 5, 10", StratifiedKFold(n_splits=5), 5, IRS),
    Shape("5 x 2-fold", StratifiedKFold(n_splits=2), 10),
    Shape("2 x 5-fold", StratifiedKFold(n_splits=5), 10),
    Shape("10-fold", StratifiedKFold(n_splits=10), 10),
    Shape("10 holdouts of 0.3", Holdout(test=0.3), 10),
)


@dataclass(frozen=True)
class Truth:
    """What is true of the methods.

    Attributes
    ----------
    n_methods : int
    planted : tuple of float
        What is added to the first methods, in standard deviations of what comes from a fold's test images.
    of_dataset : float
        Standard deviation of what is added to each method in each data set: equal on average, not within a data set.
    of_fold : float
        Variance of what belongs to a fold alone, half of it shared by its levels, relative to that of its test images.
    of_training : float
        Variance of what one training image adds, relative to that of one test image.
    tails : float
        Degrees of freedom of what belongs to a fold alone; infinite: normal. Few: now and then a training fails.
    """

    n_methods: int = 6
    planted: tuple[float, ...] = ()
    of_dataset: float = 0.0
    of_fold: float = 0.25
    of_training: float = 0.25
    tails: float = inf

    @property
    def on_average(self) -> Floats:
        """What is true of each method on average over data sets."""
        return np.array([*self.planted, *[0.0] * (self.n_methods - len(self.planted))])


@dataclass(frozen=True)
class Studies:
    """Many studies of one shape.

    Attributes
    ----------
    values : array of shape (n_studies, n_datasets, n_levels, n_folds, n_methods), float64
    effects : array of shape (n_studies, n_datasets, n_methods), float64
        What is true in each data set.
    correlation, degrees
        As the design has them.
    correlation_of_ends
        The correlation over the least and the most imbalance alone.
    """

    values: Floats
    effects: Floats
    correlation: float
    degrees: int
    correlation_of_ends: float


def simulated(shape: Shape, truth: Truth, *, n_studies: int, n_datasets: int, seed: int) -> Studies:
    rng = np.random.default_rng(seed)
    of_images, alone = covariances(shape, truth)
    design, n_levels, n_folds = weights(shape)[2], len(shape.profiles), shape.n_folds
    size = (n_studies, n_datasets, truth.n_methods)
    effects = truth.on_average + truth.of_dataset * rng.normal(size=size)
    shared = rng.normal(size=(*size, len(alone))) @ _root(of_images)
    own = rng.normal(size=shared.shape) if truth.tails == inf else rng.standard_t(truth.tails, size=shared.shape)
    scale = 1 + np.arange(truth.n_methods) / truth.n_methods  # some methods vary more than others
    values = effects[..., None] + scale[:, None] * (shared + np.sqrt(truth.of_fold) * (own @ _root(alone)))
    values = np.moveaxis(values.reshape(*size, n_levels, n_folds), 2, -1)
    levels, folds = list(design.sizes), range(n_folds)
    correlations = [design.correlation(some, folds) for some in (levels, levels[:1] + levels[-1:])]
    return Studies(values, effects, correlations[0], design.degrees(folds), correlations[1])


def covariances(shape: Shape, truth: Truth) -> tuple[Floats, Floats]:
    """Return how values at two (level, fold) vary together: by the images they share, and by what a fold has alone."""
    train, test, _ = weights(shape)
    n_levels = len(shape.profiles)
    unit = (test**2).sum(axis=1).mean()
    alone = np.kron(np.ones((n_levels, n_levels)) + np.eye(n_levels), np.eye(shape.n_folds)) / 2
    return (test @ test.T + truth.of_training * train @ train.T) / unit, alone


def variance_ratio(shape: Shape, truth: Truth) -> float:
    """Return the variance of a mean over folds, relative to what its estimate is on average; at most 1 is honest."""
    of_images, alone = covariances(shape, truth)
    n_levels, n = len(shape.profiles), shape.n_folds
    of_folds = (of_images + truth.of_fold * alone).reshape(n_levels, n, n_levels, n).mean(axis=(0, 2))
    spread = np.trace(of_folds) / n - (of_folds.sum() - np.trace(of_folds)) / (n * (n - 1))  # the mean of s squared
    design = weights(shape)[2]
    c = design.correlation(list(design.sizes), range(n))
    return float(of_folds.mean() / (spread * (1 / n + c / (1 - c))))


def _root(covariance: Floats) -> Floats:
    """Return the matrix that makes independent numbers have this covariance."""
    sizes, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(sizes, 0))).T)


@cache
def weights(shape: Shape) -> tuple[Floats, Floats, Design]:
    """Return what each image weighs in training and in testing, by level and fold, and the design."""
    official = isinstance(shape.split, Official)
    y = np.tile(np.arange(N_CLASSES), N_TRAIN + N_TEST)
    halves = np.split(np.arange(len(y)), [N_CLASSES * N_TRAIN])
    data = Labels(y, tuple("abcde"), dict(zip(("train", "test"), halves, strict=True)) if official else {})
    folds = range(shape.n_folds)
    found = {
        (profile.text, fold): fold_of(_cell(shape, profile, fold), data) for profile in shape.profiles for fold in folds
    }
    sizes = {profile.text: {fold: _sizes(y, found[profile.text, fold]) for fold in folds} for profile in shape.profiles}
    train, test = (
        np.array([_weights(y, getattr(fold, part)) for fold in found.values()]) for part in ("train", "test")
    )
    return train, test, Design(shape.split, sizes)


def _sizes(y: NDArray[np.int64], fold: Fold) -> Floats:
    return np.array([np.bincount(y[part]) for part in (fold.train, fold.test)], dtype=np.float64)


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


def all_pairs(n_methods: int) -> Pairs:
    """The comparisons of "Which method is best?"."""
    return list(combinations(range(n_methods), 2))


def against_last(n_methods: int) -> Pairs:
    """The comparisons of "What does resampling gain?": the last is none."""
    return [(other, n_methods - 1) for other in range(n_methods - 1)]


def claims(studies: Studies, pairs: Pairs) -> Floats:
    """Return what the primary analysis claims: by study, place and pair, 1 where left is better, -1 where right is.

    The places are the data sets; with six data sets or more there is one, which stands for all.
    """
    left, right = np.transpose(pairs)
    of_folds = studies.values.mean(axis=2)
    return _claimed(of_folds[..., left] - of_folds[..., right], studies.correlation, studies.degrees)


def cost_claims(studies: Studies) -> Floats:
    """Return the same of "What does imbalance cost?": the last method at the least imbalance and at the most."""
    ends = studies.values[:, :, [0, -1], :, -1:]
    return _claimed(ends[:, :, 0] - ends[:, :, 1], studies.correlation_of_ends, studies.degrees)


def _claimed(differences: Floats, correlation: float, degrees: int) -> Floats:
    """Return what is claimed of differences by study, data set, fold and pair."""
    n_studies, n_datasets, _, n_pairs = differences.shape
    if n_datasets < FEWEST_DATASETS:
        found = corrected_t(differences, correlation, degrees)
        told_apart = holm(found.p.reshape(n_studies, -1)) < ALPHA
        return np.asarray(told_apart.reshape(found.mean.shape) * np.sign(found.mean))
    over = differences.mean(axis=2)
    if not is_testable(n_datasets, n_pairs, alpha=ALPHA):
        return np.zeros((n_studies, 1, n_pairs))
    return ((holm(signed_rank_p(over)) < ALPHA) * np.sign(np.median(over, axis=1)))[:, None]


def false_claims(studies: Studies, pairs: Pairs, truth: Truth) -> float:
    """Return the share of studies with any claim that is false of what it is about: a data set, or all of them."""
    return float(is_false(studies, pairs, truth).mean())


def false_in_any(studies: Studies, truth: Truth) -> float:
    """Return the share of studies with a false claim in any of the three questions; imbalance costs nothing here."""
    n_methods = studies.values.shape[-1]
    found = [is_false(studies, pairs(n_methods), truth) for pairs in (all_pairs, against_last)]
    if studies.values.shape[2] > 1:
        found.append((cost_claims(studies) != 0).any(axis=(1, 2)))
    return float(np.any(found, axis=0).mean())


def is_false(studies: Studies, pairs: Pairs, truth: Truth) -> NDArray[np.bool_]:
    """Return of each study whether any of its claims is false."""
    claimed = claims(studies, pairs)
    true = studies.effects if claimed.shape[1] == studies.effects.shape[1] else truth.on_average[None, None]
    left, right = np.transpose(pairs)
    wrong = (claimed != 0) & (claimed != np.sign(true[..., left] - true[..., right]))
    return np.asarray(wrong.any(axis=(1, 2)))


def power(studies: Studies, pairs: Pairs) -> float:
    """Return the share of studies, and of the places in them, that claim the first pair."""
    return float((claims(studies, pairs)[..., 0] > 0).mean())
