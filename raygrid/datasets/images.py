"""Images and labels as arrays: one pool of samples, with the official parts as indices into it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from raygrid.errors import DataError, choices, printable

PARTS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Images:
    """A data set in memory: one pool of samples.

    Parameters
    ----------
    X : array of shape (n_samples, image_size, image_size, 3), uint8
        RGB, 0 to 255.
    y : array of shape (n_samples,), int64
        Labels, 0 to ``len(class_names) - 1``; each occurs.
    class_names : tuple of str
        The name of label i at place i.
    parts : mapping of str to array of int64
        The official parts, any of "train", "validation" and "test": ascending indices into X. No sample is in two
        parts. Empty where the data set comes without parts.
    notes : tuple of str
        What was done to the files that a user must know, a sentence each.

    Raises
    ------
    DataError
        An array is not of that dtype and shape, a label has no name, a class has no image, or the parts overlap.
    """

    X: NDArray[np.uint8]
    y: NDArray[np.int64]
    class_names: tuple[str, ...]
    parts: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_arrays("", self.X, self.y)
        _check_labels(self.y, self.class_names)
        _check_parts(self.parts, len(self.y))

    @classmethod
    def of_parts(
        cls,
        parts: Mapping[str, tuple[NDArray[np.uint8], NDArray[np.int64]]],
        class_names: tuple[str, ...],
        notes: tuple[str, ...] = (),
    ) -> "Images":
        """Return the pool of a data set that is split already: train, then validation, then test.

        Parameters
        ----------
        parts : mapping of str to (X, y)
            Any of "train", "validation" and "test", with arrays as of the pool.
        class_names, notes
            As of the pool.

        Raises
        ------
        DataError
            As for the pool, or the images of two parts differ in size.
        """
        for part, (X, y) in parts.items():
            _check_arrays(f"_{part}", X, y)
        sizes = {X.shape[1:] for X, _ in parts.values()}
        if len(sizes) != 1:
            raise DataError(f"X: got images of {len(sizes)} shapes {sorted(sizes)}; expected one shape in all parts")
        ordered = [parts[part] for part in sorted(parts, key=_place)]
        return cls(
            X=np.concatenate([X for X, _ in ordered]),
            y=np.concatenate([y for _, y in ordered]),
            class_names=class_names,
            parts=consecutive({part: len(y) for part, (_, y) in parts.items()}),
            notes=notes,
        )


def consecutive(sizes: Mapping[str, int]) -> dict[str, NDArray[np.int64]]:
    """Return the indices of parts of these sizes that lie one after the other: train, validation, test."""
    names = sorted(sizes, key=_place)
    bounds = pairwise(accumulate((sizes[name] for name in names), initial=0))
    return {name: np.arange(start, end) for name, (start, end) in zip(names, bounds, strict=True)}


def _place(part: str) -> int:
    if part not in PARTS:
        raise DataError(f"parts: {choices(part, PARTS)}")
    return PARTS.index(part)


def _check_arrays(suffix: str, X: NDArray[np.uint8], y: NDArray[np.int64]) -> None:
    is_square = X.ndim == 4 and X.shape[1] == X.shape[2] > 0 and X.shape[3] == 3
    if X.dtype != np.uint8 or not is_square:
        raise DataError(
            f"X{suffix}: got {X.dtype} of shape {X.shape}; expected uint8 of shape (n_samples, size, size, 3)"
        )
    if y.dtype != np.int64 or y.shape != (len(X),):
        raise DataError(
            f"y{suffix}: got {y.dtype} of shape {y.shape}; expected int64 of shape ({len(X)},), a label an image"
        )


def _check_labels(y: NDArray[np.int64], class_names: tuple[str, ...]) -> None:
    for name in class_names:
        if not _is_text(name):
            raise DataError(f"class {printable(name)}: got a name that is not UTF-8; rename it")
    if len(class_names) < 2:
        raise DataError(f"y: got {len(class_names)} class; expected at least 2; add images of others")
    present = np.unique(y)
    unnamed = [int(label) for label in present if not 0 <= label < len(class_names)]
    if unnamed:
        raise DataError(f"y: got label {unnamed[0]}; expected 0 to {len(class_names) - 1}")
    absent = [name for label, name in enumerate(class_names) if label not in present]
    if absent:
        raise DataError(
            f"y: got no image of {', '.join(absent)}; expected every class; add images, or take the class out"
        )


def _check_parts(parts: Mapping[str, NDArray[np.int64]], n_samples: int) -> None:
    for part in parts:
        _place(part)
    for part, index in parts.items():
        is_index = index.dtype == np.int64 and index.ndim == 1 and np.all(np.diff(index, prepend=-1) > 0)
        if not is_index or np.any(index >= n_samples):
            raise DataError(f"parts: {part}: expected ascending indices, int64, of the {n_samples} samples")
    if parts and np.bincount(np.concatenate(list(parts.values())), minlength=1).max() > 1:
        raise DataError(f"parts: got a sample in two of {', '.join(parts)}; expected each in one at most")


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
