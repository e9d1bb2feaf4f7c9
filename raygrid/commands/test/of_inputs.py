"""The checks of `test` for data sets and representations, which make the inputs of cells."""

from functools import cache

import numpy as np

from raygrid.commands.test import toys
from raygrid.commands.test.expect import Check, expect
from raygrid.datasets import DatasetLevel, Images
from raygrid.representations import Representation

# Results of two batches of images may differ so much, relative to the largest: networks sum in another order.
_ROUNDING = 1e-3


def content_has_a_fingerprint(level: DatasetLevel) -> None:
    """Its fingerprint is text."""
    expect(isinstance(level.fingerprint(), str), f"got {level.fingerprint()!r}; expected text")


def images_are_as_asked_for(level: DatasetLevel) -> None:
    """Images can be fetched, and come in the size that is asked for."""
    level.fetch()
    for side in (toys.SIDE, toys.SIDE + 8):
        got = _loaded(level, side)
        expect(isinstance(got, Images), f"got {type(got).__name__}; expected Images")  # which look at the rest
        shape = got.X.shape[1:]
        expect(shape == (side, side, 3), f"got images of shape {shape}; expected {(side, side, 3)}")


def images_are_always_the_same(level: DatasetLevel) -> None:
    """Images, labels and parts are the same at every call."""
    one, other = _loaded(level, toys.SIDE), level.load(toys.SIDE, "bilinear")
    for name in ("X", "y", "class_names"):
        expect(np.array_equal(getattr(one, name), getattr(other, name)), f"got another {name} at the second call")
    is_same = one.parts.keys() == other.parts.keys() and all(
        np.array_equal(index, other.parts[part]) for part, index in one.parts.items()
    )
    expect(is_same, "got other parts at the second call")


def images_are_counted(level: DatasetLevel) -> None:
    """Its `n_images` is the number of images, or None."""
    n_images = len(_loaded(level, toys.SIDE).y)
    expect(level.n_images() in (None, n_images), f"got {level.n_images()}; expected {n_images} or None")


@cache
def _loaded(level: DatasetLevel, side: int) -> Images:
    return level.load(side, "bilinear")


def images_become_what_it_gives(level: Representation) -> None:
    """Images become finite numbers: vectors, or images of the same size."""
    X = toys.images(8)
    got = level.transform(X, seed=0)
    expect(isinstance(got, np.ndarray), f"got {type(got).__name__}; expected an array")
    is_shaped = got.shape == X.shape if level.gives == "images" else got.ndim == 2 and len(got) == len(X)
    expect(is_shaped, f"got shape {got.shape} of images of shape {X.shape}; it gives {level.gives}")
    expect(got.dtype.kind in "uif" and np.isfinite(got).all(), f"got {got.dtype}, not all of it finite numbers")


def every_image_is_mapped_by_itself(level: Representation) -> None:
    """Every image becomes the same, whichever others come with it."""
    X = toys.images(8)
    together = level.transform(X, seed=0).astype(np.float64)
    others = level.transform(X[4:2:-1], seed=0).astype(np.float64)
    furthest = np.abs(together[4:2:-1] - others).max()
    expect(furthest <= _ROUNDING * np.abs(together).max(), f"got values that differ by up to {furthest:.3g}")


def the_seed_counts_as_said(level: Representation) -> None:
    """One seed gives one result; another seed another one, just where `is_seeded` says so."""
    one, again, other = (level.transform(toys.images(8), seed=seed) for seed in (0, 0, 1))
    expect(np.array_equal(one, again), "got another result at the second call")
    differs = not np.array_equal(one, other)
    expect(differs == level.is_seeded, f"got {'another' if differs else 'the same'} result for another seed")


def images_are_left_as_they_are(level: Representation) -> None:
    """All images that it is given stay as they are."""
    X = toys.images(8).copy()
    level.transform(X, seed=0)
    expect(np.array_equal(X, toys.images(8)), "got others after the call")


def memory_is_told(level: Representation) -> None:
    """Its `bytes_per_image` is at least what an image becomes, or None."""
    declared, got = level.bytes_per_image(toys.SIDE), level.transform(toys.images(8), seed=0).nbytes / 8
    expect(declared is None or declared >= got, f"got {declared}; it becomes {got:g}")


OF_DATASETS: tuple[Check, ...] = (
    content_has_a_fingerprint,
    images_are_as_asked_for,
    images_are_always_the_same,
    images_are_counted,
)
OF_REPRESENTATIONS: tuple[Check, ...] = (
    images_become_what_it_gives,
    every_image_is_mapped_by_itself,
    the_seed_counts_as_said,
    images_are_left_as_they_are,
    memory_is_told,
)
