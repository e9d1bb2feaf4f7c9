"""Published results in long form: tables that ship with the package, or a CSV of the user's own."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import takewhile
from math import nan
from pathlib import Path

from raygrid.axes import IMBALANCE, METHOD_AXES, ROW_AXES, csv_column
from raygrid.errors import UsageError, choices
from raygrid.report.left_out import Key
from raygrid.report.protocol import FACTS
from raygrid.storage.checksum import content_of

PAPER = "paper"

_MOST_BYTES = 10**7  # a number a line of 100 bytes: a hundred thousand of them

# The tables that ship with the package.
SHIPPED: Mapping[str, tuple[str, ...]] = {
    PAPER: ("paper_table1.csv", "paper_table2.csv"),
    "cifar10_lt": ("cifar10_lt.csv",),
}


@dataclass(frozen=True)
class Published:
    """The numbers of one published table, by metric, level of the row axis, representation, classifier, resampler.

    Attributes
    ----------
    protocol : mapping
        How the numbers were obtained, as far as the table says it: from names in `raygrid.report.protocol.FACTS` to
        levels as the grid file spells them.
    remarks : mapping
        What else the table says about itself, such as its ``source``.
    """

    name: str
    row_axis: str
    values: Mapping[Key, float]
    protocol: Mapping[str, str] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)


def read_published(source: str, metrics: Iterable[str]) -> tuple[Published, ...]:
    """Read published results.

    Parameters
    ----------
    source : str
        ``paper`` for Table 1 and Table 2 of Koziarski, Cyganek and Wiatr (2020), ``cifar10_lt`` for the tables of Zhang
        et al. (2021) on long-tailed CIFAR-10, or the path of a CSV file with the columns metric, dataset or
        imbalance_ratio, representation, classifier, resampler and value; others are ignored, so that the CSV form of a
        raygrid table can be read as well. An empty value is a dash. Lines ``# name: text`` above the columns say by
        which protocol the numbers were obtained (`raygrid.report.protocol.FACTS`) and where they are from.
    metrics : iterable of str
        The names that the column metric may have.

    Returns
    -------
    tuple of Published
        One a table.

    Raises
    ------
    UsageError
        The file cannot be read, lacks a column, names an unknown metric, has a row twice or a value that is no number.
    """
    known = list(metrics)
    if source in SHIPPED:
        folder = files("raygrid.report") / "published"
        return tuple(parse(name, (folder / name).read_text(encoding="utf-8"), known) for name in SHIPPED[source])
    try:
        text = content_of(Path(source), _MOST_BYTES).decode("utf-8-sig")
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a name that no file can have
        is_read = isinstance(error, UnicodeDecodeError)
        reason = "not UTF-8" if is_read else getattr(error, "strerror", None) or error
        raise UsageError(
            f"published: {source}: {reason}; expected {', '.join(SHIPPED)} or the path of a CSV file in UTF-8"
        ) from None
    return (parse(source, text, known),)


def parse(name: str, text: str, metrics: list[str]) -> Published:
    """Return the numbers in a CSV text; `name` is how messages call it."""
    try:
        return _parsed(name, text, metrics)
    except csv.Error as error:
        raise UsageError(f"{name}: got no CSV ({error}); expected a number a line") from None


def _parsed(name: str, text: str, metrics: list[str]) -> Published:
    lines = text.splitlines()
    above = list(takewhile(lambda line: line.startswith("#"), lines))
    said = {key.strip(): value.strip() for key, _, value in (line[1:].partition(":") for line in above)}
    reader = csv.DictReader(lines[len(above) :])
    row_axis = _row_axis(name, reader.fieldnames or ())
    values: dict[Key, float] = {}
    for line in reader:
        where = f"{name}: line {len(above) + reader.line_num}"
        key = _key(where, line, row_axis, metrics)
        if key in values:
            raise UsageError(f"{where}: got {' '.join(key_names(key))} twice; expected one value a row; delete one")
        values[key] = _value(where, line["value"])
    if not values:
        raise UsageError(f"{name}: got no rows; expected one a number")
    protocol = {key: said.pop(key) for key in FACTS if key in said}
    return Published(name, row_axis, values, protocol, remarks=said)


def _row_axis(name: str, columns: Iterable[str]) -> str:
    """Return the axis of the rows, having checked that no column is missing."""
    columns = list(columns)
    missing = [column for column in ("metric", *METHOD_AXES, "value") if column not in columns]
    axes = [axis for axis in ROW_AXES if csv_column(axis) in columns]
    if not axes:
        missing.append(" or ".join(map(csv_column, ROW_AXES)))
    if missing:
        raise UsageError(f"{name}: got the columns {', '.join(columns)}; expected also {', '.join(missing)}")
    if len(axes) > 1:
        both = " and ".join(map(csv_column, ROW_AXES))
        raise UsageError(f"{name}: got both {both}; expected one of them, the other averaged over")
    return axes[0]


def _key(where: str, line: Mapping[str, str], row_axis: str, metrics: list[str]) -> Key:
    column = csv_column(row_axis)
    names = ("metric", column, *METHOD_AXES)
    lacking = [name for name in names if not line[name]]
    if lacking:
        raise UsageError(f"{where}: got nothing as {lacking[0]}; expected a name")
    if line["metric"] not in metrics:
        raise UsageError(f"{where}: metric: {choices(line['metric'], metrics)}")
    level = _number_or_name(line[column]) if row_axis == IMBALANCE else line[column]
    return (line["metric"], level, *(line[axis] for axis in METHOD_AXES))


def _value(where: str, text: str | None) -> float:
    """Return a metric; NaN for a dash."""
    if text == "":
        return nan
    value = _number(f"{where}: value", text)
    if not 0 <= value <= 1:
        raise UsageError(f"{where}: value: got {text}; expected a number from 0 to 1; divide percentages by 100")
    return value


def _number_or_name(level: str) -> float | str:
    """Return a level of imbalance as tables have it: an IR alone is a number, ``exponential-100`` is not."""
    try:
        return float(level)
    except ValueError:
        return level


def _number(where: str, text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError:
        raise UsageError(f"{where}: got {text!r}; expected a number") from None


def key_names(key: Key) -> list[str]:
    """Return what each level of a number's key is called."""
    return [f"{level:g}" if isinstance(level, float) else str(level) for level in key]
