"""A study: the cells that are declared and the stores that hold their records. What a report and a notebook read."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raygrid.axes import AXES, METHOD_AXES
from raygrid.cells import Cell, Plan, labels_on, plan
from raygrid.commands.folder_names import folder_named
from raygrid.errors import UsageError, choices
from raygrid.storage.cache import Cache
from raygrid.storage.merging import join
from raygrid.storage.record import Record
from raygrid.storage.store import Store
from raygrid.wording import plural

if TYPE_CHECKING:
    import pandas as pd

    from raygrid.report.missing import Missing
    from raygrid.report.tables import Table
    from raygrid.storage.folders import Location

_SHORTEST_KEY = 4  # characters of a key that may stand for it
_SHOWN = 20
_NEED_FEWER = "means that need them are NaN; more axes in `rows`, or missing='drop' (only whole folds), need fewer"


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
        """The store that a report writes its files to: the first; where that is one file, ``runs/<name>`` here."""
        return Store(Path("runs", self.name)) if self.store.is_packed else self.store

    @property
    def report_folder(self) -> str:
        """The folder of its reports there; a part of the grid has its own, so that it replaces no report of all."""
        return f"report/{folder_named(self.only)}" if self.only else "report"

    def records(self) -> Mapping[str, Record]:
        """Return the records of all stores, by key."""
        return {key: record for key, (record, _) in join(self.stores).items()}

    def plan(self, records: Mapping[str, Record] | None = None) -> Plan:
        """Return the cells against what the stores have, or against `records`, where they have just been read."""
        records = self.records() if records is None else records
        return plan(self.cells, {key: record.status for key, record in records.items()})

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
            (whether the resampler removed a class), seconds (of the whole trial, NaN where there was none), and chosen
            (the values that the cell chose, as *C=1.0, gamma=auto*; empty where it chose nothing).
        """
        from raygrid.commands.tables import results_of

        results = results_of(self, metrics)
        seconds = {key: sum(record.measured.seconds.values()) for key, record in results.records.items()}
        chosen = {key: record.choice.best.text for key, record in results.records.items() if record.choice}
        keys = results.frame["key"]
        return results.frame.assign(seconds=keys.map(seconds).astype(float), chosen=keys.map(chosen).fillna(""))

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
            What to do where cells have no result: NaN with a warning, leave out their folds in the whole row, or raise
            an error.

        Returns
        -------
        DataFrame
            Means in [0, 1], indexed by the metric and the rows' axes.
        """
        import pandas as pd

        from raygrid.commands.tables import results_of
        from raygrid.metrics.further import heading
        from raygrid.report.numbers import without_result
        from raygrid.report.tables import table

        known = [heading(name) for name in self.metrics]
        for metric in metrics:
            if metric not in known:
                raise UsageError(f"metrics: {choices(metric, known)}")
        columns = (columns,) if isinstance(columns, str) else columns
        frame = results_of(self, metrics).frame
        made = table(frame, rows=rows, columns=columns, missing=missing)
        said, folds = without_result(frame)
        if said and missing == "mark":
            warnings.warn(f"{said}, in folds {folds}; {_NEED_FEWER}", stacklevel=2)
        if apart := _incomparable(made):
            warnings.warn(apart, stacklevel=2)
        index = pd.MultiIndex.from_tuples(
            [(row.metric, *row.levels) for row in made.rows], names=["metric", *made.row_axes]
        )
        heads = pd.MultiIndex.from_tuples(made.columns, names=made.column_axes)
        return pd.DataFrame([[number.value for number in row.numbers] for row in made.rows], index, heads)

    def cell(self, key: str = "") -> Cell:
        """Return the one cell whose key begins so; without an argument, the only cell that is selected.

        Raises
        ------
        UsageError
            There is no such cell, or more than one.
        """
        if key and len(key) < _SHORTEST_KEY:
            raise UsageError(f"cell: got {key!r}; expected at least {_SHORTEST_KEY} characters of a cell's key")
        cells = [cell for cell in self.cells if cell.key.startswith(key)]
        if len(cells) == 1:
            return cells[0]
        if not cells:
            where = f"cell: got {key!r}" if key else "--only: got no cell"
            expected = f"expected the key of one of the {len(self.cells)} cells chosen"
            raise UsageError(f"{where}; {expected}; `raygrid logs` and `to_frame` show keys")
        raise UsageError(
            f"cell: got {len(cells)} cells; expected one; name its key, or leave one by --only AXIS=LEVEL\n"
            + "\n".join(self._to_choose_from(cells))
        )

    def _to_choose_from(self, cells: Sequence[Cell]) -> list[str]:
        """Return a line for each cell, failed ones first, because a log is mostly wanted of those."""
        statuses = {key: record.status for key, record in self.records().items()}
        order = {"done": 2, "missing": 1}
        rows = [(statuses.get(cell.key, "missing"), cell) for cell in cells]
        rows.sort(key=lambda row: order.get(row[0], 0))
        names = {axis: labels_on(axis, self.cells) for axis in AXES}
        lines = [
            f"{cell.key} {status}: " + " ".join(f"{axis}={names[axis][getattr(cell, axis)]}" for axis in AXES)
            for status, cell in rows[:_SHOWN]
        ]
        return lines + ([f"and {len(rows) - _SHOWN} more"] if len(rows) > _SHOWN else [])

    def record(self, key: str) -> Record:
        """Return the record of one cell.

        Parameters
        ----------
        key : str
            As in `to_frame`; its first four characters or more are enough where no other cell's begins so.

        Raises
        ------
        UsageError
            There is no such cell, or it has no record yet.
        """
        return self._kept(key)[0]

    def predictions(self, key: str) -> dict[str, Any]:
        """Return what one cell predicted.

        Parameters
        ----------
        key : str
            As of `record`.

        Returns
        -------
        dict of str to array
            ``y_true`` and ``y_pred``, (n_test,), labels in the order of the record's class names; ``scores``,
            (n_test, n_classes), if the classifier has them; ``test_index``, (n_test,), which images were tested: places
            in the data set, whose images are counted from 0 in the order of its part (of a folder: train, test), its
            classes and its files' names. Empty for a cell that is not done, and of a packed store without predictions.

        Raises
        ------
        UsageError
            There is no such cell, or it has no record yet.
        """
        return self._kept(key)[1].predictions(self.cell(key).key)

    def _kept(self, key: str) -> tuple[Record, Store]:
        """Return a cell's record, and the store that has it."""
        cell, kept = self.cell(key), join(self.stores)
        if cell.key not in kept:
            raise UsageError(f"cell: got {cell.key!r}; expected a cell with a record: this one ({cell}) has none yet")
        return kept[cell.key]

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
        return f"<Study {self.name}: {len(self.cells)} cells in {', '.join(store.root.name for store in self.stores)}>"

    def _repr_html_(self) -> str:
        """Show the counts and the first table where a notebook shows values."""
        from html import escape

        from raygrid.commands.status import counts_line

        with warnings.catch_warnings(record=True, action="always", category=UserWarning) as said:
            shown = self.table().to_html(float_format="{:.4f}".format)
        lines = [f"{self.name}: {counts_line(self.plan())}", *(str(each.message) for each in said)]
        return "".join(f"<p>{escape(line)}</p>" for line in lines) + shown


def _incomparable(made: "Table") -> str:
    """Say which numbers stand on other folds or levels than the rest of their row; nothing where none does."""
    apart = [
        (" ".join(map(str, (line.metric, *line.levels, *head))), number.note)
        for line in made.rows
        for head, number in zip(made.columns, line.numbers, strict=True)
        if number.n_folds and not number.is_comparable
    ]
    if not apart:
        return ""
    where, note = apart[0]
    why = note or "it stands on other folds or levels"
    return (
        f"{plural(len(apart), 'number')} cannot be compared with the rest of the row, such as {where}: {why}; "
        "more axes in `rows` or `columns` keep them apart"
    )
