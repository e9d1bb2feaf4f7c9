"""The resources of a trial, in the grid file and as the command line changes them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)

from raygrid.classifiers import CLASSIFIERS
from raygrid.errors import UsageError, choices
from raygrid.level import STRICT

Measurable = Literal["gpus", "memory_gb"]

# What stands for `auto` until something is recorded.
_UNMEASURED: Mapping[Measurable, float | None] = {"gpus": 1.0, "memory_gb": None}


def _with_auto(schema: dict[str, Any]) -> None:
    """Let editors allow `auto` in place of a number."""
    for name in _UNMEASURED:
        schema["properties"][name] = {"anyOf": [schema["properties"][name], {"const": "auto"}]}


class Resources(BaseModel):
    """What one trial of a classifier may use; no result depends on it, but for rounding by the number of threads.

    Attributes
    ----------
    cpus : int
        Cores, and threads.
    gpus : float
        Cards, or a share of one, and of its memory.
    memory_gb : float or None
        Main memory (10^9 bytes) that a node must have free for it; not a limit.
    timeout_s : float or None
        Wall-clock time after which it is given up.
    """

    model_config = ConfigDict(**STRICT, json_schema_extra=_with_auto)

    cpus: PositiveInt = 1
    gpus: float = Field(0.0, ge=0)
    memory_gb: PositiveFloat | None = None
    timeout_s: PositiveFloat | None = None
    _auto: tuple[Measurable, ...] = PrivateAttr(())

    @model_validator(mode="wrap")
    @classmethod
    def _leaves_open(cls, given: Any, validate: Callable[[Any], Self]) -> Self:
        """Take ``auto`` in place of a number."""
        if not isinstance(given, Mapping):
            return validate(given)
        auto = tuple(name for name in _UNMEASURED if given.get(name) == "auto")
        made = validate({**given, **{name: _UNMEASURED[name] for name in auto}})
        return made.leaving(*auto) if auto else made

    @property
    def auto(self) -> tuple[Measurable, ...]:
        """Which of `gpus` and `memory_gb` are left to what is recorded: a whole card and nothing until something is."""
        return self._auto

    def leaving(self, *auto: Measurable) -> Self:
        """Return the same, with these left to what is recorded."""
        made = self.model_copy()
        made._auto = auto
        return made

    def with_numbers(self, **numbers: Any) -> Self:
        """Return the same with other numbers; of those nothing is left to what is recorded."""
        made = self.model_copy(update=numbers)
        return made.leaving(*(name for name in self.auto if name not in numbers))

    @field_validator("gpus")
    @classmethod
    def _are_whole_or_a_share(cls, gpus: float) -> float:
        if gpus > 1 and gpus != int(gpus):
            raise ValueError(f"got {gpus:g}; expected a share of one card, or a whole number of cards")
        return gpus


def changed(
    resources: Mapping[str, Resources], flags: Sequence[str], *, classifiers: Collection[str] = tuple(CLASSIFIERS)
) -> dict[str, Resources]:
    """Return resources as the flag --resources changes them.

    Parameters
    ----------
    flags : sequence of str
        ``classifier:name=value,name=value``, e.g. ``cnn:gpus=0.25,cpus=2``.
    classifiers : collection of str
        The names that a flag may use.

    Raises
    ------
    UsageError
        A flag has another form.
    """
    result = dict(resources)
    for flag in flags:
        classifier, _, settings = flag.partition(":")
        if classifier not in classifiers:
            raise UsageError(f"--resources {flag}: {choices(classifier, classifiers)}")
        given = dict(setting.partition("=")[::2] for setting in settings.split(","))
        try:
            asked = Resources.model_validate_strings(given, strict=False)
            made = result.get(classifier, Resources()).with_numbers(**asked.model_dump(exclude_unset=True))
            result[classifier] = made.leaving(*made.auto, *asked.auto)
        except ValidationError as error:
            fault = error.errors()[0]
            name = ".".join(map(str, fault["loc"]))
            raise UsageError(
                f"--resources {flag}: {name}: got {fault['input']!r} ({fault['msg']}); expected "
                f"CLASSIFIER:NAME=NUMBER,... with names {', '.join(Resources.model_fields)}"
            ) from None
    return result
