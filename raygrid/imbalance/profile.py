"""The contract of an imbalance profile: class sizes by the rank of the class, exact fractions, pure."""

from abc import abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from raygrid.level import Level
from raygrid.seeds import seed_for

Ints = NDArray[np.int64]
Order = Literal["random", "given", "by_size"]
TestRule = Literal["same", "balanced", "natural"]


class Profile(Level):
    """A level of the imbalance axis. A subclass defines `kept`.

    Attributes
    ----------
    class_order : {"random", "given", "by_size"}
        Which class has which rank: another random order in each fold, the order of the class names, or from the largest
        class of the training part to the smallest.
    test : {"same", "balanced", "natural"}
        What is done to the test part: the same profile, as many samples of each class as the smallest has, or nothing.
    """

    class_order: Order = "random"
    test: TestRule = "same"

    @property
    def ratio(self) -> float | None:
        """The ratio of the largest class to the smallest that is asked for; None where the data decide."""
        return None

    @property
    def stream(self) -> str | float:
        """What the seeds of a cell's stages know of this level."""
        return self.model_dump_json()

    @abstractmethod
    def kept(self, available: Sequence[int]) -> Sequence[int]:
        """Return how many samples of each class are kept.

        Parameters
        ----------
        available : sequence of int
            Samples of each class, by rank: the class that is to be the largest first. Where the order is random, every
            class may have every rank, so all of these are the size of the smallest class.

        Returns
        -------
        sequence of int
            By rank, at least 0 and at most `available`. A cell with a 0 is infeasible.
        """

    def order(self, sizes: Sequence[int], *, seed: int) -> Ints:
        """Return the classes by rank, (n_classes,).

        Parameters
        ----------
        sizes : sequence of int
            Of the classes in the training part.
        seed : int
            Of the fold.
        """
        if self.class_order == "random":
            return np.random.default_rng(seed_for(seed, "class order")).permutation(len(sizes))
        labels = np.arange(len(sizes))
        return labels if self.class_order == "given" else np.argsort(-np.asarray(sizes), kind="stable")

    def sizes(self, available: Sequence[int], order: Ints) -> Ints:
        """Return how many samples of each class a part of the data keeps, by label: (n_classes,).

        Parameters
        ----------
        available : sequence of int
            Samples of each class in that part, by label.
        order : array of shape (n_classes,), int64
            The classes by rank.
        """
        by_rank = [int(available[label]) for label in order]
        if self.class_order == "random":
            by_rank = [min(by_rank)] * len(by_rank)
        sizes = np.empty(len(order), dtype=np.int64)
        sizes[order] = np.clip(_kept(self, tuple(by_rank)), 0, by_rank)
        return sizes

    def test_sizes(self, available: Sequence[int], order: Ints) -> Ints:
        """Return the same for the test part."""
        if self.test == "same":
            return self.sizes(available, order)
        sizes = np.array(available, dtype=np.int64)
        return sizes if self.test == "natural" else np.full_like(sizes, sizes.min())


@lru_cache(maxsize=2**16)  # exact fractions are slow, and most folds of a grid have the same sizes
def _kept(profile: Profile, available: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(profile.kept(available))


class ProfileWithRatio(Profile):
    """A profile that follows from the size of the first class and a ratio. A subclass defines `size`.

    Attributes
    ----------
    ir : float
        Imbalance ratio, at least 1: the size of the first class over that of the last.
    """

    ir: Annotated[float, Field(ge=1)]

    @property
    def ratio(self) -> float:
        """The imbalance ratio."""
        return self.ir

    @property
    def text(self) -> str:
        """The name and the ratio."""
        return f"{self.name}-{self.ir:g}"

    @abstractmethod
    def size(self, n: int, rank: int, n_classes: int) -> int:
        """Return how many samples the class of a rank, 0 to n_classes - 1, keeps where the first keeps n: exactly."""

    def kept(self, available: Sequence[int]) -> Sequence[int]:
        """Return the sizes for the largest n that the data allow."""
        n_classes = len(available)

        def sizes(n: int) -> list[int]:
            return [self.size(n, rank, n_classes) for rank in range(n_classes)]

        def fits(n: int) -> bool:
            return all(size <= most for size, most in zip(sizes(n), available, strict=True))

        low, high = 0, available[0]  # the sizes grow with n
        if fits(high):
            return sizes(high)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if fits(middle) else (low, middle - 1)
        return sizes(low)


def exact(ratio: float) -> Fraction:
    """Return the number that a grid file spells: 1.1 is eleven tenths, not the nearest binary fraction."""
    return Fraction(str(ratio))
