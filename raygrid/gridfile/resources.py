"""The resources of a trial, in the grid file and as the command line changes them."""

from collections.abc import Collection, Mapping, Sequence

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt, ValidationError, field_validator

from raygrid.classifiers import CLASSIFIERS
from raygrid.errors import UsageError, choices
from raygrid.level import STRICT


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

    model_config = STRICT

    cpus: PositiveInt = 1
    gpus: float = Field(0.0, ge=0)
    memory_gb: PositiveFloat | None = None
    timeout_s: PositiveFloat | None = None

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
            asked = Resources.model_validate_strings(given, strict=False).model_dump(exclude_unset=True)
            result[classifier] = result.get(classifier, Resources()).model_copy(update=asked)
        except ValidationError as error:
            fault = error.errors()[0]
            name = ".".join(map(str, fault["loc"]))
            raise UsageError(
                f"--resources {flag}: {name}: got {fault['input']!r} ({fault['msg']}); expected "
                f"CLASSIFIER:NAME=NUMBER,... with names {', '.join(Resources.model_fields)}"
            ) from None
    return result
