"""The axes of a grid and the words for them: the one list that grid file, keys, tables, figures and page agree on."""

from collections.abc import Iterable, Mapping

IMBALANCE = "imbalance"

# What a message, a table and --only call each axis, in the order in which tables show them.
AXES = ("dataset", IMBALANCE, "fold", "representation", "classifier", "resampler")

# The axes that together are a method: what a user chooses, where the others are what it is tried on.
METHOD_AXES = ("representation", "classifier", "resampler")
ARM_AXES = METHOD_AXES[:2]
BLOCK_AXES = AXES[:3]

# What cells share that differ in nothing but the fold.
STRATUM_AXES = tuple(axis for axis in AXES if axis != "fold")

# The axes whose levels have an order, in which tables show them: from the least imbalance to the most, by number.
ORDERED_AXES = (IMBALANCE, "fold")

# Another name of an axis, where a level is a number.
ALIASES = {"ir": IMBALANCE}

# The rows of the paper's Table 1 and Table 2.
ROW_AXES = ("dataset", IMBALANCE)

_WORDS = {IMBALANCE: "IR"}
_CSV_COLUMNS = {IMBALANCE: "imbalance_ratio"}  # as published tables in long form spell it


def axis_name(axis: str, levels: Iterable[object] = ()) -> str:
    """Return the name of an axis as a sentence has it: IR only where no level of imbalance has a name of its own."""
    return axis if any(isinstance(level, str) for level in levels) else _WORDS.get(axis, axis)


def axis_heading(axis: str, levels: Iterable[object] = ()) -> str:
    """Return the name of an axis as the head of a column has it."""
    name = axis_name(axis, levels)
    return name[0].upper() + name[1:]


def csv_column(axis: str) -> str:
    """Return the name of an axis as the head of a column in a CSV file."""
    return _CSV_COLUMNS.get(axis, axis)


def level_name(level: str | float) -> str:
    """Return a level as text: 2.0 is 2."""
    return level if isinstance(level, str) else f"{level:g}"


def level_phrase(axis: str, level: str | float) -> str:
    """Return a level as a sentence has it: a number alone would not say of which axis it is."""
    text = level_name(level)
    return f"{axis_name(axis)} {text}" if axis in ORDERED_AXES and text[:1].isdigit() else text


def block_name(levels: Mapping[str, str | float]) -> str:
    """Return what methods are tried on, given a level of every axis: *stl10, IR 10, fold 3*."""
    return ", ".join(level_phrase(axis, levels[axis]) for axis in BLOCK_AXES)
