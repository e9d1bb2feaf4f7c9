"""Engines: they run cells and keep their records.

A new engine is one file: a function of the signature `Engine` that decides where and when a cell runs and calls
`raygrid.engine.execution.execute` there, and its name in `engine_named`. tests/pool_engine.py is a small one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from raygrid.cells import Cell
from raygrid.costs.budget import Budget
from raygrid.errors import UsageError, choices
from raygrid.gridfile.resources import Resources
from raygrid.storage.cache import Cache
from raygrid.storage.store import Store

ENGINES = ("ray", "inline")


class Observer(Protocol):
    """Is called when a trial starts or ends, to show the progress of a run."""

    def started(self, cell: Cell) -> None:
        """Note that a trial of this cell has begun; this may be a further try, if the one before was interrupted."""

    def finished(self, cell: Cell, status: str) -> None:
        """Note that a trial has ended; `status` is the status of its record."""

    def notice(self, text: str) -> None:
        """Show the user this line."""

    def waiting(self, what: str) -> None:
        """Show the user what the run waits for before trials can begin; empty: nothing more."""

    def doing(self, cell: Cell, what: str) -> None:
        """Show the user what a trial that runs is doing, an epoch, say."""


@dataclass(frozen=True)
class Terms:
    """The settings of a run that no result depends on.

    Attributes
    ----------
    resources : mapping
        What a trial may use, by the name of its classifier.
    budget : Budget
        Ends the run when it is exhausted.
    name : str
        What trackers call the run: the grid's name.
    address : str or None
        Address of the Ray cluster to use; None starts a cluster on this machine.
    mlflow : str or None
        Tracking URI to report trials to.
    tensorboard : Path or None
        Folder for TensorBoard's event files.
    verbose : bool
        Whether to show Ray's own output, and the output of cells that run in this process.
    """

    resources: Mapping[str, Resources] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    name: str = "raygrid"
    address: str | None = None
    mlflow: str | None = None
    tensorboard: Path | None = None
    verbose: bool = False

    @property
    def are_tracked(self) -> bool:
        """Whether trials are reported to a tracker."""
        return bool(self.mlflow or self.tensorboard)

    def resources_of(self, cell: Cell) -> Resources:
        """Return what one trial of this cell may use."""
        return self.resources.get(cell.classifier.name, Resources())


def loading_words(what: str) -> str:
    """Return the words for an observer that waits until inputs are loaded."""
    return f"inputs are loaded: {what}"


class Engine(Protocol):
    """Run cells."""

    def __call__(self, cells: Sequence[Cell], store: Store, cache: Cache, *, terms: Terms, observer: Observer) -> None:
        """Run every cell; its record is in the store before the observer is called.

        Raises
        ------
        UsageError
            Inputs cannot be loaded, the store cannot be written, or there is no cluster at the address.
        KeyboardInterrupt
            After Ctrl-C; finished records are kept.
        """


def engine_named(name: str) -> Engine:
    """Return the engine of this name."""
    if name == "ray":
        from raygrid.engine.ray.sweep import run_on_ray

        return run_on_ray
    if name == "inline":
        from raygrid.engine.inline import run_inline

        return run_inline
    raise UsageError(f"--engine: {choices(name, ENGINES)}")
