"""The input of a report: the declared cells together with their records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from raygrid.cells import Cell
from raygrid.report.frame import frame_of, places_of
from raygrid.report.further import Predictions
from raygrid.storage.record import Record
from raygrid.storage.store import Store


@dataclass(frozen=True)
class Results:
    """A grid, and all that its store has.

    Attributes
    ----------
    name : str
        The grid's.
    cells : sequence of Cell
        As declared, in the order of the grid file.
    records : mapping
        By the cell's key, with all of `metrics`; those of cells that are not declared are left aside.
    metrics : sequence of str
        As tables call them.
    grid_text : str
        The grid file.
    environment : mapping
        Machine and versions of the last run, as `raygrid.host.environment` has them.
    owners : mapping of str to Store
        By the cell's key, the store that has its record.
    """

    name: str
    cells: Sequence[Cell]
    records: Mapping[str, Record]
    metrics: Sequence[str]
    grid_text: str
    environment: Mapping[str, Any]
    owners: Mapping[str, Store] = field(default_factory=dict)

    def predictions(self, key: str) -> Predictions:
        """Return what the trial of a cell kept of its test samples."""
        return self.owners[key].predictions(key)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One line per cell and metric, as `raygrid.report.frame.frame_of` makes it."""
        return frame_of(self.places, self.records, self.metrics)

    @cached_property
    def places(self) -> pd.DataFrame:
        """One line per cell, in the order of the cells, as `raygrid.report.frame.places_of` makes it."""
        return places_of(self.cells, self.records)
