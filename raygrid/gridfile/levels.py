"""The axes whose levels are classes: what the grid file may say on each.

A new axis is one line here.
"""

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar, Union, cast

from pydantic import Field, PlainValidator, SerializeAsAny, ValidationInfo, WithJsonSchema

from raygrid.classifiers import CLASSIFIERS, Classifier
from raygrid.classifiers.plain import PlainClassifier
from raygrid.datasets import DATASETS, DatasetLevel, FromPath
from raygrid.errors import choices
from raygrid.gridfile.choices import no_choices, with_choices
from raygrid.gridfile.validation import validated
from raygrid.imbalance import PROFILES, Profile
from raygrid.level import Level
from raygrid.representations import REPRESENTATIONS, Representation
from raygrid.resampling import ALIASES, REFUSED, RESAMPLERS, Resampler
from raygrid.resampling.plain import PlainSampler
from raygrid.splits import SPLITS, Split
from raygrid.usercode import classes, plain, references
from raygrid.usercode.references import REFERENCE

_L = TypeVar("_L", bound=Level)

# Further names of levels, by axis.
_ALIASES: Mapping[str, Mapping[str, str]] = {"resampler": ALIASES}
_NONE: Mapping[str, str] = MappingProxyType({})

# What a class that knows nothing of raygrid may be.
_PLAIN: tuple[type[PlainClassifier] | type[PlainSampler], ...] = (PlainClassifier, PlainSampler)

# A user's own class: an editor cannot know its parameters.
_REFERENCED = {"type": "object", "properties": {"name": {"type": "string", "pattern": REFERENCE}}, "required": ["name"]}


def _one_of(
    kind: type[_L],
    registry: Mapping[str, type[_L]],
    *,
    with_path: type[_L] | None = None,
    aliases: Mapping[str, str] = _NONE,
    refused: Mapping[str, str] = _NONE,
    numbers: Callable[[float], Mapping[str, Any]] | None = None,
    choosable: bool = False,
) -> PlainValidator:
    """Return the validator of an axis, which takes a bare name, or a mapping with a name and parameters.

    A user's own class must be a subclass of `kind`; a mapping with a path is a `with_path`, whatever its name;
    `aliases` leads from further names to those in `registry`; `refused` says why there is no level of some name.
    `numbers` returns the mapping that a bare number stands for; `choosable` levels may leave parameters to be chosen.
    """
    names = (*registry, *aliases)

    def one(given: Mapping[str, Any], context: Mapping[str, Any] | None) -> _L:
        """Return the level of a mapping that has a name, and in which nothing is left to be chosen."""
        name = given["name"]
        if ":" in name:
            return level_of_user(given, kind, context, taken=names)
        if with_path and "path" in given:
            return validated(with_path, given, context)
        if name in refused:
            raise ValueError(f"got {name!r}, which {refused[name]}")
        key = aliases.get(name, name)
        if key not in registry:
            raise ValueError(choices(name, names))
        kinds = (*cast(tuple[type[_L], ...], registry[key].variants()), registry[key])
        return validated(next(each for each in kinds if each.reads(given)), {**given, "name": key}, context)

    def level(value: object, info: ValidationInfo) -> _L:
        given = {"name": value} if isinstance(value, str) else value
        if numbers and isinstance(value, int | float) and not isinstance(value, bool):
            given = numbers(value)
        if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
            number = "a number, " if numbers else ""
            raise ValueError(f"got {value!r}; expected {number}a name, or a mapping with a name")
        if choosable:
            return with_choices(given, lambda candidate: one(candidate, info.context))
        no_choices(given)
        return one(given, info.context)

    of_names = [each for kind in registry.values() for each in (kind, *kind.variants())]
    known = (*of_names, *([with_path] if with_path else []))
    reference = Annotated[str, Field(pattern=REFERENCE)]
    number = (float,) if numbers else ()
    described: Any = Union[(Literal[names], reference, *number, *known, Annotated[Any, WithJsonSchema(_REFERENCED)])]
    return PlainValidator(level, json_schema_input_type=described)


def level_of_user(
    given: Mapping[str, Any], kind: type[_L], context: Mapping[str, Any] | None, *, taken: Collection[str] = ()
) -> _L:
    """Return a level of a user's own class, whose reference is the name in `given`; raise ValueError if it is wrong."""
    if plain := _plain_level(given, kind, context, taken):
        return plain
    level_class, name = classes.find(
        given["name"], kind, context, suffices=[one.METHODS for one in _PLAIN if issubclass(one, kind)]
    )
    if name in taken:
        raise ValueError(f"{given['name']}: got the name {name!r}, which is raygrid's own; give it another")
    return classes.with_code(validated(level_class, {**given, "name": name}, context), given["name"])


def _plain_level(
    given: Mapping[str, Any], kind: type[_L], context: Mapping[str, Any] | None, taken: Collection[str]
) -> _L | None:
    """Return the level of a class that has what an axis needs and knows nothing of raygrid; None of any other."""
    module, _, name = given["name"].partition(":")
    found = references.members(given["name"], context).get(name)
    if not isinstance(found, type) or issubclass(found, Level):
        return None
    plain_kinds = [one for one in _PLAIN if issubclass(one, kind)]
    for level_class in plain_kinds:
        if not plain.lacking(found, level_class.METHODS):
            unique = f"{module.partition('.')[0]}.{name}" if name in taken else name
            level = validated(level_class, {**given, "name": unique}, context)
            plain.check(given["name"], found, level.model_extra or {})
            if getattr(level, "threshold_moving", False) and not hasattr(found, "predict_proba"):
                raise ValueError(f"got threshold_moving with {given['name']}, which has no predict_proba; leave it out")
            root, code = plain.origin(found)
            return level.with_code(root, **code)
    if not plain_kinds:
        return None
    lacks = [f"{' and '.join(plain.lacking(found, one.METHODS))}, which a {one.ROLE} needs" for one in plain_kinds]
    wanted = "that" if len(lacks) == 1 else "either"
    raise ValueError(
        f"{given['name']}: got a class without {', and without '.join(lacks)}; "
        f"expected {wanted}, or a subclass of {kind.__name__}"
    )


@lru_cache(maxsize=2**16, typed=True)
def spelled(level: object) -> str:
    """Return the text of a level, as tables, `exclude` and --only have it."""
    if isinstance(level, Level):
        return level.text
    return f"{level:g}" if isinstance(level, float) else str(level)


def canonical(axis: str, level: str) -> str:
    """Return the name in tables of a level that `exclude` or --only calls by this or another of its names."""
    return _ALIASES.get(axis, {}).get(level, level)


AnyDataset = Annotated[SerializeAsAny[DatasetLevel], _one_of(DatasetLevel, DATASETS, with_path=FromPath)]
AnyRepresentation = Annotated[SerializeAsAny[Representation], _one_of(Representation, REPRESENTATIONS)]
AnyClassifier = Annotated[SerializeAsAny[Classifier], _one_of(Classifier, CLASSIFIERS, choosable=True)]
AnyResampler = Annotated[
    SerializeAsAny[Resampler], _one_of(Resampler, RESAMPLERS, aliases=ALIASES, refused=REFUSED, choosable=True)
]
AnyProfile = Annotated[
    SerializeAsAny[Profile], _one_of(Profile, PROFILES, numbers=lambda ir: {"name": "harmonic", "ir": ir})
]
AnySplit = Annotated[SerializeAsAny[Split], _one_of(Split, SPLITS)]
