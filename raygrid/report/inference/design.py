"""How the folds of a data set share images, which decides what their spread says about other images.

References
----------
Nadeau, Bengio (2003), Inference for the generalization error, Machine Learning 52. Bouckaert, Frank (2004), Evaluating
the replicability of significance tests for comparing learning algorithms, PAKDD: the same ratio, of repeated k-fold
cross-validation.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from raygrid.axes import IMBALANCE
from raygrid.report.results import Results
from raygrid.splits import Official, Split

Floats = NDArray[np.float64]
Level = str | float
PARTS = ("train", "test")


@dataclass(frozen=True)
class Design:
    """The folds of one data set.

    Attributes
    ----------
    split : Split
    sizes : mapping
        By level of imbalance, then by fold: an array of shape (2, n_classes), the samples of each class in the part
        that is trained on and in the one that is tested.
    """

    split: Split = field(default_factory=Official)
    sizes: Mapping[Level, Mapping[int, Floats]] = field(default_factory=dict)

    def correlation(self, levels: Iterable[Level], folds: Sequence[int]) -> float:
        """Return how correlated the values of two folds are because they share images, from 0 to 1.

        Of folds that are drawn from one pool it is n_test / (n_train + n_test), by the realised sizes (Nadeau and
        Bengio, 2003). In official parts every fold draws from the same test images, so that more is shared: it is the
        larger of the shares of the two parts that two folds have in common.

        Parameters
        ----------
        levels : iterable
            The levels of imbalance over which the value of a fold is a mean.
        folds : sequence of int
            Those that have a value at all of these levels.
        """
        sizes = np.array([[self.sizes[level][fold] for fold in folds] for level in levels])  # level, fold, part, class
        if not isinstance(self.split, Official):
            n_train, n_test = sizes.sum(axis=(0, 1, 3))
            return float(n_test / (n_train + n_test))
        pools = np.max([size for of_level in self.sizes.values() for size in of_level.values()], axis=0)
        return max(shared(sizes[:, :, part], pools[part]) for part in range(len(PARTS)))

    def degrees(self, folds: Sequence[int]) -> int:
        """Return the degrees of freedom of a deviation over these folds.

        Folds that are tested in turn add up to the whole data set, so that each complete turn takes one.
        """
        in_turn = self.split.n_folds_in_turn
        turns = Counter(fold // in_turn for fold in folds)
        return len(folds) - max(1, sum(n == in_turn > 1 for n in turns.values()))


def shared(sizes: Floats, pools: Floats) -> float:
    """Return the share of the variance from the draw of images that two folds have in common.

    The value of a fold is taken as a mean over levels and classes of means over images, as average accuracy is: an
    image of a class of size n weighs 1 / n. What a fold keeps at a higher ratio is some of what it keeps at a lower
    one; another fold draws its own from the same pool.

    Parameters
    ----------
    sizes : array of shape (n_levels, n_folds, n_classes), float64
    pools : array of shape (n_classes,), float64
        The images of each class that folds draw from: the most that any fold keeps, as records do not have the pool.
    """
    within = np.mean([(1 / np.maximum(one, other)).sum(axis=1).mean() for one in sizes for other in sizes])
    return float((1 / pools).sum() / within)


def designs_of(results: Results) -> dict[str, Design]:
    """Return the design of every data set, from the class counts of the records."""
    sizes: dict[str, dict[Level, dict[int, Floats]]] = {name: {} for name in dict.fromkeys(results.places["dataset"])}
    done = results.places[results.places["status"] == "done"].drop_duplicates(["dataset", IMBALANCE, "fold"])
    for dataset, level, fold, key in done[["dataset", IMBALANCE, "fold", "key"]].itertuples(index=False, name=None):
        counts = results.records[key].class_counts
        of_level = sizes[dataset].setdefault(level, {})
        of_level[fold] = np.array([counts[part] for part in PARTS], dtype=np.float64)
    split = results.cells[0].split if results.cells else Official()
    return {dataset: Design(split, of_dataset) for dataset, of_dataset in sizes.items()}
