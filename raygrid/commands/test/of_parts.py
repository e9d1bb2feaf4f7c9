"""What is checked of what chooses a cell's samples: profiles of imbalance and splits."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from raygrid.commands.test.expect import Check, expect, kind_of
from raygrid.images import Labels
from raygrid.imbalance import Profile
from raygrid.splits import Parts, Split

# Samples of each class, by rank.
_SIZES = ((500,) * 10, (300, 120, 45, 45, 9), (40, 3), (1, 1))


def sizes_are_within_what_there_is(level: Profile) -> None:
    """Sizes are whole numbers, at least 0 and at most as many as there are of the class."""
    for available, kept in _kept(level):
        expect(len(kept) == len(available), f"got {len(kept)} sizes for {len(available)} classes")
        for rank, (size, most) in enumerate(zip(kept, available, strict=True)):
            expect(isinstance(size, int | np.integer), f"got {size!r} for rank {rank}; expected a whole number")
            expect(0 <= size <= most, f"got {size} for rank {rank}; expected 0 to {most}")


def sizes_fall_with_the_rank(level: Profile) -> None:
    """Of classes that are equally large, one of a later rank does not keep more."""
    for available, kept in _kept(level):
        if len(set(available)) == 1:
            expect(list(kept) == sorted(kept, reverse=True), f"got {list(kept)} of {available[0]} each")


def sizes_are_always_the_same(level: Profile) -> None:
    """Sizes and the order of the classes are the same at every call."""
    for (available, kept), (_, again) in zip(_kept(level), _kept(level), strict=True):
        expect(list(kept) == list(again), f"got {list(kept)}, then {list(again)}")
        orders = [level.order(available, seed=3).tolist() for _ in range(2)]
        expect(orders[0] == orders[1], f"got the order {orders[0]}, then {orders[1]}")
        expect(
            sorted(orders[0]) == list(range(len(available))), f"got the order {orders[0]} of {len(available)} classes"
        )


def _kept(level: Profile) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
    for available in _SIZES:
        yield available, level.kept(available)


def parts_are_disjoint(level: Split) -> None:
    """Train, test and, where it makes one, validation have ascending indices, and no index is in two of them."""
    for parts in _folds(level):
        expect({"train", "test"} <= set(parts) <= {"train", "validation", "test"}, f"got {', '.join(parts)}")
        for part, index in parts.items():
            is_array = isinstance(index, np.ndarray) and index.dtype == np.int64 and index.ndim == 1
            expect(is_array, f"got {part}: {kind_of(index)}; expected indices, int64")
            expect((np.diff(index) > 0).all(), f"got {part} whose indices do not ascend")
            expect(
                not len(index) or 0 <= index[0] <= index[-1] < len(_DATA.y), f"got {part} with an index of no sample"
            )
        every = np.concatenate(list(parts.values()))
        expect(len(every) == len(set(every.tolist())), "got an index that is in two parts")


def every_class_is_on_both_sides(level: Split) -> None:
    """Every class has samples in train and in test."""
    for parts in _folds(level):
        for part in ("train", "test"):
            for label in np.setdiff1d(_DATA.y, _DATA.y[parts[part]]):
                expect(False, f"got no sample of class {label} in {part}")


def one_seed_gives_one_split(level: Split) -> None:
    """One seed gives one result in every fold."""
    for parts, again in zip(_folds(level), _folds(level), strict=True):
        is_same = parts.keys() == again.keys() and all(np.array_equal(parts[part], again[part]) for part in parts)
        expect(is_same, "got other parts at the second call")


def _data() -> Labels:
    """Return 120 labels of four unequal classes, in parts of which each has every class."""
    y = np.random.default_rng(0).permutation(np.repeat(np.arange(4), (60, 30, 18, 12)))
    dealt = np.empty(len(y), dtype=np.int64)
    for label in range(4):
        members = np.flatnonzero(y == label)
        dealt[members] = np.arange(len(members)) % 3
    official: Mapping[str, np.ndarray] = {"train": np.flatnonzero(dealt < 2), "test": np.flatnonzero(dealt == 2)}
    return Labels(y, tuple("abcd"), official)


_DATA = _data()


def _folds(level: Split) -> Iterator[Parts]:
    for fold in range(2 * level.n_folds_in_turn):
        yield level.parts(_DATA, fold=fold, seed=5)


OF_PROFILES: tuple[Check, ...] = (
    sizes_are_within_what_there_is,
    sizes_fall_with_the_rank,
    sizes_are_always_the_same,
)
OF_SPLITS: tuple[Check, ...] = (
    parts_are_disjoint,
    every_class_is_on_both_sides,
    one_seed_gives_one_split,
)
