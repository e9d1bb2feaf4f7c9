"""The state of a network in training: kept on the way, and taken up by the training that goes on."""

import os
import time
from typing import Any

import numpy as np

from raygrid.networks.keras_backend import load_keras
from raygrid.storage.checkpoint import Arrays, Checkpoint

# Seconds between two checkpoints, at least: one of MobileNet alpha 1 is 34 MB, perhaps over a network.
_CHECKPOINT_EVERY_S = float(os.environ.get("RAYGRID_CHECKPOINT_EVERY_S", "60"))

# The name of the number of epochs done, among the names of variables.
_EPOCHS = "epochs"


def restore(model: Any, saved: Arrays | None, *, epochs: int) -> int:
    """Set a compiled network and its optimiser to what was saved; return after how many epochs that was.

    Zero, and nothing is set, where nothing was saved, or nothing that fits the network and a training of `epochs`.
    """
    state = _state(model)
    kinds = {name: (tuple(variable.shape), str(variable.dtype)) for name, variable in state.items()}
    kinds[_EPOCHS] = ((), "int64")
    if saved is None or {name: (array.shape, str(array.dtype)) for name, array in saved.items()} != kinds:
        return 0
    epochs_done = int(saved[_EPOCHS])
    if not 0 < epochs_done < epochs:
        return 0
    for name, variable in state.items():
        variable.assign(saved[name])
    return epochs_done


def saving(model: Any, checkpoint: Checkpoint, *, epochs: int) -> Any:
    """Return a callback for Keras' `fit` that saves after an epoch when that is due, but for the last one."""
    keras = load_keras()
    saved_at = time.monotonic()

    def save(epoch: int, logs: object) -> None:
        nonlocal saved_at
        if epoch + 1 < epochs and time.monotonic() - saved_at >= _CHECKPOINT_EVERY_S:
            # Copies: an array of torch is the variable itself, and a checkpoint may be slower than the next epoch.
            arrays = {name: np.array(keras.ops.convert_to_numpy(variable)) for name, variable in _state(model).items()}
            checkpoint.save(arrays | {_EPOCHS: np.array(epoch + 1, dtype=np.int64)})
            saved_at = time.monotonic()

    return keras.callbacks.LambdaCallback(on_epoch_end=save)


def _state(model: Any) -> dict[str, Any]:
    """Return every variable that training changes, by its place: Keras' own names are not the same in every process.

    `variables` are the weights, and the states of random generators (of dropout, say).
    """
    return {str(i): variable for i, variable in enumerate([*model.variables, *model.optimizer.variables])}
