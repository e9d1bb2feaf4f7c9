"""What a study says about differences between methods: an answer to each question, by each metric.

References
----------
Demšar (2006), Statistical comparisons of classifiers over multiple data sets, JMLR 7. Nadeau, Bengio (2003), Inference
for the generalization error, Machine Learning 52.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from raygrid.metrics.further import reach_of
from raygrid.report.inference.design import Design
from raygrid.report.inference.families import (
    ALPHA,
    ROPE,
    PairedDifference,
    Pairs,
    family_in_folds,
    family_over_datasets,
)
from raygrid.report.inference.limits import limits_in_folds, limits_over_datasets
from raygrid.report.inference.mean_ranks import MeanRanks, mean_ranks
from raygrid.report.inference.paired import FEWEST_DATASETS
from raygrid.report.inference.questions import (
    BEST,
    COST,
    GAIN,
    Question,
    against_baseline,
    all_pairs,
    best_samples,
    cost_samples,
    gain_samples,
)
from raygrid.report.inference.samples import Sample, Values, columns_of, over_datasets, values_of

Samples = Callable[[Sequence[Values], Mapping[str, Design]], list[list[Sample]]]

# Question -> its samples, and which columns it sets against each other.
QUESTIONS: dict[Question, tuple[Samples, Callable[[Sample], Pairs]]] = {
    BEST: (best_samples, all_pairs),
    GAIN: (gain_samples, against_baseline),
    COST: (cost_samples, all_pairs),
}


@dataclass(frozen=True)
class Answer:
    """What a study says to a question, by one metric.

    Attributes
    ----------
    question : str
    metric : str
    units : {"folds", "data sets"}
        Folds within each data set, which say nothing about other data sets, or data sets.
    is_primary : bool
        Whether it is the one analysis of the question that the design names; all others are secondary.
    differences : tuple of PairedDifference
        One family.
    notes : tuple of str
        Sentences: what cannot be said, and why.
    """

    question: Question
    metric: str
    units: Literal["folds", "data sets"]
    is_primary: bool
    differences: tuple[PairedDifference, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Statistics:
    """Every answer, the average ranks over data sets where there are enough, and the settings that they share."""

    answers: tuple[Answer, ...]
    mean_ranks: tuple[MeanRanks, ...]
    alpha: float
    rope: float


def statistics(
    frame: pd.DataFrame, designs: Mapping[str, Design], *, rope: float = ROPE, alpha: float = ALPHA
) -> Statistics:
    """Answer every question by every metric.

    Parameters
    ----------
    frame : DataFrame
        One line per cell and metric, from `raygrid.report.frame.frame_of`, the first metric being the primary one.
    designs : mapping
        By data set, from `raygrid.report.inference.design.designs_of`.
    rope : float
        The region of practical equivalence of the Bayesian tests.
    alpha : float
        The probability, of each question, that equal methods are told apart anywhere.
    """
    done = frame.assign(value=frame["value"].where(frame["status"] == "done"))
    answers: list[Answer] = []
    ranks: list[MeanRanks] = []
    for metric, cells in done.groupby("metric", sort=False):
        is_first = not answers
        found = list(values_of(cells))
        for question, (samples_of, pairs_of) in QUESTIONS.items():
            arms = [arm for arm in samples_of(found, designs) if arm]
            answers += _answers(question, str(metric), arms, pairs_of, is_first=is_first, alpha=alpha, rope=rope)
            ranks += _mean_ranks(str(metric), arms, alpha) if question != COST else ()
    return Statistics(tuple(answers), tuple(ranks), alpha, rope)


def _answers(
    question: Question,
    metric: str,
    arms: Sequence[Sequence[Sample]],
    pairs_of: Callable[[Sample], Pairs],
    *,
    is_first: bool,
    alpha: float,
    rope: float,
) -> Iterator[Answer]:
    """Yield the answer over data sets, where there are enough, then that within each of them."""
    samples = [sample for arm in arms for sample in arm]
    are_enough = len({sample.dataset for sample in samples}) >= FEWEST_DATASETS
    if are_enough:
        over = [over_datasets(arm, columns_of(arm)) for arm in arms]
        family = family_over_datasets(over, pairs_of, alpha=alpha, rope=rope)
        notes = limits_over_datasets(over, len(family), alpha=alpha)
        yield Answer(question, metric, "data sets", is_first, family, tuple(notes))
    family = family_in_folds(samples, pairs_of, alpha=alpha, rope=rope, reach=reach_of(metric))
    yield Answer(question, metric, "folds", is_first and not are_enough, family, tuple(limits_in_folds(samples)))


def _mean_ranks(metric: str, arms: Sequence[Sequence[Sample]], alpha: float) -> Iterator[MeanRanks]:
    """Yield the ranks of the columns of each arm that has three or more, over enough data sets."""
    for arm in arms:
        over = over_datasets(arm, columns_of(arm))
        if over.n_units >= FEWEST_DATASETS and len(over.columns) > 2:
            shared = {column[:-1] for column in over.columns}
            yield mean_ranks(metric, shared.pop() if len(shared) == 1 else (), over, alpha)
