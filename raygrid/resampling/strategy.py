"""`sampling_strategy`: which classes a sampler of imbalanced-learn resamples, and to how many samples."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from raygrid.errors import choices

# From class to number of samples. In pairs, because the parameters of a level are hashable.
Counts = tuple[tuple[int, int], ...]


def _one_of(*words: str) -> Any:
    """Return the validator of a sampler that takes these words, a ratio or a mapping; each fault is one message."""

    def check(value: object) -> str | float | Counts:
        if isinstance(value, str) and value in words:
            return value
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1:
            return float(value)
        if isinstance(value, Mapping) and value and all(map(_is_count, [*value.keys(), *value.values()])):
            return tuple(sorted(value.items()))
        alternatives = [
            *words,
            "a ratio above 0 and at most 1",
            "a mapping from class (0, 1, ...) to number of samples",
        ]
        if isinstance(value, str):
            raise ValueError(choices(value, alternatives))
        raise ValueError(f"got {value!r}; expected one of {', '.join(alternatives)}")

    ratio = Annotated[float, Field(gt=0, le=1)]
    return BeforeValidator(check, json_schema_input_type=Literal[words] | ratio | dict[int, int])


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def plain(value: str | float | Counts) -> Any:
    """Return the strategy as imbalanced-learn takes it."""
    return dict(value) if isinstance(value, tuple) else value


# 'auto' is all classes but the largest. A ratio is that of two classes; more of them need a mapping.
Filled = Annotated[
    str | float | Counts, _one_of("auto", "minority", "not minority", "not majority", "all"), PlainSerializer(plain)
]
# 'auto' is all classes but the smallest.
Thinned = Annotated[
    str | float | Counts, _one_of("auto", "majority", "not minority", "not majority", "all"), PlainSerializer(plain)
]
# Of samplers that drop what is in the way, however many samples that leaves.
Cleaned = Literal["auto", "majority", "not minority", "not majority", "all"]
