"""Backbones: the parameters and weights of the network that a level starts from."""

import os
import random
import warnings
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, ValidationInfo, model_validator

from raygrid.errors import WeightsError
from raygrid.level import Level, existing_path
from raygrid.networks.architectures import ARCHITECTURES, PUBLISHED
from raygrid.storage.checksum import file_checksum
from raygrid.storage.download import download

# Weights of mobilenet, alpha 0.25; trained by scripts/pretrain_backbone.py.
EMBEDDED = Path(__file__).parent / "weights" / "mobilenet_0.25_cifar10.weights.h5"

_NAMED_WEIGHTS = ("imagenet", "embedded", "none")


def weights_among(names: Sequence[str]) -> BeforeValidator:
    """Return the validator of weights that are one of some names, or the path of a file, which becomes absolute."""

    def weights(value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str) or value in names:
            return value
        expected = f"{', '.join(names)} or the path of a weights file"
        path = existing_path(value, info, expected=expected)
        if not path.is_file():
            raise ValueError(f"got {value!r}; expected {expected}; {path} is a folder")
        return str(path)

    return BeforeValidator(weights)


class BackboneLevel(Level):
    """A level that starts from a convolutional network.

    Attributes
    ----------
    backbone : str
        The architecture.
    alpha : float
        Width multiplier (Howard et al., 2017), if the architecture has one.
    weights : str
        ``imagenet`` (downloaded by Keras), ``embedded`` (mobilenet, alpha 0.25, shipped with raygrid), ``none``
        (random, seeded), or the path of a Keras weights file without top.
    """

    backbone: Literal[tuple(ARCHITECTURES)] = "mobilenet"  # type: ignore[valid-type]
    alpha: float = Field(1.0, gt=0)
    weights: Annotated[str, weights_among(_NAMED_WEIGHTS)] = "imagenet"

    @model_validator(mode="after")
    def _alpha_has_weights(self) -> Self:
        alphas = tuple(ARCHITECTURES[self.backbone].alphas)
        if not alphas and self.alpha != 1:
            raise ValueError(f"got alpha {self.alpha} with {self.backbone}, which has one width; leave it out")
        if self.weights == "imagenet" and not ARCHITECTURES[self.backbone].file:
            raise ValueError(
                f"got weights imagenet with {self.backbone}, which has none; write weights: none, or a path"
            )
        if self.weights == "embedded" and self.backbone != "mobilenet":
            raise ValueError(f"got weights embedded with {self.backbone}; they are mobilenet's; name others")
        published = {"imagenet": alphas, "embedded": (0.25,)}.get(self.weights)
        if published and self.alpha not in published:
            raise ValueError(
                f"got alpha {self.alpha} with weights {self.weights}; expected one of {', '.join(map(str, published))}"
            )
        return self

    def identity(self) -> dict[str, Any]:
        """Return the parameters, with the checksum of a weights file in place of its path."""
        path = self._weights_file()
        return super().identity() | {"weights": file_checksum(path) if path else self.weights}

    def fetch(self) -> None:
        """Download the weights, if they are not in Keras' cache; trials that run in parallel download them only once.

        Raises
        ------
        WeightsError
            The download failed.
        """
        if self.weights == "imagenet":
            _fetch(*self._published())

    def to_fetch(self) -> str:
        """Return the size and path of the weights that `fetch` would download, or ""; check a named file's header."""
        if self.weights == "imagenet":
            file, _ = self._published()
            return "" if file.exists() else f"at most {ARCHITECTURES[self.backbone].megabytes} MB to {file}"
        path = self._weights_file()
        if path and not _is_hdf5(path):
            raise WeightsError(f"weights {path}: got no HDF5 file; expected a Keras weights file without top")
        return ""

    def build_backbone(self, image_size: int, *, seed: int) -> Any:
        """Return the network, a Keras model from images in [-1, 1] to its last convolutional activations.

        Parameters
        ----------
        image_size : int
            Side of the images in pixels, at least 32.
        seed : int
            Seed of the weights, if they are random.

        Raises
        ------
        WeightsError
            The weights cannot be downloaded or read, or do not fit the network.
        """
        # Keras' initialisers draw their seeds from Python's generator. `keras.utils.set_random_seed` would also seed
        # TensorFlow, which would then trace all its functions again: 2 s a trial.
        random.seed(seed)
        path = self._weights_file()
        if self.weights == "imagenet":
            path, url = self._published(image_size)
            _fetch(path, url)  # also here, because a node that has just joined the cluster has no files
        try:
            # Keras would warn about every layer of a file before it refuses the file.
            with warnings.catch_warnings(action="ignore"):
                network, model = ARCHITECTURES[self.backbone].build(self.alpha, image_size)
                if path:
                    model.load_weights(path)
        except Exception as error:  # Keras and h5py raise many kinds of errors
            raise WeightsError(self._advice(error, path)) from error
        return network

    def _weights_file(self) -> Path | None:
        """Return the weights file that the level names, or the shipped one; None if it uses neither."""
        if self.weights in ("imagenet", "none"):
            return None
        return EMBEDDED if self.weights == "embedded" else Path(self.weights)

    def _published(self, image_size: int = 0) -> tuple[Path, str]:
        """Return the path of the published weights in Keras' cache, and their URL."""
        file = ARCHITECTURES[self.backbone].published(self.alpha, image_size)
        home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
        return home / "models" / Path(file).name, f"{PUBLISHED}/{file}"

    def _advice(self, error: Exception, path: Path | None) -> str:
        misfit = f"got a file that does not fit {self.backbone} alpha {self.alpha} ({_reason(error)})"
        if self.weights == "imagenet":
            return f"weights imagenet: {path}: {misfit}; delete it to download it again"
        return f"weights {self.weights}: {misfit}"


def _fetch(file: Path, url: str) -> None:
    """Download published weights into Keras' cache, completely or not at all, unless the file exists.

    Keras publishes no checksums of them. The size is checked against what the server states, and the content must
    begin like an HDF5 file. Whether it fits the network shows when it is read.
    """

    def right(part: Path) -> None:
        if not _is_hdf5(part):
            raise OSError(f"{url}: got no HDF5 file")

    if file.exists():
        return
    try:
        download(url, file, check=right)
    except (OSError, HTTPException) as error:
        raise WeightsError(
            f"weights imagenet: not in Keras' cache and the download failed ({_reason(error)}); put "
            f"{file.name} into {file.parent}, or name a file: weights: PATH; "
            "for a first try: alpha: 0.25, weights: embedded"
        ) from error


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _is_hdf5(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(8) == b"\x89HDF\r\n\x1a\n"


def preprocess(X: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return pixels 0 .. 255 as float32 in [-1, 1], which every backbone here takes."""
    return X.astype(np.float32) / np.float32(127.5) - np.float32(1)
