"""The levels of all axes: a name and parameters, validated, frozen and hashable."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Annotated, Any, Self, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, ValidationInfo

from raygrid.storage.checksum import path_checksum

# Marks a parameter that a level got after cells with that level had been finished: Annotated[bool, ADDED_LATER]. Its
# default is left out of the identity, so that these cells keep their keys and stay finished.
ADDED_LATER = object()


def _require_name(schema: dict[str, Any]) -> None:
    """Let editors ask for the name, which has a default only in Python."""
    schema["required"] = list(dict.fromkeys(["name", *schema.get("required", ())]))


def _allow_choices(schema: dict[str, Any]) -> None:
    """Let editors allow a list to choose from in place of the value of any parameter."""
    _require_name(schema)
    for name, value in schema["properties"].items():
        if name != "name":
            one = {key: described for key, described in value.items() if key not in ("default", "title")}
            several = {
                "type": "object",
                "properties": {"choose": {"type": "array", "minItems": 2, "uniqueItems": True, "items": one}},
                "required": ["choose"],
                "additionalProperties": False,
            }
            outside = {key: described for key, described in value.items() if key not in one}
            schema["properties"][name] = {"anyOf": [one, several], **outside}


# How the mappings of a grid file are read: all keys are known, no value is converted, nothing changes afterwards.
STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

# Of an axis on which any parameter may be a list to choose from.
CHOOSABLE = ConfigDict(json_schema_extra=_allow_choices)


class Level(BaseModel):
    """One value of an axis: its name and every parameter, defaults filled in.

    A subclass of one of `DatasetLevel`, `Representation`, `Resampler` and `Classifier` adds its parameters as pydantic
    fields, hashable and with defaults, and the stage's work as the methods that its axis asks for. The results of these
    depend only on the parameters and the arguments, seeds included; the methods do not change arrays that they are
    given. A level is pickled for other processes, which import its class by name. The methods may raise
    `InfeasibleError` where no repetition can help (the cell is a dash in the tables), `UsageError` where every cell
    would meet the same and the user can mend it (the run ends with that line), and any other error, with which only
    the one cell fails.
    """

    model_config = ConfigDict(**STRICT, json_schema_extra=_require_name)

    name: str
    _code: Mapping[str, str] = PrivateAttr(default_factory=dict)
    _root: Path | None = PrivateAttr(None)
    _candidates: tuple["Level", ...] = PrivateAttr(())
    _chosen: tuple[tuple[str, ...], ...] = PrivateAttr(())

    def __eq__(self, other: object) -> bool:
        """Whether both are written alike: 1, 1.0 and True are equal in Python, but are different parameters."""
        if self is other:
            return True
        return isinstance(other, Level) and super().__eq__(other) and repr(self) == repr(other)

    def with_code(self, root: Path | None, **code: str) -> Self:
        """Return this level, which now knows where the user's code is that it runs, and what of it enters keys.

        That is the checksum of the source or the version of the package, and the class if it is not raygrid's. `root`
        is None if the code is that of an installed package, which every machine has.
        """
        self._root, self._code = root, code
        return self

    def with_candidates(self, candidates: Sequence[Self], parameters: Sequence[tuple[str, ...]]) -> Self:
        """Return this level, which now stands for several, one of which each cell chooses.

        Parameters
        ----------
        candidates : sequence of Level
            In the order in which they are declared; the first is equal to this level as it was.
        parameters : sequence of tuple of str
            The parameters in which they differ; within a mapping, its name and the key.
        """
        self._candidates, self._chosen = tuple(candidates), tuple(parameters)
        return self

    @property
    def candidates(self) -> tuple[Self, ...]:
        """The levels of which each cell chooses one; most often this level alone."""
        return cast(tuple[Self, ...], self._candidates) or (self,)

    def chosen_values(self, candidate: Self) -> dict[str, Any]:
        """Return, as plain JSON values, the parameters of a candidate that the grid file leaves to be chosen."""
        dumped = candidate.model_dump(mode="json")
        return {".".join(keys): reduce(getitem, keys, dumped) for keys in self._chosen}

    @property
    def text(self) -> str:
        """What tables, --only and messages call this level."""
        return "-".join([self.name, *(["chosen"] if self._chosen else []), *map(".".join, self._chosen)])

    @property
    def code(self) -> Mapping[str, str]:
        """What enters the keys of its cells about code of the user; empty where all code is raygrid's."""
        return self._code

    @property
    def root(self) -> Path | None:
        """The package or module that has this code; None where all code is raygrid's."""
        return self._root

    @classmethod
    def variants(cls) -> tuple[type["Level"], ...]:
        """Return further classes of the same name, for other values of the parameters; by default none."""
        return ()

    @classmethod
    def reads(cls, given: Mapping[str, Any]) -> bool:
        """Whether this variant is the class for these parameters, as the grid file has them."""
        return True

    def identity(self) -> dict[str, Any]:
        """Return, as plain JSON values, everything about this level that can change a result, except its code.

        These are all parameters, unless a subclass says otherwise; of a path, the checksum of its content.
        """
        return self.as_dict() | {name: path_checksum(value) for name, value in self if isinstance(value, Path)}

    def as_dict(self) -> dict[str, Any]:
        """Return the name and every parameter as plain JSON values, without those `ADDED_LATER` at their defaults."""
        fields = type(self).model_fields.items()
        silent = {
            name for name, field in fields if ADDED_LATER in field.metadata and getattr(self, name) == field.default
        }
        return self.model_dump(mode="json", exclude=silent)

    def parameters_as_text(self) -> dict[str, str]:
        """Return the parameters as labels have them; of a level that stands for several, all values: *0.1|1|10*."""
        of_each = [
            {key: _short(getattr(each, key), value) for key, value in each.as_dict().items()}
            for each in self.candidates
        ]
        names = dict.fromkeys(name for each in of_each for name in each)
        return {name: "|".join(dict.fromkeys(each[name] for each in of_each if name in each)) for name in names}

    def fetch(self) -> None:
        """Download what the level needs and this machine does not have; by default nothing."""

    def to_fetch(self) -> str:
        """Return the size and the place of what `fetch` would download; empty where nothing is missing.

        Raises
        ------
        UsageError
            A file is here, but is not what it should be.
        """
        return ""


