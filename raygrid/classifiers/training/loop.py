"""The training of a network: its stages, epoch by epoch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from raygrid.activity import doing
from raygrid.classifiers.classifier import Labels, Part
from raygrid.classifiers.resuming import restore, saving, stage_of
from raygrid.classifiers.training.state import TrainingState, cross_entropy, measures_of
from raygrid.classifiers.training.stopping import best_epoch, is_over
from raygrid.classifiers.training.trained import LiveNetwork, TrainedNetwork
from raygrid.errors import InfeasibleError, UsageError
from raygrid.metrics.confusion import confusion_matrix
from raygrid.mixtures.samples import Samples
from raygrid.storage.checkpoint import Arrays, Checkpoint

if TYPE_CHECKING:
    from raygrid.classifiers.cnn import Network


@dataclass(frozen=True)
class Data:
    """What a network is trained on, and the validation part, if there is one, by which it may be judged."""

    X: Samples
    A: csr_array
    y: Labels
    seed: int
    validation: Part | None

    @property
    def followed(self) -> Part | None:
        """The validation part, if it has samples."""
        return self.validation if self.validation is not None and len(self.validation.y) else None

    @property
    def n_classes(self) -> int:
        """M: labels are 0 .. M - 1."""
        return int(self.y.max()) + 1

    def started(self, stage: "Network", start: list[Any] | None = None) -> Any:
        """Return the compiled network of a stage at its start."""
        return stage.initialised(self.X.shape[1], self.n_classes, seed=self.seed, start=start)


def trained(network: "Network", data: Data, checkpoint: Checkpoint) -> TrainedNetwork:
    """Return the network after all of its stages; an interrupted training continues from its checkpoint.

    Raises
    ------
    UsageError
        A setting needs a validation part, and there is none.
    InfeasibleError
        The validation part lacks a class.
    """
    _require_validation(network, data)
    stages = network.stages()
    model, progress = _begun(stages, data, checkpoint.load())
    for number, stage in enumerate(stages[progress.stage :], progress.stage):
        if number > progress.stage:
            model, progress = data.started(stage, model.get_weights()), progress.next_stage()
        kept = _train(stage, model, data, progress, checkpoint)
    network.second_stage.finish(model)
    return TrainedNetwork(model, progress.curves(kept))


def _begun(stages: tuple["Network", ...], data: Data, saved: Arrays | None) -> tuple[Any, TrainingState]:
    """Return the network where it was interrupted, or at the start of its first stage."""
    number = min(stage_of(saved), len(stages) - 1)
    stage, n_parts = stages[number], 1 if data.followed is None else 2
    model, keeps_best = data.started(stage), stage.judge is not None
    progress = restore(model, saved, stage=number, epochs=stage.epochs, n_parts=n_parts, keeps_best=keeps_best)
    if progress:
        return model, progress
    return (model if number == 0 else data.started(stages[0])), TrainingState()


def _train(stage: "Network", model: Any, data: Data, progress: TrainingState, checkpoint: Checkpoint) -> int:
    """Train the epochs of a stage that are left; return the epoch of all, from 1, whose weights the network has."""
    measure, save = _measuring(stage, model, data), saving(model, checkpoint)
    of_stage = {"number": progress.stage, "epochs_done": progress.epochs}
    train_epoch = stage.training(data.X, data.A, data.y, seed=data.seed, **of_stage)
    for epoch in range(progress.epochs, stage.epochs):
        stage.set_learning_rate(model.optimizer, epoch)
        doing(f"epoch {epoch + 1}/{stage.epochs}")
        measure(progress, train_epoch())
        if stage.judge and best_epoch(progress.validation(stage.judge), by=stage.judge) == epoch:
            progress.best = [np.array(weight) for weight in model.get_weights()]
        if stage.early_stopping and is_over(progress.validation(stage.early_stopping.by), stage.early_stopping):
            break
        if epoch + 1 < stage.epochs:
            save(progress)
    before = len(progress.measured) - progress.epochs
    if stage.judge and progress.best:
        model.set_weights(progress.best)
        return before + best_epoch(progress.validation(stage.judge), by=stage.judge) + 1
    return before + progress.epochs


def _measuring(stage: "Network", model: Any, data: Data) -> Callable[[TrainingState, float], None]:
    """Return a function that adds an epoch to the progress, given the mean loss of its batches."""
    judged = stage.moved(LiveNetwork(model), data.y)

    def measure(progress: TrainingState, loss: float) -> None:
        parts = [measures_of(loss, stage.confusion(data.X.shape[1], data.n_classes))]
        if (part := data.followed) is not None:
            scores = judged.scores(part.X)
            confusion = confusion_matrix(part.y, scores.argmax(axis=1), data.n_classes)
            parts.append(measures_of(cross_entropy(part.y, scores), confusion))
        progress.add(*parts)

    return measure


def _require_validation(network: "Network", data: Data) -> None:
    if not network.needs_validation:
        return
    what = f"{network.name}: {' and '.join(network.needs_validation)}"
    if data.validation is None:
        raise UsageError(f"{what}: got no validation part; expected one; write `validation: 0.2` in the grid file")
    if not len(data.validation.y):
        raise InfeasibleError(f"{what}: got no validation samples, because classes are too small; expected some")
