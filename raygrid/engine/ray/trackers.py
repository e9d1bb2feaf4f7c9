"""Trackers: they send the numbers of trials to MLflow and TensorBoard, through Ray Tune's own callbacks.

A tracker that fails is not called any more, and the run goes on. Each has a thread of its own, because Ctrl-C stops the
main thread anywhere: a run that MLflow has made, and whose id did not come back, could never be ended.
"""

import os
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
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
from raygrid.wording import first_line, without_passwords

Levels = Mapping[str, Mapping[str, str]]

# Tune's loop waits while MLflow tries to reach its server: by default for minutes, for every number.
_MLFLOW_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}


def callbacks(mlflow: str | None, tensorboard: Path | None, name: str, levels: Levels) -> "list[Tracker]":
    """Return the callbacks of the trackers that the user asked for, to be given to one Tuner.

    Parameters
    ----------
    mlflow : str or None
        Tracking URI, e.g. ``http://localhost:5000``.
    tensorboard : Path or None
        Folder for event files; those of a cell are in ``NAME/KEY``.
    name : str
        The name of the grid: also of MLflow's experiment, and of a folder in TensorBoard's.
    levels : mapping
        Axis -> level of every cell, by the cell's key.

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
    """A cell in the place of a trial for Ray's callbacks: its levels are the parameters, its key is the name."""

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
    """Stands between Tune and one of Ray's callbacks: shows it cells in place of trials, and only their numbers."""

    def __init__(self, levels: Levels, *, folder: Path = Path(), **options: Any) -> None:
        super().__init__(**options)
        self.levels, self.folder, self.failed = levels, folder, False
        self.thread = ThreadPoolExecutor(max_workers=1)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out everything: Tune pickles its callbacks, which a thread does not allow."""
        return {}

    def end(self) -> None:
        """Finish, because no trial runs any more."""
        self.thread.shutdown(wait=False)

    def setup(self, *arguments: Any, **options: Any) -> None:
        """Prepare, because trials are about to begin."""
        self._try(partial(super().setup, *arguments, **options))  # type: ignore[misc]

    def log_trial_start(self, trial: Any) -> None:
        """Note that a trial has begun."""
        self._try(partial(super().log_trial_start, self._cell(trial)))  # type: ignore[misc]

    def log_trial_result(self, iteration: int, trial: Any, result: dict[str, Any]) -> None:
        """Note that a trial has reported its numbers, and not only what it is doing."""
        if not result["ended"]:
            return
        numbers = {**result["ended"][-1].numbers, TRAINING_ITERATION: result[TRAINING_ITERATION]}
        self._try(partial(super().log_trial_result, iteration, self._cell(trial), numbers))  # type: ignore[misc]

    def log_trial_end(self, trial: Any, failed: bool = False) -> None:
        """Note that a trial has ended."""
        ended = (trial.last_result or {}).get("ended")
        failed = failed or not ended or ended[-1].status not in FINAL
        self._try(partial(self._log_end, self._cell(trial), failed))

    def _log_end(self, cell: _Cell, failed: bool) -> None:
        super().log_trial_end(cell, failed)  # type: ignore[misc]

    def _cell(self, trial: Any) -> _Cell:
        (key,) = trial.config["keys"]  # where cells are tracked, each has a trial of its own
        return _Cell(key, self.levels[key], str(self.folder / key))

    def _try(self, track: Callable[[], None]) -> None:
        self.thread.submit(self._track, track).result()

    def _track(self, track: Callable[[], None]) -> None:
        if self.failed:  # the call before, which Ctrl-C did not wait for
            return
        try:
            track()
        except Exception as error:  # any error of a server or a disk
            self.failed = True
            name, reason = type(self).__name__[1:], without_passwords(first_line(error))
            print(f"{name}: {reason}; nothing more is sent to it, the run goes on", file=sys.stderr)


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

    def end(self) -> None:
        """End the runs of trials that were cut short; MLflow would show them as running for ever."""
        try:
            self._try(self._kill)
        finally:
            super().end()

    def _log_end(self, cell: _Cell, failed: bool) -> None:
        super()._log_end(cell, failed)
        self.ended.add(cell)

    def _kill(self) -> None:
        for cell, run_id in runs_in_mlflow(self).items():
            if cell not in self.ended:
                self.mlflow_util.end_run(run_id=run_id, status="KILLED")


class _TensorBoard(Tracker, TBXLoggerCallback):  # type: ignore[misc]
    """Event files for every cell, with its levels as hyperparameters."""

    def __init__(self, levels: Levels, folder: Path) -> None:
        try:
            super().__init__(levels, folder=folder)
        except ImportError:
            raise UsageError("--tensorboard: it is not installed; do: pip install 'raygrid[tensorboard]'") from None
