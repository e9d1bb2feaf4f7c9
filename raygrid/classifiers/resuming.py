"""Checkpoints of a network in training: save its state after epochs, and restore it to continue."""

import os
import time
from typing import Any

import numpy as np

from raygrid.networks.keras_backend import load_keras
from raygrid.storage.checkpoint import Arrays, Checkpoint

# Minimum seconds between two checkpoints: one of MobileNet alpha 1 has 34 MB, and may be sent over a network.
_CHECKPOINT_EVERY_S = float(os.environ.get("RAYGRID_CHECKPOINT_EVERY_S", "60"))

# Name of the entry with the number of epochs done; the other entries are variables.
_EPOCHS = "epochs"


def restore(model: Any, saved: Arrays | None, *, epochs: int) -> int:
    """Restore the saved state of a compiled network and its optimiser; return how many epochs it had done.

    Returns 0, and restores nothing, if nothing was saved or it does not fit this network and number of epochs.
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
    """Return a callback for Keras' `fit` that saves a checkpoint after an epoch, at most once a minute by default."""
    keras = load_keras()
    saved_at = time.monotonic()

    def save(epoch: int, logs: object) -> None:
        nonlocal saved_at
        if epoch + 1 < epochs and time.monotonic() - saved_at >= _CHECKPOINT_EVERY_S:
            # Copied, because on torch the array shares the variable's memory, and saving may overlap the next epoch.
            arrays = {name: np.array(keras.ops.convert_to_numpy(variable)) for name, variable in _state(model).items()}
            checkpoint.save(arrays | {_EPOCHS: np.array(epoch + 1, dtype=np.int64)})
            saved_at = time.monotonic()

    return keras.callbacks.LambdaCallback(on_epoch_end=save)


def _state(model: Any) -> dict[str, Any]:
    """Return every variable that training changes, named by its position, because Keras' names differ by process.

    `variables` are the weights, and the states of random generators (of dropout, say).
    """
    return {str(i): variable for i, variable in enumerate([*model.variables, *model.optimizer.variables])}
