"""Checkpoints of a network's training: save its state after epochs, and restore it to continue."""

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from raygrid.classifiers.training.state import MEASURES, TrainingState
from raygrid.networks.keras_backend import load_keras
from raygrid.storage.checkpoint import Arrays, Checkpoint

# Minimum seconds between two checkpoints: one of MobileNet alpha 1 has 34 MB, and may be sent over a network.
_CHECKPOINT_EVERY_S = float(os.environ.get("RAYGRID_CHECKPOINT_EVERY_S", "60"))

# Names of the entries that are not variables of the network and its optimiser.
_EPOCHS, _STAGE, _MEASURED, _BEST = "epochs", "stage", "measured", "best/"


def stage_of(saved: Arrays | None) -> int:
    """Return which stage was being trained when these arrays were saved; 0 if nothing was."""
    return int(saved.get(_STAGE, np.zeros(()))) if saved else 0


def restore(
    model: Any, saved: Arrays | None, *, stage: int, epochs: int, n_parts: int, keeps_best: bool
) -> TrainingState | None:
    """Restore the saved state of a compiled network and its optimiser, and return how far the training was.

    Returns None, and restores nothing, if nothing was saved or it does not fit this network and number of epochs.

    Parameters
    ----------
    n_parts : int
        Of how many parts measures are kept.
    keeps_best : bool
        Whether the weights of the best epoch are kept.
    """
    if saved is None or _kinds(saved) != _kinds(_arrays(model, model.weights if keeps_best else None)):
        return None
    measured, epochs_done = saved[_MEASURED], int(saved[_EPOCHS])
    if measured.shape[1:] != (n_parts * len(MEASURES),) or not 0 < epochs_done < epochs or saved[_STAGE] != stage:
        return None
    for name, variable in _state(model).items():
        variable.assign(saved[name])
    best = [saved[f"{_BEST}{i}"] for i in range(len(model.weights))] if keeps_best else None
    return TrainingState(stage, epochs_done, [tuple(row) for row in measured.tolist()], best)


def saving(model: Any, checkpoint: Checkpoint) -> Callable[[TrainingState], None]:
    """Return a function that saves a checkpoint, at most once a minute by default."""
    saved_at = time.monotonic()

    def save(progress: TrainingState) -> None:
        nonlocal saved_at
        if time.monotonic() - saved_at >= _CHECKPOINT_EVERY_S:
            checkpoint.save(_arrays(model, progress.best, progress))
            saved_at = time.monotonic()

    return save


def _arrays(model: Any, best: Any, progress: TrainingState | None = None) -> Arrays:
    progress = progress or TrainingState()
    variables = {**_state(model), **{f"{_BEST}{i}": weight for i, weight in enumerate(best or ())}}
    # Copied, because on torch the array shares the variable's memory, and saving may overlap the next epoch.
    return {name: np.array(load_keras().ops.convert_to_numpy(variable)) for name, variable in variables.items()} | {
        _EPOCHS: np.array(progress.epochs, dtype=np.int64),
        _STAGE: np.array(progress.stage, dtype=np.int64),
        _MEASURED: np.array(progress.measured, dtype=np.float64),
    }


def _kinds(arrays: Arrays) -> dict[str, tuple[object, str]]:
    """Return the shape and dtype of each array, but not how many epochs were measured."""
    return {name: (None if name == _MEASURED else array.shape, str(array.dtype)) for name, array in arrays.items()}


def _state(model: Any) -> dict[str, Any]:
    """Return every variable that training changes, named by its position, because Keras' names differ by process.

    `variables` are the weights, and the states of random generators (of dropout, say).
    """
    return {str(i): variable for i, variable in enumerate([*model.variables, *model.optimizer.variables])}
