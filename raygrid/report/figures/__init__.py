"""Figures drawn from the records, each as SVG, PDF and PNG, with sentences on what is drawn and what is missing."""

from collections.abc import Iterator

from raygrid.axes import IMBALANCE
from raygrid.report.figures.against_ir import metric_against_ir
from raygrid.report.figures.confusion import confusion_by_name, confusion_by_rank, datasets_of
from raygrid.report.figures.curves import curves_by_epoch
from raygrid.report.figures.figure import Figure, arms_of
from raygrid.report.figures.gain import gain_over_none
from raygrid.report.figures.ranks import Ranks, critical_difference, ranks_of
from raygrid.report.figures.recall import recall_by_frequency
from raygrid.report.figures.seconds import seconds_by_stage
from raygrid.report.results import Results
from raygrid.report.statistics import Statistics

__all__ = [
    "Figure",
    "Ranks",
    "confusion_by_name",
    "confusion_by_rank",
    "critical_difference",
    "critical_difference_figures",
    "curves_by_epoch",
    "figures_of",
    "gain_over_none",
    "metric_against_ir",
    "ranks_of",
    "recall_by_frequency",
    "seconds_by_stage",
]


def figures_of(results: Results, statistics: Statistics | None = None) -> list[Figure]:
    """Return every figure of a report that has something to show.

    Parameters
    ----------
    results : Results
    statistics : Statistics, optional
        Whose ranks make the critical-difference diagrams.
    """
    arms = arms_of(results.places[results.places["status"] == "done"])
    if not arms:
        return []
    levels = results.places[IMBALANCE].nunique()
    return [
        *(metric_against_ir(results, metric) for metric in results.metrics if levels > 1),
        *filter(None, [gain_over_none(results)]),
        *(critical_difference_figures(statistics) if statistics else ()),
        *filter(None, [curves_by_epoch(results, measure) for measure in ("loss", "AvAcc")]),
        recall_by_frequency(results),
        *(confusion_by_rank(results, arm) for arm in arms),
        *(confusion_by_name(results, arm, dataset) for arm in arms for dataset in datasets_of(results, arm)),
        seconds_by_stage(results),
    ]


def critical_difference_figures(statistics: Statistics) -> Iterator[Figure]:
    """Yield the diagrams of each metric; there are none where there are too few data sets."""
    for metric in dict.fromkeys(found.metric for found in statistics.mean_ranks):
        yield critical_difference(
            [ranks_of(found) for found in statistics.mean_ranks if found.metric == metric],
            name=f"ranks-{metric}",
            title=f"Average ranks by {metric}",
            caption="Average ranks over data sets, the best on top; a bar at the right joins those that Nemenyi's "
            f"test does not tell apart (alpha {statistics.alpha:g}, CD the critical difference).",
            alpha=statistics.alpha,
        )
