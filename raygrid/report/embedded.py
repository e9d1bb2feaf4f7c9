"""The data inside the HTML page: all cells and records, by columns, with repeated values stored once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import isfinite
from typing import Any

from raygrid.axes import AXES, IMBALANCE, ORDERED_AXES, axis_heading, axis_name
from raygrid.report.embedded_ranking import embedded_ranking
from raygrid.report.inference.design import Design
from raygrid.report.kept_files import KINDS, KeptFiles
from raygrid.report.pictures import Pictures
from raygrid.report.ranking import Ranking
from raygrid.report.render import printed
from raygrid.report.results import Results
from raygrid.report.tables import Table
from raygrid.storage.record import Curves, Record

BASELINE = "none"
_OF_THE_CELL = (IMBALANCE, "fold")  # what of a record's cell differs from fold to fold
_MOST_EPOCHS = 20_000  # of all trainings together: their curves would make the page long to load
_POOLED = ("stores", "message", "traceback", "log", "class_names", "class_order", "versions", "parameters", "resampled")


class Pool:
    """Distinct values, each with the position at which it is kept."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._positions: dict[str, int] = {}

    def put(self, value: Any) -> int:
        """Return the position of the value."""
        position = self._positions.setdefault(json.dumps(value), len(self.values))
        if position == len(self.values):
            self.values.append(value)
        return position


def embedded(
    results: Results,
    tables: Sequence[Table],
    *,
    rankings: Sequence[Ranking],
    designs: Mapping[str, Design],
    files: KeptFiles,
    pictures: Pictures,
) -> str:
    """Return compact JSON that may stand inside a script element.

    Returns
    -------
    str
        An object of ``metrics``; ``axes``, what the page calls them; ``levels``, the printed levels of every axis;
        ``ratios`` of those of imbalance; ``baseline``, the position of the resampler that does nothing; ``cells``, a
        list a column in the order of the grid, levels by position; ``records``, likewise, null where there is none;
        ``pools``, what columns refer to by position; ``kinds``, folder and suffix of the files of a cell; ``tables``,
        which levels each number of a table stands for; ``curves`` of trainings, by key; ``disputed``, samples on which
        methods disagree, or null; and
        what `embedded_ranking` returns.
    """
    places = results.places
    levels = {axis: list(dict.fromkeys(places[axis].tolist())) for axis in (*AXES, "status")}
    levels[IMBALANCE] = [level for level in places[IMBALANCE].cat.categories if level in levels[IMBALANCE]]
    positions = {axis: {level: i for i, level in enumerate(known)} for axis, known in levels.items()}
    cells = {axis: [positions[axis][level] for level in places[axis].tolist()] for axis in levels}
    found = [results.records.get(key) for key in places["key"]]
    pools = {name: Pool() for name in _POOLED}
    n_epochs = sum(len(record.curves.train.get("loss", ())) for record in found if record and record.curves)
    content = {
        "metrics": list(results.metrics),
        "kinds": KINDS,
        "axes": [_axis(axis, levels[axis]) for axis in AXES],
        "ratios": [_number(ratio) for ratio in places.groupby(IMBALANCE, observed=True)["ratio"].mean()],
        "baseline": positions["resampler"].get(BASELINE),
        **embedded_ranking(results, rankings, designs, positions),
        "levels": {axis: [_shown(axis, level) for level in known] for axis, known in levels.items()},
        "cells": {"key": places["key"].tolist(), **cells, **_files(places["key"].tolist(), files, pools)},
        "records": _columns([_record(record, results.metrics, pools) if record else None for record in found]),
        "curves": {record.key: _curves(record.curves) for record in found if record and record.curves}
        if n_epochs <= _MOST_EPOCHS
        else {},
        "pools": {name: pool.values for name, pool in pools.items()},
        "tables": [_table(table, positions) for table in tables],
        "disputed": asdict(pictures.disputed) if pictures.disputed else None,
    }
    # No tag can begin inside the element: JSON has < in strings only, where it may be written so.
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")


def _axis(axis: str, levels: Sequence[Any]) -> dict[str, Any]:
    """Return how the page names an axis, and its levels: a number alone would not say of which axis it is."""
    prefix = "" if any(isinstance(level, str) for level in levels) else f"{axis_name(axis)} "
    return {"name": axis, "heading": axis_heading(axis, levels), "prefix": prefix, "is_ordered": axis in ORDERED_AXES}


def _shown(axis: str, level: Any) -> str | int:
    return level if axis == "fold" else printed(axis, level)


def _files(keys: Sequence[str], files: KeptFiles, pools: dict[str, Pool]) -> dict[str, list[int]]:
    """Return the store of each cell, and which of the further files it has: a sum of 1, 2, 4 ... in their order."""
    bits = {kind: 1 << position for position, kind in enumerate(KINDS)}
    return {
        "store": [pools["stores"].put(files.stores.get(key)) for key in keys],
        "files": [sum(bit for kind, bit in bits.items() if key in files.kinds.get(kind, ())) for key in keys],
    }


def _record(record: Record, metrics: Sequence[str], pools: dict[str, Pool]) -> dict[str, Any]:
    """Return what the page shows of a record."""
    pooled = {
        "message": record.message,
        "traceback": record.traceback,
        "log": record.measured.log,
        "class_names": record.class_names,
        "class_order": record.class_order,
        "versions": record.versions,
        "parameters": {name: value for name, value in record.cell.items() if name not in _OF_THE_CELL},
        "resampled": record.class_counts.get("resampled", []),
    }
    return {
        **{name: pools[name].put(value) for name, value in pooled.items()},
        "values": [_number(record.metrics.get(metric)) for metric in metrics],
        "train": record.class_counts.get("train", []),
        "test": record.class_counts.get("test", []),
        "confusion": record.confusion,
        "seconds": {stage: _number(seconds) for stage, seconds in record.measured.seconds.items()},
        "finished_at": record.measured.finished_at,
        "peak_memory_mb": _number(record.measured.peak_memory_mb),
    }


def _curves(curves: Curves) -> dict[str, Any]:
    """Return loss and AvAcc by epoch, as far as they are known, and the epoch that was kept."""
    parts = {"train": curves.train, "validation": curves.validation}
    known = {part: {name: of[name] for name in ("loss", "AvAcc") if name in of} for part, of in parts.items()}
    return {**known, "kept": curves.kept}


def _number(value: float | None) -> float | None:
    """Return the number with the digits that the page can show; JSON has no NaN."""
    return round(value, 6) if value is not None and isfinite(value) else None


def _columns(lines: Sequence[dict[str, Any] | None]) -> dict[str, list[Any]]:
    """Turn lines with the same keys into columns; a line that is None becomes None in each."""
    names = next((list(line) for line in lines if line), [])
    return {name: [line[name] if line else None for line in lines] for name in names}


def _table(table: Table, positions: dict[str, dict[Any, int]]) -> dict[str, Any]:
    """Return the levels that rows and columns of a table stand for, by position."""
    return {
        "columns": [
            {axis: positions[axis][level] for axis, level in zip(table.column_axes, column, strict=True)}
            for column in table.columns
        ],
        "rows": [
            {
                "metric": row.metric,
                "levels": {
                    axis: positions[axis][level] for axis, level in zip(table.row_axes, row.levels, strict=True)
                },
                "notes": ["; ".join(filter(None, [row.note, number.note])) for number in row.numbers],
            }
            for row in table.rows
        ],
    }
