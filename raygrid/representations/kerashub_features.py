"""Vectors of a frozen network of KerasHub."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, ValidationInfo

from raygrid.networks import kerashub_models
from raygrid.representations.representation import Representation
from raygrid.storage.checksum import path_checksum

_PREFIX = "kerashub:"


def _absolute(backbone: str, info: ValidationInfo) -> str:
    """Return a preset's folder as an absolute path, counted from the grid file's folder; a name as it is."""
    path = Path((info.context or {}).get("folder", Path()), backbone.removeprefix(_PREFIX)).expanduser()
    return f"{_PREFIX}{path.resolve()}" if path.is_dir() else backbone


class KerasHubFeatures(Representation):
    """The vector that a frozen network of KerasHub gives for an image.

    Of a network that keeps places it is the average over them, of one that gives tokens the first token.

    Attributes
    ----------
    backbone : str
        ``kerashub:`` and the name of a preset, such as ``kerashub:dinov2_small``, or the folder of one. Images are
        resized and normalised as it says.
    weights : {"pretrained", "none"}
        The preset's (downloaded by KerasHub), or random ones, seeded.
    """

    gives: ClassVar[Literal["images", "vectors"]] = "vectors"
    libraries: ClassVar[tuple[str, ...]] = ("keras_backend", "keras", "keras-hub")
    name: Literal["features"] = "features"
    backbone: Annotated[str, Field(pattern=f"^{_PREFIX}.+"), AfterValidator(_absolute)]
    weights: Literal["pretrained", "none"] = "pretrained"

    @classmethod
    def reads(cls, given: Any) -> bool:
        """Whether the backbone is one of KerasHub."""
        return str(given.get("backbone")).startswith(_PREFIX)

    @property
    def is_seeded(self) -> bool:
        """Whether the weights are random."""
        return self.weights == "none"

    def identity(self) -> dict[str, Any]:
        """Return the parameters, with the checksum of a preset's folder in place of its path."""
        folder = Path(self._preset)
        return super().identity() | ({"backbone": f"{_PREFIX}{path_checksum(folder)}"} if folder.is_dir() else {})

    def fetch(self) -> None:
        """Let KerasHub download the preset, if it has not."""
        kerashub_models.of_preset(self._preset, is_pretrained=self.weights == "pretrained")

    def to_fetch(self) -> str:
        """Return what `fetch` would download, or ""; of a preset with a name KerasHub alone knows whether it is there.

        Raises
        ------
        UsageError
            KerasHub is not installed.
        """
        kerashub_models.require(self._preset)
        is_there = Path(self._preset).is_dir()
        return "" if is_there else f"what KerasHub lacks of its preset {self._preset} to where kagglehub keeps it"

    def transform(self, X: NDArray[np.uint8], *, seed: int) -> NDArray[np.generic]:
        """Return vectors of shape (n_samples, n_features), float32."""
        return kerashub_models.vectors(self._preset, X, is_pretrained=self.weights == "pretrained", seed=seed)

    @property
    def _preset(self) -> str:
        return self.backbone.removeprefix(_PREFIX)
