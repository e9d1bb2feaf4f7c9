"""A study: the cells that are declared and the stores that hold their records. What a report and a notebook read."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raygrid.axes import METHOD_AXES
from raygrid.cells import Cell, Plan, plan
from raygrid.errors import UsageError, choices
from raygrid.storage.cache import Cache
from raygrid.storage.merging import join
from raygrid.storage.record import Record
from raygrid.storage.store import Store

if TYPE_CHECKING:
    import pandas as pd

    from raygrid.report.missing import Missing
    from raygrid.storage.folders import Location


@dataclass(frozen=True, repr=False)
class Study:
    """Declared cells, and the stores that have their records.

    Attributes
    ----------
    name : str
        The grid's.
    metrics : sequence of str
        As the grid file names them.
    text : str
        The grid file.
    cells : sequence of Cell
    stores : sequence of Store
        The first is written to; a report reads them all.
    cache : Cache
        What cells share, as far as it is here.
    only : sequence of str
        What chose the cells, as `--only` takes it; empty: they are all of the grid.
    """

    name: str
    metrics: Sequence[str]
    text: str
    cells: Sequence[Cell]
    stores: Sequence[Store]
    cache: Cache
    only: Sequence[str] = field(default=(), kw_only=True)

    @property
    def store(self) -> Store:
        """The store that a run writes its records to."""
        return self.stores[0]

    @property
    def written_to(self) -> Store:
        """The store that a report writes its files to: the first, or where that is one file, ``runs/<name>``."""
        return Store(Path("runs", self.name)) if self.store.is_packed else self.store

    @property
    def report_folder(self) -> str:
        """The folder of its reports there; a part of the grid has its own, so that it replaces no report of all."""
        return "/".join(["report", *([re.sub(r"[^\w=,.+-]+", "_", "+".join(self.only))] if self.only else [])])

    def records(self) -> Mapping[str, Record]:
        """Return the records of all stores, by key."""
        return {key: record for key, (record, _) in join(self.stores).items()}

    def plan(self) -> Plan:
        """Return the cells against what the stores have."""
        return plan(self.cells, {key: record.status for key, record in self.records().items()})

    def to_frame(self, metrics: Sequence[str] = ()) -> "pd.DataFrame":
        """Return one line per cell and metric.

        Parameters
        ----------
        metrics : sequence of str
            Of those that the grid names, by their headings in tables; by default all.

        Returns
        -------
        DataFrame
            Columns metric, key, dataset, imbalance, fold, representation, classifier, resampler (the labels that
            tables have), status, ratio (the imbalance ratio of the training samples), value (NaN unless done), lost
            (whether the resampler removed a class), and seconds (of the whole trial, NaN where there was none).
        """
        from raygrid.commands.tables import results_of

        results = results_of(self, metrics)
        seconds = {key: sum(record.measured.seconds.values()) for key, record in results.records.items()}
        return results.frame.assign(seconds=results.frame["key"].map(seconds).astype(float))

    def table(
        self,
        rows: str | Sequence[str] = "dataset",
        columns: str | Sequence[str] = METHOD_AXES,
        *,
        metrics: Sequence[str] = (),
        missing: "Missing" = "mark",
    ) -> "pd.DataFrame":
        """Return the means over folds by any axes, as `raygrid report` prints them.

        Parameters
        ----------
        rows, columns : str or sequence of str
            Axes; cells are averaged over those that are in neither.
        metrics : sequence of str
            By default all of the grid.
        missing : {"mark", "drop", "refuse"}
            What to do where cells have no result: NaN, leave out their folds in the whole row, or raise an error.

        Returns
        -------
        DataFrame
            Means in [0, 1], indexed by the metric and the rows' axes.
        """
        import pandas as pd

        from raygrid.commands.tables import results_of
        from raygrid.metrics.further import heading
        from raygrid.report.tables import table

        known = [heading(name) for name in self.metrics]
        for metric in metrics:
            if metric not in known:
                raise UsageError(f"metrics: {choices(metric, known)}")
        columns = (columns,) if isinstance(columns, str) else columns
        made = table(results_of(self, metrics).frame, rows=rows, columns=columns, missing=missing)
        index = pd.MultiIndex.from_tuples(
            [(row.metric, *row.levels) for row in made.rows], names=["metric", *made.row_axes]
        )
        heads = pd.MultiIndex.from_tuples(made.columns, names=made.column_axes)
        return pd.DataFrame([[number.value for number in row.numbers] for row in made.rows], index, heads)

    def record(self, key: str) -> Record:
        """Return the record of one cell.

        Raises
        ------
        UsageError
            No store has it.
        """
        records = self.records()
        if key not in records:
            raise UsageError(f"record: got {key!r}; expected the key of a record, e.g. from `to_frame`")
        return records[key]

    def predictions(self, key: str) -> dict[str, Any]:
        """Return what one cell predicted.

        Returns
        -------
        dict of str to array
            ``y_true`` and ``y_pred``, (n_test,), labels in the order of the record's class names; ``scores``,
            (n_test, n_classes), if the classifier has them; ``test_index``, (n_test,), places in the pool of the data
            set. Empty for a cell that is not done.

        Raises
        ------
        UsageError
            No store has it.
        """
        self.record(key)
        return join(self.stores)[key][1].predictions(key)

    def report(self, *, published: str | None = None) -> "Location":
        """Write the tables, the statistics, the figures and the page into the first store; return where the page is.

        Parameters
        ----------
        published : str, optional
            What to compare with: ``"paper"``, or the path of a CSV file.
        """
        from raygrid.commands.report import write_page

        return write_page(self, published=published)

    def __repr__(self) -> str:
        """Name the grid and its stores, not each of its cells."""
        places = ", ".join(str(store.root) for store in self.stores)
        return f"<{type(self).__name__} {self.name}: {len(self.cells)} cells, {places}>"

    def _repr_html_(self) -> str:
        """Show the counts and the first table where a notebook shows values."""
        from html import escape

        from raygrid.commands.status import counts_line

        return f"<p>{escape(self.name)}: {counts_line(self.plan())}</p>" + self.table().to_html(
            float_format="{:.4f}".format
        )
