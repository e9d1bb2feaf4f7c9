"""Backbones: the networks that a level may start from, and where their weights come from."""

import os
import random
import warnings
from http.client import HTTPException
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, ValidationInfo, model_validator

from raygrid.checksum import file_checksum
from raygrid.errors import WeightsError
from raygrid.level import Level, existing_path
from raygrid.networks.architectures import ARCHITECTURES, PUBLISHED
from raygrid.storage.download import download

# Of mobilenet, alpha 0.25; trained by scripts/pretrain_backbone.py.
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
        The architecture.
    alpha : float
        Width multiplier (Howard et al., 2017), where the architecture has one.
    weights : str
        ``imagenet`` (downloaded by Keras), ``embedded`` (mobilenet, alpha 0.25, shipped with raygrid), ``none``
        (random, seeded), or the path of a Keras weights file without top.
    """

    backbone: Literal[tuple(ARCHITECTURES)] = "mobilenet"  # type: ignore[valid-type]
    alpha: float = Field(1.0, gt=0)
    weights: Annotated[str, BeforeValidator(_weights)] = "imagenet"

    @model_validator(mode="after")
    def _alpha_has_weights(self) -> Self:
        alphas = tuple(ARCHITECTURES[self.backbone].alphas)
        if not alphas and self.alpha != 1:
            raise ValueError(f"got alpha {self.alpha} with {self.backbone}, which has one width; leave it out")
        if self.weights == "embedded" and self.backbone != "mobilenet":
            raise ValueError(f"got weights embedded with {self.backbone}; they are mobilenet's; name others")
        published = {"imagenet": alphas, "embedded": (0.25,)}.get(self.weights)
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
        """Download the weights, if they are not in Keras' cache; trials that want them at once download them once.

        Raises
        ------
        WeightsError
            The download failed.
        """
        if self.weights == "imagenet":
            _fetch(*self._published())

    def to_fetch(self) -> str:
        """Return the size and place of the published weights, unless they are in Keras' cache; read a file's header."""
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
            Of the weights where they are random.

        Raises
        ------
        WeightsError
            The weights cannot be had, or do not fit.
        """
        # Keras' initialisers draw their seeds from Python's generator. `keras.utils.set_random_seed` would also seed
        # TensorFlow's, which then prepares every function anew that it has traced: 2 s a trial.
        random.seed(seed)
        path = self._weights_file()
        if self.weights == "imagenet":
            path, url = self._published(image_size)
            _fetch(path, url)  # also here: a node that has just joined has no files
        try:
            # Keras warns of each layer of a file that it then refuses.
            with warnings.catch_warnings(action="ignore"):
                network, model = ARCHITECTURES[self.backbone].build(self.alpha, image_size)
                if path:
                    model.load_weights(path)
        except Exception as error:  # whatever Keras and h5py make of it
            raise WeightsError(self._advice(error, path)) from error
        return network

    def _weights_file(self) -> Path | None:
        """Return the file that is named, or shipped."""
        if self.weights in ("imagenet", "none"):
            return None
        return EMBEDDED if self.weights == "embedded" else Path(self.weights)

    def _published(self, image_size: int = 0) -> tuple[Path, str]:
        """Return where Keras keeps the published weights, and where it has them from."""
        file = ARCHITECTURES[self.backbone].published(self.alpha, image_size)
        home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
        return home / "models" / Path(file).name, f"{PUBLISHED}/{file}"

    def _advice(self, error: Exception, path: Path | None) -> str:
        misfit = f"got a file that does not fit {self.backbone} alpha {self.alpha} ({_reason(error)})"
        if self.weights == "imagenet":
            return f"weights imagenet: {path}: {misfit}; delete it to have it fetched anew"
        return f"weights {self.weights}: {misfit}"


def _fetch(file: Path, url: str) -> None:
    """Make a file of Keras' cache hold the published weights, if it is not there: the whole of them, or nothing.

    Keras publishes no checksums with its networks; what is checked is the size that the server states, and that the
    content begins as an HDF5 file does. Whether it fits the network shows when it is read.
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
            f"{file.name} into {file.parent}, or name a file: weights: PATH"
        ) from error


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _is_hdf5(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(8) == b"\x89HDF\r\n\x1a\n"


def preprocess(X: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return pixels 0 .. 255 as every backbone here takes them: float32 in [-1, 1]."""
    return X.astype(np.float32) / np.float32(127.5) - np.float32(1)
