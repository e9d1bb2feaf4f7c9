"""The axes whose levels are classes: what the grid file may say on each, a name of raygrid's or module:Class."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

from pydantic import BeforeValidator, Discriminator, Field, PlainValidator, Tag, ValidationInfo, WithJsonSchema

from raygrid.classifiers import CLASSIFIERS, Classifier
from raygrid.datasets import DATASETS, DatasetLevel, FromPath
from raygrid.level import Level
from raygrid.representations import REPRESENTATIONS, Representation
from raygrid.resampling import RESAMPLERS, Resampler
from raygrid.usercode import classes
from raygrid.usercode.references import REFERENCE

# The tags of a data set of the user's own, and of a class of theirs on any axis; no key and no name is spelled so.
FROM_PATH = "(path)"
OWN = "(own)"

# Every level by the tag it has in the schema.
LEVELS: dict[str, type[Level]] = {
    **DATASETS,
    FROM_PATH: FromPath,
    **REPRESENTATIONS,
    **CLASSIFIERS,
    **RESAMPLERS,
}


def _as_mapping(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


def _tag(value: Any) -> str | None:
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
        return None
    if ":" in value["name"]:
        return OWN
    return FROM_PATH if "path" in value else str(value["name"])


def _levels(kind: type[Level], registry: Mapping[str, type[Level]]) -> Any:
    """Return the type of a level in the grid file: a bare name, or a mapping of the name and parameters."""
    known = [Annotated[level, Tag(name)] for name, level in registry.items()]
    union: Any = Union[(*known, Annotated[_own(kind, registry), Tag(OWN)])]
    names: Any = Literal[tuple(name for name in registry if name != FROM_PATH)]
    bare: Any = Union[names, Annotated[str, Field(pattern=REFERENCE)], union]  # noqa: UP007
    return Annotated[union, Discriminator(_tag), BeforeValidator(_as_mapping, json_schema_input_type=bare)]


def _own(kind: type[Level], registry: Collection[str]) -> Any:
    """Return the type of a level whose class the grid file names as module:Class."""

    def load(given: Mapping[str, Any], info: ValidationInfo) -> Level:
        level = classes.load(given, kind, info.context)
        if level.name in registry:
            raise ValueError(f"{given['name']}: got the name {level.name!r}, which is raygrid's own; give it another")
        return level

    name = {"type": "string", "pattern": REFERENCE}
    schema = {"type": "object", "properties": {"name": name}, "required": ["name"]}
    return Annotated[kind, PlainValidator(load), WithJsonSchema(schema)]


if TYPE_CHECKING:
    AnyDataset = DatasetLevel
    AnyRepresentation = Representation
    AnyClassifier = Classifier
    AnyResampler = Resampler
else:
    AnyDataset = _levels(DatasetLevel, {**DATASETS, FROM_PATH: FromPath})
    AnyRepresentation = _levels(Representation, REPRESENTATIONS)
    AnyClassifier = _levels(Classifier, CLASSIFIERS)
    AnyResampler = _levels(Resampler, RESAMPLERS)
