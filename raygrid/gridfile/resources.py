"""The resources of a trial, in the grid file and as the command line changes them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
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
    del schema["properties"]["auto"]
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
    auto : tuple of str
        Which of `gpus` and `memory_gb` a grid file leaves to what is recorded, by ``auto`` in place of a number; until
        something is, they are a whole card and nothing.
    """

    model_config = ConfigDict(**STRICT, json_schema_extra=_with_auto)

    cpus: PositiveInt = 1
    gpus: float = Field(0.0, ge=0)
    memory_gb: PositiveFloat | None = None
    timeout_s: PositiveFloat | None = None
    auto: tuple[Measurable, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _leaves_open(cls, given: Any) -> Any:
        """Take ``auto`` in place of a number."""
        if not isinstance(given, Mapping):
            return given
        auto = tuple(name for name in _UNMEASURED if given.get(name) == "auto")
        return {**given, **{name: _UNMEASURED[name] for name in auto}, "auto": auto} if auto else given

    @field_validator("gpus")
    @classmethod
    def _are_whole_or_a_share(cls, gpus: float) -> float:
        if gpus > 1 and gpus != int(gpus):
            raise ValueError(f"got {gpus:g}; expected a share of one card, or a whole number of cards")
        return gpus

    def with_gpus(self, gpus: float) -> "Resources":
        """Return the same with a number of cards, or a share of one, that is asked for elsewhere."""
        return self.model_copy(update={"gpus": gpus, "auto": tuple(name for name in self.auto if name != "gpus")})


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
            earlier = result.get(classifier, Resources())
            asked = Resources.model_validate_strings(given, strict=False).model_dump(exclude_unset=True)
            auto = [*(name for name in earlier.auto if name not in asked), *asked.get("auto", ())]
            result[classifier] = earlier.model_copy(update=asked | {"auto": tuple(auto)})
        except ValidationError as error:
            fault = error.errors()[0]
            name = ".".join(map(str, fault["loc"]))
            names = ", ".join(name for name in Resources.model_fields if name != "auto")
            raise UsageError(
                f"--resources {flag}: {name}: got {fault['input']!r} ({fault['msg']}); expected "
                f"CLASSIFIER:NAME=NUMBER,... with names {names}"
            ) from None
    return result
