"""The cells that a grid leaves out."""

from typing import Self

from pydantic import BaseModel, model_validator

from raygrid.axes import ALIASES, IMBALANCE
from raygrid.gridfile.levels import canonical, spelled
from raygrid.level import STRICT


class Exclusion(BaseModel):
    """Some levels: every cell that has all of them is left out.

    Attributes
    ----------
    dataset : str or None
        The name of a data set.
    imbalance : str or None
        A level of imbalance as tables name it, such as ``step-10``.
    ir : float or None
        A level of imbalance that is a number.
    fold : int or None
        The number of a fold, from 0.
    representation : str or None
        The name of a representation.
    classifier : str or None
        The name of a classifier, or its label.
    resampler : str or None
        The name of a resampler.
    """

    model_config = STRICT

    dataset: str | None = None
    imbalance: str | None = None
    ir: float | None = None
    fold: int | None = None
    representation: str | None = None
    classifier: str | None = None
    resampler: str | None = None

    @model_validator(mode="after")
    def _excludes_some(self) -> Self:
        if not self.levels():
            raise ValueError("got no level, which would leave out every cell; expected at least one; name it")
        return self

    def levels(self) -> dict[str, str]:
        """Return the levels to exclude as text, by axis."""
        named = {ALIASES.get(key, key): level for key, level in self if level is not None}
        return {axis: canonical(axis, spelled(level)) for axis, level in named.items()}

    def key_of(self, axis: str) -> str:
        """Return the key that names the level of this axis."""
        return "ir" if axis == IMBALANCE and self.ir is not None else axis
