"""What every level of every axis is: a name and its parameters, checked, frozen, and hashable."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, ValidationInfo

from raygrid.checksum import path_checksum

# Marks a parameter that came to a level after cells of it had been finished: Annotated[bool, ADDED_LATER]. Its default
# changes nothing, and is left out of the identity: finished cells keep their keys, and so stay finished.
ADDED_LATER = object()


class Level(BaseModel):
    """One value of an axis: its name and every parameter, defaults filled in.

    A subclass of one of `DatasetLevel`, `Representation`, `Resampler` and `Classifier` adds its parameters as pydantic
    fields, with defaults and hashable, and the stage's work as the methods that its axis asks for. What these return
    depends on the parameters and on what they are given, seeds included, and on nothing else; arrays that they are
    given they leave as they are. Other processes get a level pickled, hence its class by name. They may raise
    `InfeasibleError` where no repetition can help (the cell is a dash in the tables), `UsageError` where the user can
    mend what every cell would meet (the run ends with that line), and anything else for a failure of the one cell.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, json_schema_extra={"required": ["name"]}
    )

    name: str
    _code: Mapping[str, str] = PrivateAttr(default_factory=dict)
    _root: Path | None = PrivateAttr(None)

    @property
    def code(self) -> Mapping[str, str]:
        """What its cells' keys know of code of the user's own: the checksum of its source, and the class if it is one.

        Empty where all code is raygrid's.
        """
        return self._code

    @property
    def root(self) -> Path | None:
        """The package or module that has this code."""
        return self._root

    def identity(self) -> dict[str, Any]:
        """Return, as plain JSON values, everything about this level that can change a result, but for its code.

        All parameters, unless a subclass knows better; for one that is a path, the checksum of what lies there.
        """
        return self.as_dict() | {name: path_checksum(value) for name, value in self if isinstance(value, Path)}

    def as_dict(self) -> dict[str, Any]:
        """Return the name and every parameter as plain JSON values; without those `ADDED_LATER` that say nothing."""
        fields = type(self).model_fields.items()
        silent = {
            name for name, field in fields if ADDED_LATER in field.metadata and getattr(self, name) == field.default
        }
        return self.model_dump(mode="json", exclude=silent)

    def to_fetch(self) -> str:
        """Return what is not on this machine yet and `fetch` would download: how large it is, and from where.

        Nothing where all is here, and as it should be.

        Raises
        ------
        UsageError
            A file is here, but is not what it should be.
        """
        return ""


def labels(levels: Iterable[Level]) -> dict[Level, str]:
    """Return what each level is called: its name, and the parameters that tell it from others of that name."""
    distinct = list(dict.fromkeys(levels))
    return {level: _label(level, [other for other in distinct if other.name == level.name]) for level in distinct}


def _label(level: Level, namesakes: list[Level]) -> str:
    differing = [
        f"{name}={value}"
        for name, value in level.as_dict().items()
        if len({repr(other.as_dict().get(name)) for other in namesakes}) > 1
    ]
    return f"{level.name}({', '.join(differing)})" if differing else level.name


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
