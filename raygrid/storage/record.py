"""The record: what a trial leaves. Pure: to and from JSON."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Status = Literal["done", "infeasible", "error", "oom", "timeout", "preempted"]

# A cell with a record of these is never tried again; the others are, by the next run.
FINAL: frozenset[str] = frozenset({"done", "infeasible"})


class Measured(BaseModel):
    """What a trial cost: the only part of a record that differs between two runs of one cell."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    finished_at: str
    """UTC, ISO 8601."""
    seconds: dict[str, float]
    """Wall-clock time by stage, without `shared_s`."""
    shared_s: float = 0.0
    """Wall-clock time of computing what other cells use as well, or of waiting for it."""
    peak_memory_mb: float
    """Largest resident size of the trial's process while it ran."""
    attempt: str = ""
    """Which attempt of a run this was, so that a trial started again sees what it has already left."""
    log: list[str] = []
    """What libraries warned of, each once; a process may be warned only once, hence in its first trial."""


class Record(BaseModel):
    """What one trial left.

    Attributes
    ----------
    key : str
        The cell's.
    cell : dict
        Everything that can change the result.
    status : str
    message, traceback : str or None
        Of a cell that is not done.
    metrics : dict
        By name, in [0, 1].
    confusion : list of lists of int
        Rows are true classes.
    class_names : list of str
    class_order : list of int
        From the largest class to the smallest.
    class_counts : dict
        Samples by class: ``train`` before resampling, ``resampled`` after, ``test``, ``validation`` if there are any.
    ir : float
        Of the training samples before resampling: the size of the largest class over that of the smallest.
    validation : dict
        Metrics on the validation samples, by name.
    notes : list of str
        What a reader of the result must know.
    versions : dict
        Of the libraries that computed the result.
    measured : Measured
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    cell: dict[str, Any]
    status: Status
    message: str | None = None
    traceback: str | None = None
    metrics: dict[str, float] = {}
    confusion: list[list[int]] = []
    class_names: list[str] = []
    class_order: list[int] = []
    class_counts: dict[str, list[int]] = {}
    ir: float | None = None
    validation: dict[str, float] = {}
    notes: list[str] = []
    versions: dict[str, str] = {}
    measured: Measured