def labels(levels: Iterable[Level]) -> dict[Level, str]:
    """Return the label of each level: its text, and the parameters in which it differs from others of that text."""
    distinct = dict.fromkeys(levels)
    namesakes: dict[str, list[Level]] = {}
    for level in distinct:
        namesakes.setdefault(level.text, []).append(level)
    found = {level: label for text, alike in namesakes.items() for level, label in _labels(text, alike)}
    return {level: found[level] for level in distinct}


def _labels(text: str, namesakes: list[Level]) -> Iterator[tuple[Level, str]]:
    given = [each.parameters_as_text() for each in namesakes] if len(namesakes) > 1 else [{}]
    names = dict.fromkeys(name for each in given for name in each)
    differing = {name for name in names if len({each.get(name) for each in given}) > 1}
    for level, parameters in zip(namesakes, given, strict=True):
        shown = [f"{name}={value}" for name, value in parameters.items() if name in differing]
        yield level, f"{text}({', '.join(shown)})" if shown else text


def _short(value: Any, plain: Any) -> str:
    """Return a parameter as text, of a level within a level what is not by default: *step(after=(160, 180))*, *a+b*."""
    if isinstance(value, tuple) and value and all(isinstance(each, Level) for each in value):
        return "+".join(_short(each, each) for each in value)
    if not isinstance(value, BaseModel):
        return str(plain)
    fields = type(value).model_fields.items()
    given = {name: getattr(value, name) for name, field in fields if name != "name"}
    if not isinstance(value, Level):
        return " ".join(str(each) for pair in given.items() for each in pair)
    set_ = [
        f"{name}={_short(each, each)}" for name, each in given.items() if each != type(value).model_fields[name].default
    ]
    return value.text + (f"({', '.join(set_)})" if set_ else "")


def existing_path(value: str | Path, info: ValidationInfo, *, expected: str = "an existing file or folder") -> Path:
    """Return `value` as an absolute path, relative ones counted from the grid file's folder.

    Raises
    ------
    ValueError
        There is nothing at that path, or it cannot be looked at.
    """
    folder = (info.context or {}).get("folder", Path())
    try:
        path = Path(folder, Path(value).expanduser()).resolve()
        is_there = path.exists()
    except (OSError, RuntimeError) as error:  # a name too long, a loop of links, no such user's home
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise ValueError(f"got {str(value)!r}; expected {expected}; it cannot be looked at ({reason})") from error
    if not is_there:
        raise ValueError(f"got {str(value)!r}; expected {expected}; there is nothing at {path}")
    return path


# A path in a grid file.
ExistingPath = Annotated[Path, Field(strict=False), AfterValidator(existing_path)]
