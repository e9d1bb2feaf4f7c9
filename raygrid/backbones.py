"""Backbones: the networks of keras.applications without their top, and where their weights come from."""

import os
import sys
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, ValidationInfo, model_validator

from raygrid.checksum import file_checksum
from raygrid.errors import WeightsError
from raygrid.keras_backend import load_keras
from raygrid.level import Level, existing_path

# Trained by scripts/pretrain_backbone.py.
EMBEDDED = Path(__file__).parent / "weights" / "mobilenet_0.25_cifar10.weights.h5"

_NAMED_WEIGHTS = ("imagenet", "embedded", "none")


def _weights(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, str) or value in _NAMED_WEIGHTS:
        return value
    expected = f"{', '.join(_NAMED_WEIGHTS)} or the path of a weights file"
    path = existing_path(value, info, expected=expected)
    if not path.is_file():
        raise ValueError(f"got {value!r}; expected {expected}; {path} is a folder")
    return str(path)


class BackboneLevel(Level):
    """A level that starts from a convolutional network.

    Attributes
    ----------
    backbone : str
        The architecture, of keras.applications.
    alpha : float
        Width multiplier (Howard et al., 2017).
    weights : str
        ``imagenet`` (downloaded by Keras), ``embedded`` (alpha 0.25, shipped with raygrid), ``none`` (random,
        seeded), or the path of a Keras weights file without top.
    """

    backbone: Literal["mobilenet"] = "mobilenet"
    alpha: float = Field(1.0, gt=0)
    weights: Annotated[str, BeforeValidator(_weights)] = "imagenet"

    @model_validator(mode="after")
    def _alpha_has_weights(self) -> Self:
        published = {"imagenet": (0.25, 0.5, 0.75, 1.0), "embedded": (0.25,)}.get(self.weights)
        if published and self.alpha not in published:
            raise ValueError(
                f"got alpha {self.alpha} with weights {self.weights}; expected one of {', '.join(map(str, published))}"
            )
        return self

    def identity(self) -> dict[str, Any]:
        """Return the parameters, with what a weights file holds in place of its path."""
        path = self._weights_file()
        return super().identity() | {"weights": file_checksum(path) if path else self.weights}

    def fetch(self) -> None:
        """Download the weights, if they are not in Keras' cache.

        Raises
        ------
        WeightsError
            The download failed.
        """
        if self.weights == "imagenet" and not self._imagenet_file().exists():
            self.build_backbone(32, seed=0)

    def to_fetch(self) -> str:
        """Return the size and place of the published weights, unless they are in Keras' cache; read a file's header."""
        if self.weights == "imagenet":
            return "" if self._imagenet_file().exists() else f"at most 17 MB to {self._imagenet_file()}"
        path = self._weights_file()
        if path and not _is_hdf5(path):
            raise WeightsError(f"weights {path}: got no HDF5 file; expected a Keras weights file without top")
        return ""

    def build_backbone(self, image_size: int, *, seed: int) -> Any:
        """Return the network, a Keras model from (n, image_size, image_size, 3) to its last convolutional activations.

        Parameters
        ----------
        image_size : int
            Side of the images in pixels, at least 32.
        seed : int
            Of the weights where they are random.

        Raises
        ------
        WeightsError
            The weights cannot be had, or do not fit.
        """
        keras = load_keras()
        keras.utils.set_random_seed(seed)
        shape = (image_size, image_size, 3)
        path = self._weights_file()
        imagenet = "imagenet" if self.weights == "imagenet" else None
        try:
            # Keras warns of images that are not 224 pixels wide, and of each layer of a file that it then refuses;
            # and it prints where a download stands, for which stdout, where results go, is the wrong place.
            with warnings.catch_warnings(action="ignore"), redirect_stdout(sys.stderr):
                model = keras.applications.MobileNet(
                    input_shape=shape, alpha=self.alpha, include_top=False, weights=imagenet
                )
                if path:
                    model.load_weights(path)
        except Exception as error:  # Keras raises bare Exception where a download fails
            raise WeightsError(self._advice(error)) from error
        return model

    def _weights_file(self) -> Path | None:
        if self.weights in ("imagenet", "none"):
            return None
        return EMBEDDED if self.weights == "embedded" else Path(self.weights)

    def _imagenet_file(self) -> Path:
        """Return where Keras keeps the weights for the sizes of images that it has none of their own for."""
        width = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0", 0.25: "2_5"}[self.alpha]
        home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
        return home / "models" / f"mobilenet_{width}_224_tf_no_top.h5"

    def _advice(self, error: Exception) -> str:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if self.weights != "imagenet":
            return f"weights {self.weights}: got a file that does not fit {self.backbone} alpha {self.alpha} ({reason})"
        file = self._imagenet_file()
        return (
            f"weights imagenet: not in Keras' cache and the download failed ({reason}); put "
            f"{file.name} into {file.parent}, or name a file: weights: PATH"
        )


def _is_hdf5(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(8) == b"\x89HDF\r\n\x1a\n"


def preprocess(X: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return pixels 0 .. 255 as Keras' MobileNet expects them: float32 in [-1, 1]."""
    return X.astype(np.float32) / np.float32(127.5) - np.float32(1)
