"""Trackers: MLflow and TensorBoard hear what trials come to, through Ray Tune's own callbacks.

A tracker is an onlooker: one that fails hears nothing more, and the run goes on.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import raygrid.engine.ray.cluster  # noqa: F401  # isort: skip  # sets what Ray reads when imported

from ray.air.integrations.mlflow import MLflowLoggerCallback
from ray.tune.logger import TBXLoggerCallback
from ray.tune.result import TRAINING_ITERATION

from raygrid.engine.ray.private import runs_in_mlflow
from raygrid.errors import UsageError
from raygrid.storage.record import FINAL
from raygrid.wording import first_line

Levels = Mapping[str, Mapping[str, str]]

# Tune's loop waits while MLflow tries a server again: by default for minutes, at every number.
_MLFLOW_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}


def callbacks(mlflow: str | None, tensorboard: Path | None, name: str, levels: Levels) -> "list[Tracker]":
    """Return what one Tuner must call for the trackers that are asked for.

    Parameters
    ----------
    mlflow : str or None
        Tracking URI, e.g. ``http://localhost:5000``.
    tensorboard : Path or None
        Folder for event files; those of a cell lie in ``NAME/KEY``.
    name : str
        The grid's: MLflow's experiment, and a folder in TensorBoard's.
    levels : mapping
        Of every cell, by key: axis -> level.

    Raises
    ------
    UsageError
        A package is not installed, or MLflow does not answer.
    """
    chosen: list[Tracker] = []
    if mlflow:
        chosen.append(_MLflow(levels, mlflow, name))
    if tensorboard:
        chosen.append(_TensorBoard(levels, tensorboard.expanduser().absolute() / name))
    return chosen


@dataclass(frozen=True)
class _Cell:
    """What Ray's callbacks look at of a trial: here the cell's levels are its parameters, and its key is its name."""

    key: str
    levels: Mapping[str, str] = field(compare=False)
    local_path: str = field(compare=False)

    def __str__(self) -> str:
        return self.key

    @property
    def config(self) -> Mapping[str, str]:
        return self.levels

    evaluated_params = config

    def init_local_path(self) -> None:
        Path(self.local_path).mkdir(parents=True, exist_ok=True)


class Tracker:
    """Between Tune and one of Ray's callbacks: shows it cells for trials, and their numbers alone."""

    def __init__(self, levels: Levels, *, folder: Path = Path(), **options: Any) -> None:
        super().__init__(**options)
        self.levels, self.folder, self.failed = levels, folder, False

    def end(self) -> None:
        """Hear that no trial runs any more, however that came about."""

    def setup(self, *arguments: Any, **options: Any) -> None:
        """Hear that trials are about to begin."""
        self._try(partial(super().setup, *arguments, **options))  # type: ignore[misc]

    def log_trial_start(self, trial: Any) -> None:
        """Hear that a trial has begun."""
        self._try(partial(super().log_trial_start, self._cell(trial)))  # type: ignore[misc]

    def log_trial_result(self, iteration: int, trial: Any, result: dict[str, Any]) -> None:
        """Hear what a trial reports."""
        numbers = {**result.get("numbers", {}), TRAINING_ITERATION: result[TRAINING_ITERATION]}
        self._try(partial(super().log_trial_result, iteration, self._cell(trial), numbers))  # type: ignore[misc]

    def log_trial_end(self, trial: Any, failed: bool = False) -> None:
        """Hear that a trial has ended."""
        failed = failed or (trial.last_result or {}).get("status") not in FINAL
        self._try(partial(super().log_trial_end, self._cell(trial), failed))  # type: ignore[misc]

    def _cell(self, trial: Any) -> _Cell:
        key = trial.config["key"]
        return _Cell(key, self.levels[key], str(self.folder / key))

    def _try(self, track: Callable[[], None]) -> None:
        if self.failed:
            return
        try:
            track()
        except Exception as error:  # whatever a server or a disk answers
            self.failed = True
            name, reason = type(self).__name__[1:], first_line(error)
            print(f"{name}: {reason}; it hears nothing more, the run goes on", file=sys.stderr)


class _MLflow(Tracker, MLflowLoggerCallback):  # type: ignore[misc]
    """A run for every trial: FINISHED where its cell has a result, FAILED where it has none, KILLED if cut short."""

    def __init__(self, levels: Levels, uri: str, experiment: str) -> None:
        for name, value in _MLFLOW_PATIENCE.items():
            os.environ.setdefault(name, value)
        try:
            from mlflow.exceptions import MlflowException
            from mlflow.tracking import MlflowClient
        except ImportError:
            raise UsageError("--mlflow: MLflow is not installed; do: pip install 'raygrid[mlflow]'") from None
        try:
            MlflowClient(uri).search_experiments(max_results=1)
        except (MlflowException, OSError) as error:
            reason = first_line(error)
            raise UsageError(f"--mlflow {uri}: got no answer ({reason}); start the server, or leave it out") from error
        super().__init__(levels, tracking_uri=uri, experiment_name=experiment)
        self.ended: set[_Cell] = set()

    def log_trial_end(self, trial: Any, failed: bool = False) -> None:
        """End the trial's run."""
        super().log_trial_end(trial, failed)
        self.ended.add(self._cell(trial))

    def end(self) -> None:
        """End the runs of trials that were cut short; a run that nobody ends would seem to go on for ever."""
        for cell, run_id in runs_in_mlflow(self).items():
            if cell not in self.ended:
                self._try(partial(self.mlflow_util.end_run, run_id=run_id, status="KILLED"))


class _TensorBoard(Tracker, TBXLoggerCallback):  # type: ignore[misc]
    """Event files for every cell, with its levels as hyperparameters."""

    def __init__(self, levels: Levels, folder: Path) -> None:
        try:
            super().__init__(levels, folder=folder)
        except ImportError:
            raise UsageError("--tensorboard: it is not installed; do: pip install 'raygrid[tensorboard]'") from None
