"""The arms of a grid: what is compared."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, BaseModel, Field, WrapValidator, model_validator

from raygrid.gridfile.choices import check_number
from raygrid.gridfile.levels import AnyClassifier, AnyRepresentation, AnyResampler, canonical
from raygrid.level import STRICT, Level
from raygrid.resampling import Resampler

_T = TypeVar("_T", bound=Hashable)


def distinct(levels: tuple[_T, ...]) -> tuple[_T, ...]:
    """Return the levels; raise ValueError if one is there twice."""
    seen = set()
    for level in levels:
        if level in seen:
            raise ValueError(f"got {getattr(level, 'text', level)!r} twice; expected different levels; remove one")
        seen.add(level)
    return levels


# The levels of an axis: at least one, and each once. Not strict, because YAML has lists where a grid has tuples.
Axis = Annotated[tuple[_T, ...], Field(strict=False, min_length=1), AfterValidator(distinct)]


def _once_under_two_names(given: Any, validate: Callable[[Any], tuple[Resampler, ...]]) -> tuple[Resampler, ...]:
    """Validate resamplers; of one that is listed by both of its names, keep the first."""
    levels = validate(given)
    names = [each.get("name") if isinstance(each, Mapping) else each for each in given]
    pairs = [(level, canonical("resampler", str(name)) == name) for level, name in zip(levels, names, strict=True)]
    first: dict[Resampler, bool] = {}
    for level, is_canonical in pairs:
        first.setdefault(level, is_canonical)
    return tuple(level for level, is_canonical in pairs if first[level] == is_canonical)


class Arm(BaseModel):
    """A part of a study: a representation, a classifier that works on it, and the resamplers to compare.

    Attributes
    ----------
    representation : Representation
        What the classifier sees of an image.
    classifier : Classifier
        What is trained. It must take what the representation gives.
    resamplers : tuple of Resampler
        What becomes of the training set before. Each makes cells of its own.
    """

    model_config = STRICT

    representation: AnyRepresentation
    classifier: AnyClassifier
    resamplers: Annotated[
        tuple[AnyResampler, ...],
        Field(strict=False, min_length=1),
        WrapValidator(_once_under_two_names),
        AfterValidator(distinct),
    ]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        gives, takes = self.representation.gives, self.classifier.takes
        if gives != takes:
            raise ValueError(
                f"got classifier {self.classifier.name!r}, which takes {takes}, on representation "
                f"{self.representation.name!r}, which gives {gives}; change one of them"
            )
        return self

    @model_validator(mode="after")
    def _can_choose(self) -> Self:
        for resampler in self.resamplers:
            check_number(len(self.classifier.candidates) * len(resampler.candidates))
            if len(resampler.candidates) > 1 and self.representation.is_trained_on_mixtures:
                raise ValueError(
                    f"got choose in resampler {resampler.name!r}, which gives what representation "
                    f"{self.representation.name!r} is trained on; write one value, or train_on: original"
                )
        return self

    def levels(self) -> Iterator[tuple[str, Level]]:
        """Yield every level, with its axis."""
        yield from (("representation", self.representation), ("classifier", self.classifier))
        yield from (("resampler", resampler) for resampler in self.resamplers)

    @property
    def text(self) -> str:
        """The name of this arm in messages."""
        return f"{self.representation.name} + {self.classifier.name}"
