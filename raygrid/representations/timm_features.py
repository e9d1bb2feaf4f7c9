"""Vectors of a frozen network of timm."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveInt

from raygrid.networks import timm_models
from raygrid.networks.backbones import weights_among
from raygrid.representations.representation import Representation
from raygrid.storage.checksum import file_checksum

_PREFIX = "timm:"
_NAMED = ("pretrained", "none")


class TimmFeatures(Representation):
    """What a frozen network of timm gives to its classifier: the vector of an image.

    Attributes
    ----------
    backbone : str
        ``timm:`` and a name in timm, such as ``timm:vit_small_patch14_dinov2.lvd142m``. Images are resized, cropped and
        normalised as the network's settings in timm say.
    weights : str
        ``pretrained`` (downloaded by timm), ``none`` (random, seeded), or the path of a file of safetensors, or of
        PyTorch if it has no code.
    input_size : int or None
        Side in pixels of what the network gets; None is its own.

    References
    ----------
    Wightman (2019), PyTorch Image Models, doi:10.5281/zenodo.4414861.
    """

    gives: ClassVar[Literal["images", "vectors"]] = "vectors"
    libraries: ClassVar[tuple[str, ...]] = ("timm", "torch", "torchvision")
    name: Literal["features"] = "features"
    backbone: Annotated[str, Field(pattern=f"^{_PREFIX}.+")]
    weights: Annotated[str, weights_among(_NAMED)] = "pretrained"
    input_size: PositiveInt | None = None

    @classmethod
    def reads(cls, given: Any) -> bool:
        """Whether the backbone is one of timm."""
        return str(given.get("backbone")).startswith(_PREFIX)

    @property
    def is_seeded(self) -> bool:
        """Whether the weights are random."""
        return self.weights == "none"

    def identity(self) -> dict[str, Any]:
        """Return the parameters, with the checksum of a weights file in place of its path."""
        return super().identity() | ({} if self.weights in _NAMED else {"weights": file_checksum(Path(self.weights))})

    def fetch(self) -> None:
        """Let timm download its weights, if it has not; check the network's name, and that a file fits it."""
        timm_models.network(self._model, self._source)

    def to_fetch(self) -> str:
        """Return what `fetch` would download, or "".

        Raises
        ------
        UsageError
            timm is not installed.
        """
        timm_models.require(self._model)
        is_there = self.weights != "pretrained" or timm_models.is_downloaded(self._model)
        return "" if is_there else f"timm's weights of {self._model} to where huggingface_hub keeps them"

    def transform(self, X: NDArray[np.uint8], *, seed: int) -> NDArray[np.generic]:
        """Return vectors of shape (n_samples, n_features), float32."""
        return timm_models.vectors(self._model, self._source, X, input_size=self.input_size, seed=seed)

    @property
    def _model(self) -> str:
        return self.backbone.removeprefix(_PREFIX)

    @property
    def _source(self) -> timm_models.Named | Path:
        return self.weights if self.weights in _NAMED else Path(self.weights)  # type: ignore[return-value]
