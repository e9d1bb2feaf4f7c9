"""Further metrics besides the three of every record: of scikit-learn, of imbalanced-learn, and written by the user.

A metric is a function ``metric(y_true, y_pred) -> float``, or ``metric(y_true, y_pred, *, scores) -> float`` where
labels do not suffice. Higher is better, in the scale of an accuracy; NaN where it is not defined.

======== ============================================================================================================
y_true   array of shape (n_test,), int64: the true classes, 0 .. M - 1; every class occurs
y_pred   likewise, those predicted; without `scores`, pairs may come in any order
scores   array of shape (n_test, M), float32: the higher, the likelier the class; the columns need not sum to 1
======== ============================================================================================================

A user's own is named ``module:function`` (`raygrid.usercode.references`). No library is imported before a metric is
computed.
"""

from collections.abc import Callable
from importlib import import_module
from inspect import signature
from math import inf, nan
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, ValidationInfo, WithJsonSchema

from raygrid.errors import choices
from raygrid.metrics.confusion import METRICS
from raygrid.usercode.references import REFERENCE, members

Metric = Callable[..., float]


def _of_labels(target: str, **settings: Any) -> Metric:
    """Return the metric that a library's function is, with these settings."""
    return lambda y_true, y_pred: _imported(target)(y_true, y_pred, **settings)


def _of_scores(target: str) -> Metric:
    """Return the mean over classes of what a library's function makes of one class against the others."""

    def metric(y_true: Any, y_pred: Any, *, scores: Any) -> float:
        if not np.isfinite(scores).all():  # a network whose training diverged
            return nan
        is_class = y_true[:, None] == np.arange(scores.shape[1])
        return float(_imported(target)(is_class, scores, average="macro"))

    return metric


# Named as scikit-learn's `scoring` names them, the others as their functions are.
FURTHER: dict[str, Metric] = {
    "accuracy": _of_labels("sklearn.metrics:accuracy_score"),
    "balanced_accuracy": _of_labels("sklearn.metrics:balanced_accuracy_score"),
    "f1_macro": _of_labels("sklearn.metrics:f1_score", average="macro", zero_division=0),
    "f1_weighted": _of_labels("sklearn.metrics:f1_score", average="weighted", zero_division=0),
    "precision_macro": _of_labels("sklearn.metrics:precision_score", average="macro", zero_division=0),
    "recall_macro": _of_labels("sklearn.metrics:recall_score", average="macro", zero_division=0),
    "jaccard_macro": _of_labels("sklearn.metrics:jaccard_score", average="macro", zero_division=0),
    "cohen_kappa_score": _of_labels("sklearn.metrics:cohen_kappa_score"),
    "matthews_corrcoef": _of_labels("sklearn.metrics:matthews_corrcoef"),
    "geometric_mean_score": _of_labels("imblearn.metrics:geometric_mean_score"),
    "roc_auc_ovr": _of_scores("sklearn.metrics:roc_auc_score"),
    "average_precision": _of_scores("sklearn.metrics:average_precision_score"),
}
NAMES = (*METRICS, *FURTHER)
_SIGNED = ("cohen_kappa_score", "matthews_corrcoef")


def heading(name: str) -> str:
    """Return what tables and files call a metric: its name, of a user's own that of the function."""
    return name.rpartition(":")[2]


def range_of(name: str) -> tuple[float, float]:
    """Return the lowest and the highest value that a metric can have; infinite where that is not known."""
    return (-1, 1) if name in _SIGNED else (0, 1) if name in NAMES else (-inf, inf)


def reach_of(name: str) -> float:
    """Return the largest difference of two values of a metric; infinite where that is not known."""
    low, high = range_of(name)
    return high - low


def _checked(name: str, info: ValidationInfo) -> str:
    """Return the name of a metric in a grid file, if there is such a metric; a user's own is imported.

    Raises
    ------
    ValueError
        There is none, or a user's own cannot be imported or is called like another.
    """
    if name in NAMES:
        return name
    if ":" not in name:
        raise ValueError(choices(name, [*NAMES, "module:function"]))
    if heading(name) in NAMES:
        raise ValueError(f"got {name!r}, but {heading(name)} is another metric; give the function a name of its own")
    functions = {each: value for each, value in members(name, info.context).items() if not each.startswith("_")}
    if heading(name) not in functions:
        raise ValueError(f"{name}: {choices(heading(name), functions)}")
    try:
        takes_scores(functions[heading(name)])
    except (TypeError, ValueError):  # it cannot be called, or does not say with what
        raise ValueError(f"got {name!r}, which is no function; expected metric(y_true, y_pred)") from None
    return name


# What the grid file may call a metric.
MetricName = Annotated[
    str,
    AfterValidator(_checked),
    WithJsonSchema({"anyOf": [{"enum": [*NAMES]}, {"type": "string", "pattern": REFERENCE}]}),
]


def with_distinct_headings(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the metrics of a grid file, if no two are called alike.

    Raises
    ------
    ValueError
        Two are.
    """
    headings = [heading(name) for name in names]
    for i, called in enumerate(headings):
        if called in headings[:i]:
            raise ValueError(f"got two metrics that are called {called}; rename one of the functions")
    return names


def function_of(name: str) -> Metric:
    """Return the function of a metric that is not one of `raygrid.metrics.confusion.METRICS`."""
    function: Metric = FURTHER[name] if name in FURTHER else _imported(name)
    return function


def takes_scores(metric: Metric) -> bool:
    """Tell whether it asks for scores: by a parameter of that name."""
    return "scores" in signature(metric).parameters


def _imported(target: str) -> Any:
    """Return what ``module:attribute`` names."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)
