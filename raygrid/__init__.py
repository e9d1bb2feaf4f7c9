"""raygrid: declared grids of experiments on imbalanced image recognition, run on Ray, resumable at any moment.

Six nouns, used everywhere with one meaning each:

grid
    What is declared: a YAML file naming the levels of every axis.
cell
    One point of the grid: dataset x imbalance ratio x fold x representation x resampler x classifier.
trial
    One execution of a cell.
record
    What a trial leaves: a status, the confusion matrix, the metrics, what it cost.
store
    Where records live: a directory, one file a cell.
report
    What is read from records: tables, statistics, figures.

A value on an axis is a *level*.

In a notebook::

    import raygrid

    study = raygrid.run("grid.yaml")  # or raygrid.load("runs/grid")
    study.to_frame()
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from raygrid.api import load, run
    from raygrid.commands.study import Study
    from raygrid.gridfile.schema import Grid

__all__ = ["Grid", "Study", "load", "run"]

__version__ = "0.1.0"

_WHERE = {
    "Grid": "raygrid.gridfile.schema",
    "Study": "raygrid.commands.study",
    "load": "raygrid.api",
    "run": "raygrid.api",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for, not before: every process of a run imports this package."""
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
