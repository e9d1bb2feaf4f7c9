"""The cells of a grid as a file of its store, so that the store can be read without the data and the user's code.

A cell's key depends on the content of data sets and on source code, and its labels on classes. Who receives a store may
have none of these, and nothing that a store holds is ever imported.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from mimetypes import guess_type
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from raygrid.axes import AXES, IMBALANCE
from raygrid.cells import Cell
from raygrid.errors import StoreError, UsageError
from raygrid.gridfile.schema import GRID_NAME
from raygrid.gridfile.validation import validated
from raygrid.imbalance import PROFILES, Profile
from raygrid.level import Level
from raygrid.splits import SPLITS, Split
from raygrid.storage.store import Store

_FILE = "cells.json"
_FOLDER = re.compile(r"(?<=[=|(])/(?:[^/|()]+/)+")  # of a level within a level, in a label
_LOOKED_AT = 1000  # files, because a folder may have millions
_LEVEL_AXES = tuple(axis for axis in AXES if axis != "fold")


class DeclaredLevel(Level):
    """A level of any axis as a store describes it: what it is called, and its parameters as text. It can do nothing."""

    shown: str
    parameters: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """What tables call this level."""
        return self.shown

    def parameters_as_text(self) -> dict[str, str]:
        """Return the parameters as labels have them."""
        return dict(self.parameters)


class DeclaredProfile(DeclaredLevel, Profile):
    """A profile of the user's own, as a store describes it."""

    known_ratio: float | None

    @property
    def ratio(self) -> float | None:
        """The ratio that is asked for."""
        return self.known_ratio

    def kept(self, available: Sequence[int]) -> Sequence[int]:
        """Refuse: a store has no code."""
        raise UsageError(f"{self.name}: got a store; expected the grid file, because sizes are the user's own code")


@dataclass(frozen=True)
class DeclaredCell(Cell):
    """A cell whose levels a store describes and whose key is known from the store."""

    known_key: str = ""

    @cached_property
    def key(self) -> str:
        """The cell's name in the store."""
        return self.known_key


_Key = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class _Level(BaseModel):
    """What a store says of a level: its text, its parameters as a grid file has them, and as labels have them."""

    model_config = ConfigDict(extra="forbid")

    text: str
    parameters: dict[str, Any]
    in_labels: dict[str, str] = {}
    ratio: float | None = None

    def of_axis(self, axis: str) -> Level:
        """Return raygrid's own profile where it is one, which knows its sizes, else what is said of the level."""
        name = str(self.parameters.get("name", self.text))
        in_labels = self.in_labels or {key: str(value) for key, value in self.parameters.items()}
        if not "".join([name, self.text, *in_labels, *in_labels.values()]).isprintable():
            raise ValueError(f"got {self.text!r}, called {name!r}, or its parameters; expected what can be printed")
        said: dict[str, Any] = {"name": name, "shown": self.text, "parameters": tuple(in_labels.items())}
        if axis != IMBALANCE:
            return DeclaredLevel(**said)
        if name in PROFILES:
            return validated(PROFILES[name], self.parameters, None)
        rules = {key: self.parameters[key] for key in ("class_order", "test") if key in self.parameters}
        return DeclaredProfile(**said, known_ratio=self.ratio, **rules)


