"""Head, medium and tail: the groups of classes by how many training samples they have."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from raygrid.errors import UsageError

Group = Literal["head", "medium", "tail"]
GROUPS: tuple[Group, ...] = ("head", "medium", "tail")


@dataclass(frozen=True)
class Grouping:
    """How classes are grouped in a fold.

    Attributes
    ----------
    thresholds : pair of int or None
        The head has more training samples a class than the first, the tail fewer than the second (Liu et al., 2019,
        Large-scale long-tailed recognition in an open world, CVPR: 100 and 20). None: thirds of the classes by size;
        classes of one size are in one group.
    """

    thresholds: tuple[int, int] | None = None

    def of(self, sizes: Sequence[int], order: Sequence[int]) -> list[Group | None]:
        """Return the group of each class; None for all where thirds are asked for and all are equally large.

        Parameters
        ----------
        sizes : sequence of int
            Training samples of each class, before resampling.
        order : sequence of int
            The classes from the largest to the smallest.
        """
        if self.thresholds:
            high, low = self.thresholds
            return ["head" if size > high else "tail" if size < low else "medium" for size in sizes]
        groups: list[Group | None] = [None] * len(sizes)
        if len(set(sizes)) == 1:
            return groups
        n_ends = max(1, round(len(sizes) / 3))
        high, low = sizes[order[n_ends - 1]], sizes[order[-n_ends]]
        return [  # classes of one size are in one group
            "head" if low < size >= high else "tail" if high > size <= low else "medium" for size in sizes
        ]

    def __str__(self) -> str:
        if self.thresholds:
            high, low = self.thresholds
            return f"Head: classes of more than {high} training samples; tail: of fewer than {low}"
        return "Head, medium and tail: the classes of a fold in thirds, by their number of training samples"


THIRDS = Grouping()


def grouping_named(text: str) -> Grouping:
    """Return what ``thirds`` or, for example, ``100,20`` asks for.

    Raises
    ------
    UsageError
        It is neither.
    """
    if text == "thirds":
        return THIRDS
    try:
        high, low = map(int, text.split(","))
    except ValueError:
        high, low = 0, 1
    if not high >= low >= 1:
        raise UsageError(f"--groups: got {text!r}; expected thirds, or two numbers of training samples, such as 100,20")
    return Grouping((high, low))
