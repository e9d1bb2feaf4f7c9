"""The levels of every axis: what each does, its parameters, its reference."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from raygrid.classifiers import CLASSIFIERS
from raygrid.classifiers.training.part_of_level import OneOf
from raygrid.datasets import DATASETS, FromPath
from raygrid.imbalance import PROFILES
from raygrid.level import Level
from raygrid.representations import REPRESENTATIONS
from raygrid.resampling import ALIASES, RESAMPLERS
from raygrid.resampling.imbalanced_learn import Sampler
from raygrid.splits import SPLITS
from reference.docstrings import details, meanings, references, references_of_module, summary
from reference.tables import default, parameters, table

# As many parameters as a level may share with an earlier one before they are only named.
_FEW = 2

AXES: dict[str, dict[str, type[Level]]] = {
    "dataset": {**DATASETS, "any name": FromPath},
    "imbalance": dict(PROFILES),
    "split": dict(SPLITS),
    "representation": dict(REPRESENTATIONS),
    "classifier": dict(CLASSIFIERS),
}


def axis(name: str) -> str:
    """Return a section for each level of an axis."""
    sections, shown = [], dict[str, str]()
    for level, kind in AXES[name].items():
        for each in (kind, *kind.variants()):
            to_explain, as_before = _parted(each, shown)
            sections.append(_section(name, level, each, to_explain, as_before))
            shown |= dict.fromkeys(to_explain, level)
    cited = dict.fromkeys(filter(None, map(references_of_module, AXES[name].values())))
    return "\n".join([*sections, *(f"References: {text}\n" for text in cited)])


def _section(axis_name: str, level: str, kind: type[Level], to_explain: list[str], as_before: str) -> str:
    backbone = kind.model_fields.get("backbone")
    of = (
        f" of {kind.__module__.rpartition('.')[2].removesuffix('_features')}"
        if backbone and backbone.is_required()
        else ""
    )
    anchor = f"{axis_name}-{level.replace(' ', '-')}{of.replace(' ', '-')}"
    heading = f"### {level if ' ' in level else f'`{level}`'}{of} {{#{anchor}}}"
    places = {part: f"#training-{part}" for part in (*dict(parts_of_training()), "early_stopping")}
    explained = parameters(kind, to_explain, places=places) if to_explain else ""
    parts = [heading, summary(kind), details(kind), explained, as_before]
    parts.append(f"Reference: {references(kind)}" if references(kind) else "")
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _parted(kind: type[Level], shown: Mapping[str, str]) -> tuple[list[str], str]:
    """Return the parameters to explain, and a sentence that names those that an earlier level has as well."""
    names = sorted(set(kind.model_fields) - {"name"}, key=lambda name: _place(kind, name))
    earlier = [name for name in names if name in shown and not _is_defined_in(kind, name)]
    if len(earlier) <= _FEW:
        return names, ""
    by_level = {level: [name for name in earlier if shown[name] == level] for level in map(shown.__getitem__, earlier)}
    listed = [f"as of `{level}`: {', '.join(f'`{name}`' for name in each)}" for level, each in by_level.items()]
    return [name for name in names if name not in earlier], f"And {'; '.join(listed)}."


def _place(kind: type[Level], name: str) -> tuple[int, int]:
    """Return where a parameter stands: those of the class itself first, then those of its superclasses."""
    definer = next(i for i, each in enumerate(kind.__mro__) if _is_defined_in(each, name))
    return definer, list(kind.model_fields).index(name)


def _is_defined_in(kind: type, name: str) -> bool:
    return name in vars(kind).get("__annotations__", {})


def resamplers() -> str:
    """Return the table of all resamplers."""
    short = {name: other for other, name in ALIASES.items()}
    rows = []
    for name, kind in RESAMPLERS.items():
        names = ", ".join(f"`{one}`" for one in (name, short.get(name)) if one)
        given = {key: field for key, field in kind.model_fields.items() if key not in ("name", "sampling_strategy")}
        rows.append(
            [names, summary(kind), kind.sees, ", ".join(f"`{key}`: {default(each)}" for key, each in given.items())]
        )
    return table(["resampler", "what it does", "sees", "parameters and defaults"], rows)


def parameters_of_resamplers() -> str:
    """Return what each parameter of imbalanced-learn's samplers means."""
    said = meanings(Sampler)
    used = dict.fromkeys(name for kind in RESAMPLERS.values() for name in kind.model_fields if name in said)
    return table(["parameter", "meaning"], [[f"`{name}`", said[name]] for name in used])


def parts_of_training() -> Iterator[tuple[str, Mapping[str, type[BaseModel]]]]:
    """Yield each parameter of a network whose values are levels themselves, with these."""
    for name, field in CLASSIFIERS["cnn"].model_fields.items():
        for marker in _markers(field):
            yield name, marker.registry


def training() -> str:
    """Return a section for each parameter of a network whose values have parameters."""
    return "\n".join(_of_training(name, registry) for name, registry in parts_of_training())


def _of_training(name: str, registry: Mapping[str, type[BaseModel]]) -> str:
    rows = [[f"`{value}`", summary(kind), _in_short(kind)] for value, kind in registry.items()]
    more = [f"`{value}`: {details(kind)}\n" for value, kind in registry.items() if details(kind)]
    kinds = registry.values()
    cited = dict.fromkeys(filter(None, [*map(references, kinds), *map(references_of_module, kinds)]))
    reference = [f"Reference: {' '.join(cited)}\n"] if cited else []
    heading = f"### `{name}` {{#training-{name}}}\n"
    return "\n".join([heading, table(["value", "what it does", "its keys"], rows), *more, *reference])


def _in_short(kind: type[BaseModel]) -> str:
    said, fields = meanings(kind), kind.model_fields
    return "<br>".join(f"`{name}`, {default(fields[name])}: {said.get(name, '')}" for name in fields if name != "name")


def _markers(field: Any) -> Iterator[OneOf]:
    """Yield the marker of a parameter, or of the items of a tuple."""
    yield from (each for each in field.metadata if isinstance(each, OneOf))
    for item in getattr(field.annotation, "__args__", ()):
        yield from (each for each in getattr(item, "__metadata__", ()) if isinstance(each, OneOf))


def undescribed() -> list[str]:
    """Return the levels and parameters of which no docstring says what they are."""
    kinds = [
        each for levels in (*AXES.values(), RESAMPLERS) for kind in levels.values() for each in (kind, *kind.variants())
    ]
    kinds += [kind for _, registry in parts_of_training() for kind in registry.values()]
    lacking = [kind.__name__ for kind in kinds if not (kind.__doc__ or "").strip()]
    for kind in kinds:
        said = meanings(kind)
        lacking += [f"{kind.__name__}.{name}" for name in kind.model_fields if name not in said and name != "name"]
    return list(dict.fromkeys(lacking))


GENERATED: dict[str, Callable[[], str]] = {
    **{f"levels of {name}": lambda name=name: axis(name) for name in AXES},
    "resamplers": resamplers,
    "parameters of resamplers": parameters_of_resamplers,
    "training": training,
}
