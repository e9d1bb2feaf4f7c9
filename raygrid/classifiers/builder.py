"""A network that a function of the user's builds."""

import importlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import field_validator

from raygrid.checksum import file_checksum
from raygrid.classifiers.cnn import Network
from raygrid.errors import UsageError
from raygrid.keras_backend import load_keras


class BuiltNetwork(Network):
    """A network of one's own, trained as `Cnn` is.

    Attributes
    ----------
    builder : str
        ``module:function`` of a module on Python's path. Given the shape of an image and the number of classes, the
        function returns a Keras model, uncompiled, from images in [-1, 1] to class probabilities (a softmax).
        On torch a Dropout without a seed of its own draws from a generator that no trial's seed reaches.
    """

    name: Literal["keras"] = "keras"
    builder: str

    @field_validator("builder")
    @classmethod
    def _is_there(cls, builder: str) -> str:
        _source(builder)
        return builder

    def identity(self) -> dict[str, Any]:
        """Return the parameters, and what the module's own file holds: a changed builder is another network."""
        return super().identity() | {"source": file_checksum(_source(self.builder))}

    def build(self, image_size: int, n_classes: int, *, seed: int) -> Any:
        """Return the network, uncompiled.

        Raises
        ------
        UsageError
            It does not give class probabilities.
        """
        load_keras().utils.set_random_seed(seed)
        module, _, function = self.builder.partition(":")
        shape = (image_size, image_size, 3)
        model = getattr(importlib.import_module(module), function)(shape, n_classes)
        given = np.asarray(load_keras().ops.convert_to_numpy(model(np.zeros((1, *shape), dtype=np.float32))))
        if given.shape != (1, n_classes) or given.min() < 0 or not np.isclose(given.sum(), 1, atol=1e-3):
            raise UsageError(
                f"builder {self.builder}: got a network whose output for one image is of shape {given.shape} and sums "
                f"to {given.sum():.3g}; expected (1, {n_classes}) and 1, class probabilities; end it in a softmax"
            )
        return model


def _source(builder: str) -> Path:
    """Return the file of a builder's module, without importing it; raise ValueError where there is no such function."""
    module, _, function = builder.partition(":")
    expected = "expected module:function, in a file of Python's path (PYTHONPATH)"
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):  # of a package above it; an empty name
        spec = None
    if not (spec and spec.has_location and spec.origin and function):
        raise ValueError(f"got {builder!r}; {expected}")
    file = Path(spec.origin)
    try:
        names = compile(file.read_bytes(), file, "exec").co_names  # those of functions among them
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"got {builder!r}; {expected}; {file}: {error}") from None
    if function not in names:
        raise ValueError(f"got {builder!r}; {expected}; {file} has no {function!r}")
    return file
