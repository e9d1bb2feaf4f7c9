"""What a design does not allow to be said, in sentences, and what of a study takes no part."""

from collections.abc import Iterator, Sequence

from raygrid.report.inference.families import is_testable
from raygrid.report.inference.paired import FEWEST_DATASETS, FEWEST_FOLDS
from raygrid.report.inference.samples import Sample
from raygrid.wording import plural


def limits_in_folds(samples: Sequence[Sample]) -> Iterator[str]:
    """Yield what cannot be said from the folds within data sets."""
    datasets = {sample.dataset: sample for sample in samples}
    if 0 < len(datasets) < FEWEST_DATASETS:
        yield (
            f"Nothing is said about other data sets: that takes a test over at least {FEWEST_DATASETS} (Demšar, 2006), "
            f"and this study has {len(datasets)}"
        )
    for dataset, sample in datasets.items():
        if sample.n_units < FEWEST_FOLDS:
            yield f"{dataset}: {plural(sample.n_units, 'complete fold')}, too few for a test"
        elif sample.correlation == 1:
            kept = "every fold keeps as many images of each class of the official parts, perhaps the same ones"
            yield f"{dataset}: {kept}, and so says nothing about others: no test was made"
    yield from dict.fromkeys(note for sample in samples for note in sample.notes)


def limits_over_datasets(samples: Sequence[Sample], n_pairs: int, *, alpha: float) -> Iterator[str]:
    """Yield what cannot be said from so many data sets.

    Parameters
    ----------
    samples : sequence of Sample
        Whose units are data sets.
    n_pairs : int
        Differences in the family.
    alpha : float
    """
    n_datasets = min(sample.n_units for sample in samples)
    if not is_testable(n_datasets, n_pairs, alpha=alpha):
        yield (
            f"{plural(n_datasets, 'data set')} cannot give a p value below {alpha:g} in a family of "
            f"{plural(n_pairs, 'difference')}, so no test was made"
        )
    yield from dict.fromkeys(note for sample in samples for note in sample.notes)
