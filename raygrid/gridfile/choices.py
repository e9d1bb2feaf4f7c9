"""What a grid file leaves to be chosen within each cell: parameters with several values, and how one is chosen."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import product
from math import prod
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from raygrid.level import STRICT, Level
from raygrid.metrics.confusion import METRICS

# Candidates of a cell, and of one level, at most: every one of them is trained in every inner fold of every cell.
MOST_CANDIDATES = 100

# How like choose another word must be: chose, chooses and Choose are, choice is not, which may be a parameter.
_NEARLY = 0.8

_L = TypeVar("_L", bound=Level)
_Keys = tuple[str, ...]


class Choosing(BaseModel):
    """How a cell chooses among its candidates; only cells with parameters to choose have it in their key.

    Attributes
    ----------
    by : str
        The metric whose mean over the inner folds is compared.
    scored_on : {"inner_folds", "validation"}
        Stratified folds of the training part, each resampled without the samples that are scored, or the validation
        part.
    n_splits : int
        How many inner folds.
    """

    model_config = STRICT

    by: Literal[tuple(METRICS)] = "AvAcc"  # type: ignore[valid-type]
    scored_on: Literal["inner_folds", "validation"] = "inner_folds"
    n_splits: Annotated[int, Field(ge=2)] = 3

    @model_validator(mode="after")
    def _splits_what_is_split(self) -> Self:
        if self.scored_on == "validation" and "n_splits" in self.model_fields_set:
            raise ValueError("got n_splits with scored_on: validation, which is not split; leave one of them out")
        return self

    @property
    def n_parts(self) -> int:
        """How often each candidate is trained and scored."""
        return 1 if self.scored_on == "validation" else self.n_splits

    @property
    def text(self) -> str:
        """What a sentence says of it: *AvAcc on 3 inner folds*."""
        return f"{self.by} on " + ("validation" if self.n_parts == 1 else f"{self.n_parts} inner folds")

    def identity(self) -> dict[str, Any]:
        """Return, as plain JSON values, what can change a choice."""
        return self.model_dump(exclude={"n_splits" if self.n_parts == 1 else "scored_on"})


def with_choices(given: Mapping[str, Any], one: Callable[[Mapping[str, Any]], _L]) -> _L:
    """Return the level of a mapping in which a parameter may be ``{choose: [...]}``, also within a mapping.

    Parameters
    ----------
    given : mapping
        A level of the grid file, with its name.
    one : callable
        Returns the level of such a mapping without anything to choose.

    Raises
    ------
    ValidationError
        Each fault at its own place, those of a value in a list at this value.
    ValueError
        There are too many candidates.
    """
    if misspelled := list(_misspelled(given)):
        raise ValidationError.from_exception_data("choose", misspelled)
    listed = dict(_listed(given))
    if not listed:
        return one(given)
    if faults := [fault for keys, value in listed.items() for fault in _faults_of_list(keys, value)]:
        raise ValidationError.from_exception_data("choose", faults)
    check_number(prod(len(value["choose"]) for value in listed.values()))
    levels, wrong = [], {}
    for positions in product(*(range(len(value["choose"])) for value in listed.values())):
        place = dict(zip(listed, positions, strict=True))
        try:
            levels.append(one(_with_values(given, {keys: listed[keys]["choose"][i] for keys, i in place.items()})))
        except ValidationError as error:
            for fault in error.errors():
                keys = fault["loc"] if fault["type"] == "extra_forbidden" else _in_list(fault["loc"], place)
                wrong[keys, fault["msg"]] = _fault(keys, fault["msg"], fault["type"], fault["input"])
    if faults := list(wrong.values()) or list(_repeated(levels, listed)):
        raise ValidationError.from_exception_data("choose", faults)
    return levels[0].model_copy().with_candidates(levels, tuple(listed))


def no_choices(given: Mapping[str, Any]) -> None:
    """Raise ValidationError if a parameter of a level that must be known before the cells is to be chosen."""
    message = "got choose; only parameters of classifiers and resamplers can be chosen; write one value"
    if faults := [_fault(keys, message) for keys, _ in _listed(given)]:
        raise ValidationError.from_exception_data("choose", faults)


def check_number(n_candidates: int) -> None:
    """Raise ValueError if there are too many candidates."""
    if n_candidates > MOST_CANDIDATES:
        raise ValueError(
            f"got {n_candidates} candidates, each of which every cell trains several times; expected at most "
            f"{MOST_CANDIDATES}; leave values out of choose"
        )


def _listed(given: Mapping[str, Any], at: _Keys = ()) -> Iterator[tuple[_Keys, Mapping[str, Any]]]:
    """Yield the place and the mapping of each parameter that is to be chosen."""
    for key, value in given.items():
        if isinstance(value, Mapping):
            yield from [((*at, key), value)] if "choose" in value else _listed(value, (*at, key))


def _misspelled(given: Mapping[str, Any], at: _Keys = ()) -> Iterator[InitErrorDetails]:
    """Yield a fault for each list of values that stands beside a word which is nearly choose."""
    for key, value in given.items():
        if not isinstance(value, Mapping):
            continue
        if len(value) == 1 and isinstance(word := next(iter(value)), str) and isinstance(value[word], list | tuple):
            if word != "choose" and get_close_matches(word.lower(), ["choose"], cutoff=_NEARLY):
                got = f"got {dict(value)!r}; expected a value, or a mapping with choose"
                yield _fault((*at, key), f"{got}; did you mean 'choose'?")
        else:
            yield from _misspelled(value, (*at, key))


def _faults_of_list(keys: _Keys, given: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    for key in given:
        if key != "choose":
            found = f"unknown key: got {key!r} beside choose; expected choose alone"
            yield _fault((*keys, key), f"{found}; how it is chosen, `choose:` says once for the whole file")
    if keys[-1] == "label":
        yield _fault(keys, "got choose; a label changes nothing that could be chosen; write one")
    values = given["choose"]
    if not isinstance(values, list | tuple) or len(values) < 2:
        got = f"got {values!r}; expected a list of at least two values to choose from"
        alone = isinstance(values, list | tuple) and len(values) == 1
        yield _fault((*keys, "choose"), got + (f"; write {values[0]!r} without choose" if alone else ""))


def _repeated(levels: Sequence[Level], listed: Mapping[_Keys, Mapping[str, Any]]) -> Iterator[InitErrorDetails]:
    """Yield a fault for each value that is in its list twice, as far as two of the levels are then equal."""
    places = list(product(*(range(len(value["choose"])) for value in listed.values())))
    for level, place in zip(levels, places, strict=True):
        first = places[levels.index(level)]
        for (keys, value), i, j in zip(listed.items(), place, first, strict=True):
            if i != j and sum(place) == i:  # all else is at its first value, so that each is said once
                got = f"got {value['choose'][i]!r} twice; expected different values; remove one"
                yield _fault((*keys, "choose", i), got)


def _in_list(loc: tuple[str | int, ...], place: Mapping[_Keys, int]) -> tuple[str | int, ...]:
    """Return the place of a fault in the file, given the position of the value in each list."""
    for keys, i in place.items():
        if loc[: len(keys)] == keys:
            return (*keys, "choose", i, *loc[len(keys) :])
    return loc


def _with_values(given: Mapping[str, Any], values: Mapping[_Keys, Any], at: _Keys = ()) -> dict[str, Any]:
    """Return the mapping with these values in place of the lists."""
    return {
        key: values[(*at, key)]
        if (*at, key) in values
        else (_with_values(value, values, (*at, key)) if isinstance(value, Mapping) else value)
        for key, value in given.items()
    }


def _fault(keys: Sequence[str | int], message: str, kind: str = "value_error", given: Any = None) -> InitErrorDetails:
    error = PydanticCustomError(kind, "{words}", {"words": message})
    return InitErrorDetails(type=error, loc=tuple(keys), input=given)
