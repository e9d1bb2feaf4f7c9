"""The classifier whose network is built by a function that the user wrote."""

import importlib
from typing import Any, Literal, Self

import numpy as np
from pydantic import ValidationInfo, field_validator, model_validator

from raygrid.classifiers.cnn import Network
from raygrid.errors import UsageError
from raygrid.networks.keras_backend import load_keras
from raygrid.usercode.references import names
from raygrid.usercode.source import first_checksum, root_of


class BuiltNetwork(Network):
    """A network that the user's function builds, trained like `cnn`.

    Attributes
    ----------
    builder : str
        ``module:function``; the module is beside the grid file or on Python's path. The function gets the shape of an
        image and the number of classes, and returns an uncompiled Keras model from images in [-1, 1] to class
        probabilities (a softmax). On torch, give every Dropout layer a seed: otherwise it uses a generator that is not
        seeded by the trial.
    """

    name: Literal["keras"] = "keras"
    builder: str

    @field_validator("builder")
    @classmethod
    def _is_there(cls, builder: str, info: ValidationInfo) -> str:
        module, _, function = builder.partition(":")
        if function not in names(builder, info.context):
            raise ValueError(f"got {builder!r}; {module} has no {function!r}")
        return builder

    @model_validator(mode="after")
    def _knows_its_code(self) -> Self:
        root = root_of(self.builder.partition(":")[0])
        return self.with_code(root, source=first_checksum(root))

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
        outputs = model(np.zeros((1, *shape), dtype=np.float32))
        given = np.asarray(load_keras().ops.convert_to_numpy(outputs))
        if given.dtype != np.float32:
            raise UsageError(
                f"builder {self.builder}: got a network whose output is {given.dtype}; expected float32, whatever its "
                "precision; give the last layer dtype='float32'"
            )
        if given.shape != (1, n_classes) or given.min() < 0 or not np.isclose(given.sum(), 1, atol=1e-3):
            raise UsageError(
                f"builder {self.builder}: got a network whose output for one image is of shape {given.shape} and sums "
                f"to {given.sum():.3g}; expected (1, {n_classes}) and 1, class probabilities; end it in a softmax"
            )
        return model
