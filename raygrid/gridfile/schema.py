"""The grid file: its schema. `raygrid.gridfile.faults` says what is wrong with a file."""

from collections.abc import Hashable, Iterator
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, Field, PositiveInt, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from raygrid.classifiers import CLASSIFIERS
from raygrid.datasets.resizing import INTERPOLATIONS
from raygrid.errors import choices
from raygrid.gridfile.levels import AnyClassifier, AnyDataset, AnyRepresentation, AnyResampler
from raygrid.gridfile.resources import Resources
from raygrid.level import STRICT, Level
from raygrid.metrics.confusion import METRICS
from raygrid.metrics.further import MetricName, with_distinct_headings

_T = TypeVar("_T", bound=Hashable)


def _distinct(levels: tuple[_T, ...]) -> tuple[_T, ...]:
    for i, level in enumerate(levels):
        if level in levels[:i]:
            raise ValueError(f"got {getattr(level, 'name', level)!r} twice; expected different levels; remove one")
    return levels


# An axis: its levels, at least one, each once. (YAML has lists where we keep tuples, hence not strict.)
Axis = Annotated[tuple[_T, ...], Field(strict=False, min_length=1), AfterValidator(_distinct)]


class Arm(BaseModel):
    """One half of a study: a representation, a classifier that works on it, and the resamplers to compare."""

    model_config = STRICT

    representation: AnyRepresentation
    classifier: AnyClassifier
    resamplers: Axis[AnyResampler]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        gives, takes = self.representation.gives, self.classifier.takes
        if gives != takes:
            raise ValueError(
                f"got classifier {self.classifier.name!r}, which takes {takes}, on representation "
                f"{self.representation.name!r}, which gives {gives}; change one of them"
            )
        return self

    def levels(self) -> Iterator[tuple[str, Level]]:
        """Yield every level, with its axis."""
        yield from (("representation", self.representation), ("classifier", self.classifier))
        yield from (("resampler", resampler) for resampler in self.resamplers)

    @property
    def name(self) -> str:
        """What a message calls this arm."""
        return f"{self.representation.name} + {self.classifier.name}"


class Exclusion(BaseModel):
    """A partial cell: every cell that has all of these levels is left out."""

    model_config = STRICT

    dataset: str | None = None
    ir: float | None = None
    fold: int | None = None
    representation: str | None = None
    resampler: str | None = None
    classifier: str | None = None

    @model_validator(mode="after")
    def _excludes_some(self) -> Self:
        if not self.levels():
            raise ValueError("got no level, which would leave out every cell; expected at least one; name it")
        return self

    def levels(self) -> dict[str, str]:
        """Return the levels that are named, as text, by axis."""
        named = self.model_dump(exclude_none=True)
        return {axis: f"{level:g}" if isinstance(level, float) else str(level) for axis, level in named.items()}


def _fault(message: str, *keys: str | int) -> InitErrorDetails:
    return InitErrorDetails(type="value_error", loc=keys, input=None, ctx={"error": ValueError(message)})


class Grid(BaseModel):
    """What is declared: the levels of every axis and the settings they share. The defaults are the paper's."""

    model_config = STRICT

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    seed: int = Field(0, ge=0)
    folds: PositiveInt = 10
    image_size: int = Field(64, ge=32)
    interpolation: Literal[tuple(INTERPOLATIONS)] = "bilinear"  # type: ignore[valid-type]
    imbalance_ratios: Axis[Annotated[float, Field(ge=1)]] = (2.0, 5.0, 10.0)
    datasets: Axis[AnyDataset]
    arms: Axis[Arm]
    exclude: Annotated[tuple[Exclusion, ...], Field(strict=False)] = ()
    metrics: Annotated[Axis[MetricName], AfterValidator(with_distinct_headings)] = tuple(METRICS)
    resources: dict[str, Resources] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _levels_exist(self) -> Self:
        valid = self.levels()
        faults = [
            _fault(f"got the name {name!r} twice; give each data set a name of its own", "datasets", i, "name")
            for i, name in enumerate(valid["dataset"])
            if name in valid["dataset"][:i]
        ]
        faults += [
            _fault(choices(level, valid[axis]), "exclude", i, axis)
            for i, exclusion in enumerate(self.exclude)
            for axis, level in exclusion.levels().items()
            if level not in valid[axis]
        ]
        faults += [
            _fault(choices(classifier, self.classifiers()), "resources", classifier)
            for classifier in self.resources
            if classifier not in self.classifiers()
        ]
        faults += self._namesakes()
        if faults:
            raise ValidationError.from_exception_data("Grid", faults)
        return self

    def _namesakes(self) -> Iterator[InitErrorDetails]:
        """Yield a fault for each name that two classes share: no table could tell them apart."""
        first: dict[tuple[str, str], type[Level]] = {}
        for i, arm in enumerate(self.arms):
            for axis, level in arm.levels():
                if first.setdefault((axis, level.name), type(level)) is not type(level):
                    fault = f"got two classes named {level.name!r}; give each {axis} a name of its own"
                    yield _fault(fault, "arms", i)

    def classifiers(self) -> list[str]:
        """Return the names of the classifiers that there are: raygrid's, and the user's own in this grid."""
        return list(dict.fromkeys([*CLASSIFIERS, *(arm.classifier.name for arm in self.arms)]))

    def levels(self) -> dict[str, list[str]]:
        """Return the levels of every axis as text, as --only spells them."""
        resamplers = [resampler.name for arm in self.arms for resampler in arm.resamplers]
        return {
            "dataset": [dataset.name for dataset in self.datasets],
            "ir": [f"{ir:g}" for ir in self.imbalance_ratios],
            "fold": [str(fold) for fold in range(self.folds)],
            "representation": list(dict.fromkeys(arm.representation.name for arm in self.arms)),
            "resampler": list(dict.fromkeys(resamplers)),
            "classifier": list(dict.fromkeys(arm.classifier.name for arm in self.arms)),
        }
