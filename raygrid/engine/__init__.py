"""Engines: run cells, keep their records. Both have one signature; only `raygrid.engine.tune` imports Ray."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from raygrid.cache import Cache
from raygrid.config import Resources
from raygrid.errors import UsageError, choices
from raygrid.grid import Cell
from raygrid.store import Store

ENGINES = ("ray", "inline")


class Observer(Protocol):
    """What wants to hear how a run goes."""

    def started(self) -> None:
        """Hear that a trial has begun."""

    def finished(self, status: str) -> None:
        """Hear that a trial has ended; `status` is its record's, or ``lost`` where it left none."""


class Engine(Protocol):
    """Run cells."""

    def __call__(
        self,
        cells: Sequence[Cell],
        store: Store,
        cache: Cache,
        *,
        resources: Mapping[str, Resources],
        observer: Observer,
    ) -> None:
        """Run every cell; each keeps its record in the store before the observer hears of it.

        Parameters
        ----------
        resources : mapping
            What a trial may use, by the name of its classifier.

        Raises
        ------
        UsageError
            Inputs cannot be had, or the store cannot be written.
        KeyboardInterrupt
            After Ctrl-C; finished records are kept.
        """


def engine_named(name: str) -> Engine:
    """Return the engine of this name."""
    if name == "ray":
        from raygrid.engine.tune import run_on_ray

        return run_on_ray
    if name == "inline":
        from raygrid.engine.inline import run_inline

        return run_inline
    raise UsageError(f"--engine: {choices(name, ENGINES)}")


def resources_of(cell: Cell, resources: Mapping[str, Resources]) -> Resources:
    """Return what one trial of this cell may use."""
    return resources.get(cell.classifier.name, Resources())