class Declared(BaseModel):
    """What was declared: name, metrics and cells of a grid.

    Attributes
    ----------
    name : str
    metrics : list of str
        As the grid file names them.
    seed, image_size, interpolation, split, validation
        Of all cells.
    levels : dict
        Of every axis except fold.
    cells : list of tuples
        Key, fold, and the positions of the levels in the order of `levels`.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=GRID_NAME)  # of a folder as well, when a packed store is reported on
    metrics: list[str]
    seed: int
    image_size: int
    interpolation: str
    split: dict[str, Any]
    validation: Any
    levels: dict[str, list[_Level]]
    cells: list[tuple[_Key, int, list[int]]] = Field(min_length=1)

    @cached_property
    def made_cells(self) -> list[Cell]:
        """The cells, which can be read about, but not be run."""
        levels = [[level.of_axis(axis) for level in self.levels[axis]] for axis in _LEVEL_AXES]
        shared = {name: getattr(self, name) for name in ("seed", "image_size", "interpolation", "validation")}
        split = _split(self.split)
        return [
            DeclaredCell(
                **cast("dict[str, Any]", dict(zip(_LEVEL_AXES, map(_at, levels, positions), strict=True))),
                **shared,
                fold=fold,
                split=split,
                known_key=key,
            )
            for key, fold, positions in self.cells
        ]


def _at(levels: Sequence[Level], position: int) -> Level:
    if not 0 <= position < len(levels):
        raise ValueError(f"got level {position}; expected 0 to {len(levels) - 1}")
    return levels[position]


def _split(given: dict[str, Any]) -> Split:
    """Return one of raygrid's splits, or what a store says of another."""
    name = str(given.get("name"))
    if name in SPLITS:
        return validated(SPLITS[name], given, None)
    return cast("Split", _Level(text=name, parameters=given).of_axis("split"))


def write_declared(store: Store, name: str, metrics: Sequence[str], cells: Sequence[Cell]) -> None:
    """Write what was declared into the store."""
    levels = {axis: list(dict.fromkeys(getattr(cell, axis) for cell in cells)) for axis in _LEVEL_AXES}
    positions = {axis: {level: i for i, level in enumerate(of)} for axis, of in levels.items()}
    first = cells[0]
    declared = Declared(
        name=name,
        metrics=list(metrics),
        **{each: getattr(first, each) for each in ("seed", "image_size", "interpolation", "validation")},
        split=first.split.as_dict(),
        levels={axis: list(map(_described, of)) for axis, of in levels.items()},
        cells=[(cell.key, cell.fold, [positions[axis][getattr(cell, axis)] for axis in _LEVEL_AXES]) for cell in cells],
    )
    store.write_text(_FILE, declared.model_dump_json())


def _described(level: Level) -> _Level:
    """Return what a store says of a level; of a path its last part, because where it lies is nobody's business."""
    return _Level(
        text=level.text,
        parameters={name: _without_folder(value) for name, value in level.as_dict().items()},
        in_labels={name: _without_folder(value) for name, value in level.parameters_as_text().items()},
        ratio=getattr(level, "ratio", None),
    )


def _without_folder(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_folder(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_without_folder(each) for each in value]
    if not isinstance(value, str):
        return value
    return Path(value).name if Path(value).is_absolute() else _FOLDER.sub("", value)


def read_declared(store: Store) -> Declared:
    """Return what was declared when a store was last written.

    Raises
    ------
    StoreError
        There is no such file, because the folder is no store or an older one, or it is damaged.
    """
    text = store.read_text(_FILE)
    if not text:
        raise StoreError(f"{store.root}: {_unlike_a_store(store)}")
    try:
        declared = Declared.model_validate_json(text)
        _ = declared.made_cells
    except (ValidationError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise StoreError(f"{store.root / _FILE}: got no declared cells ({reason}); run the grid again") from None
    return declared


def _unlike_a_store(store: Store) -> str:
    """Return what a store that declares nothing is instead, and what to do with it."""
    expected = "expected the store of a run, or its grid file"
    if store.is_there():
        return f"got no {_FILE}; {expected}"
    root = store.root
    if isinstance(root, Path) and root.is_file():
        return f"got a file; {expected}, which is raygrid.load(grid={str(root)!r}) in Python"
    if isinstance(root, Path) and has_images(root):
        return f"got a folder of images, no store; {expected}; write one: raygrid init {root}"
    return f"got no store; {expected}"


def has_images(folder: Path) -> bool:
    """Tell whether folders in a folder have images, as far as the names of the first files say."""
    files = islice(chain(folder.glob("*/*"), folder.glob("*/*/*")), _LOOKED_AT)
    return any((guess_type(file.name)[0] or "").startswith("image/") for file in files)
