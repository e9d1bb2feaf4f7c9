"""Small pictures of samples for the page: one of each class, and samples that one method recognises and another not."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raygrid.axes import METHOD_AXES

Arrays = Mapping[str, NDArray[Any]]

_SIDE = 48  # in pixels
_MOST_CLASSES = 20  # of a data set
_MOST_SETS = 8
_OF_A_PAIR = 6  # samples that the first of two methods recognises and the second does not
_MOST_DISPUTED = 120  # with about 1.5 kB each they do not make the page long to load


@dataclass(frozen=True)
class Disputed:
    """Test samples of one fold on which methods disagree.

    Attributes
    ----------
    cells : tuple of str
        The keys of the cells that are compared: one a method, of the same data set, level of imbalance and fold.
    only : tuple of tuple of int
        How many test samples the row's cell recognises, and the column's does not.
    pictures : tuple of str
        Data URIs of some of them, so that each pair of cells has a few.
    samples : tuple of int
        Their indices into the data set.
    true, predicted : tuple of int, tuple of tuple of int
        Their labels, and what each cell has predicted.
    """

    cells: tuple[str, ...]
    only: tuple[tuple[int, ...], ...]
    pictures: tuple[str, ...]
    samples: tuple[int, ...]
    true: tuple[int, ...]
    predicted: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Pictures:
    """What the page shows of samples.

    Attributes
    ----------
    classes : mapping
        Of some data sets, by name: data URIs, one a class in the order of the labels, the first few classes.
    disputed : Disputed or None
    """

    classes: Mapping[str, Sequence[str]]
    disputed: Disputed | None = None


def class_pictures(pools: Mapping[str, Arrays]) -> dict[str, list[str]]:
    """Return a picture of the first sample of each class.

    Parameters
    ----------
    pools : mapping
        By data set: ``X`` of shape (n_samples, height, width, 3), uint8, and ``y``.
    """
    shown = list(pools.items())[:_MOST_SETS]
    return {name: [picture(pool["X"][at]) for at in _firsts(pool["y"])[:_MOST_CLASSES]] for name, pool in shown}


def _firsts(y: NDArray[np.int64]) -> list[int]:
    _, firsts = np.unique(y, return_index=True)
    return [int(at) for at in firsts]


def picture(image: NDArray[np.uint8]) -> str:
    """Return an image as a data URI of a small JPEG."""
    from PIL import Image

    file = BytesIO()
    small = Image.fromarray(np.asarray(image))
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    small.save(file, "JPEG", quality=75)
    return f"data:image/jpeg;base64,{b64encode(file.getvalue()).decode()}"


def disputed(pool: Arrays, predictions: Mapping[str, Arrays]) -> Disputed | None:
    """Find test samples on which cells of one fold disagree.

    Parameters
    ----------
    pool : mapping of str to array
        The images ``X`` of the data set.
    predictions : mapping
        By the cell's key, what its trial kept: ``y_true``, ``y_pred`` and ``test_index``, all of shape (n_test,).

    Returns
    -------
    Disputed or None
        None where fewer than two cells were tested on the same samples.
    """
    kept = {key: arrays for key, arrays in predictions.items() if {"y_true", "y_pred", "test_index"} <= set(arrays)}
    tests = {arrays["test_index"].tobytes() for arrays in kept.values()}
    if len(kept) < 2 or len(tests) > 1:
        return None
    first = next(iter(kept.values()))
    predicted = np.stack([arrays["y_pred"] for arrays in kept.values()])
    right = predicted == first["y_true"]
    at = _chosen(right)
    numbers = right.astype(np.int64)
    return Disputed(
        cells=tuple(kept),
        only=tuple(map(tuple, (numbers @ (1 - numbers).T).tolist())),
        pictures=tuple(picture(pool["X"][sample]) for sample in first["test_index"][at]),
        samples=tuple(first["test_index"][at].tolist()),
        true=tuple(first["y_true"][at].tolist()),
        predicted=tuple(map(tuple, predicted[:, at].tolist())),
    )


def _chosen(right: NDArray[np.bool_]) -> list[int]:
    """Return positions of test samples, so that every pair of cells has some; one that many disagree on serves many."""
    n_right = right.sum(axis=0)
    by_use = np.argsort(-n_right * (len(right) - n_right), kind="stable")
    chosen: dict[int, None] = {}
    for one, other in permutations(range(len(right)), 2):
        only = right[one] & ~right[other]
        candidates = by_use[only[by_use]][: _OF_A_PAIR + len(chosen)].tolist()
        lacking = _OF_A_PAIR - sum(only[at] for at in chosen)
        chosen |= dict.fromkeys([at for at in candidates if at not in chosen][: max(0, lacking)])
    return sorted(list(chosen)[:_MOST_DISPUTED])


def disputed_block(places: Any) -> list[str]:
    """Return the keys of cells to compare: of the first data set, its most imbalanced level, the fold with the most.

    Parameters
    ----------
    places : DataFrame
        Of `Results.places`.
    """
    done = places[places["status"] == "done"]
    if done.empty:
        return []
    of_first = done[done["dataset"] == done["dataset"].iloc[0]]
    most = of_first[of_first["imbalance"] == of_first["imbalance"].max()]
    fold = most["fold"].value_counts().sort_index(kind="stable").idxmax()
    block = most[most["fold"] == fold].drop_duplicates(list(METHOD_AXES))
    return list(block["key"])
