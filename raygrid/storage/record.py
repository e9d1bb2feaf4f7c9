"""The record: the result of a trial, as JSON. Nothing here reads or writes a file."""

from statistics import fmean
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from raygrid.wording import without_passwords

Status = Literal["done", "infeasible", "error", "oom", "timeout", "preempted"]

# A cell whose record has one of these is never tried again; the next run tries the others again.
FINAL: frozenset[str] = frozenset({"done", "infeasible"})


_SAID = ("message", "traceback")  # what errors say


class Measured(BaseModel):
    """What a trial cost: the only part of a record that differs between two runs of one cell.

    Attributes
    ----------
    finished_at : str
        UTC, ISO 8601.
    seconds : dict of float
        Wall-clock time by stage, without `shared_s`; *earlier* is all that interrupted trials took until the checkpoint
        with which this one began.
    shared_s : float
        Wall-clock time spent computing arrays that other cells use as well, or waiting for them.
    gpus : float
        Cards, or the share of one, that the cell was computed on; 0 is a computation on CPUs.
    device : str
        Name of the card, or of the processor; empty in records of before it was kept.
    peak_memory_mb : float
        Largest resident size of the trial's process while it ran.
    card_share : float
        Largest part of its card's memory that was allocated, of 1; 0 where it is not known.
    attempt : str
        Name of the attempt in the run, so that a trial that is started again finds the record it has already written.
    log : list of str
        Warnings of libraries, each once; a library may warn once a process, so only in the process' first trial.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    finished_at: str
    seconds: dict[str, float]
    shared_s: float = 0.0
    gpus: float = 0.0
    device: str = ""
    peak_memory_mb: float
    card_share: float = 0.0
    attempt: str = ""
    log: list[str] = []


class Candidate(BaseModel):
    """What became of one candidate of a cell that chooses among several.

    Attributes
    ----------
    parameters : dict
        Those that are chosen, by axis and name.
    scores : list of float
        The metric in each inner fold, or on the validation samples, over the classes that are there; None where the
        candidate could not be scored.
    message : str or None
        Why it could not be scored: then it is not chosen.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    parameters: dict[str, dict[str, Any]]
    scores: list[float | None]
    message: str | None = None

    @property
    def score(self) -> float | None:
        """The mean of its scores; None where one is lacking. Rounded, so that equal scores in another order tie."""
        scores = [score for score in self.scores if score is not None]
        return round(fmean(scores), 12) if len(scores) == len(self.scores) else None

    @property
    def text(self) -> str:
        """Its parameters, as *C=1.0, gamma=auto*."""
        return ", ".join(f"{name}={value}" for of_axis in self.parameters.values() for name, value in of_axis.items())


class Choice(BaseModel):
    """How a cell chose among its candidates, without any test sample.

    Attributes
    ----------
    how : str
        The metric, and what it was computed on.
    chosen : int
        Position of the candidate that the result is of.
    candidates : list of Candidate
        As declared, the last parameter changing first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    how: str
    chosen: int
    candidates: list[Candidate]

    @property
    def best(self) -> Candidate:
        """The candidate that was chosen."""
        return self.candidates[self.chosen]


class Curves(BaseModel):
    """What a training came to after each epoch.

    Attributes
    ----------
    train, validation : dict of lists of float
        ``loss`` and metrics of each epoch, by name, of four digits; None where one is not defined. Of the training part
        as it is trained on: while the weights change, with augmented images and the loss that is minimised. Of the
        validation part, if there is one, as it is predicted, with the cross-entropy as the loss.
    kept : int
        The epoch, counted from 1, whose weights the trained network has.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    train: dict[str, list[float | None]]
    validation: dict[str, list[float | None]] = {}
    kept: int


class Record(BaseModel):
    """The result of one trial.

    Attributes
    ----------
    key : str
        The cell's.
    cell : dict
        Everything that can change the result.
    status : str
        What became of the cell.
    message : str or None
        Of a cell that is not done: why, in one line.
    traceback : str or None
        Of a cell that failed: where.
    metrics : dict
        By name, in [0, 1].
    confusion : list of lists of int
        Rows are true classes.
    class_names : list of str
        In the order of the labels.
    class_order : list of int
        From the largest class to the smallest.
    class_counts : dict
        Samples by class: ``train`` before resampling, ``resampled`` after, ``test``, ``validation`` if there are any.
    ir : float
        Of the training samples before resampling: the size of the largest class over that of the smallest.
    validation : dict
        Metrics on the validation samples, by name.
    curves : Curves or None
        Of a network: its loss and metrics by epoch.
    choice : Choice or None
        Of a cell that chooses among candidates.
    notes : list of str
        What a reader of the result must know.
    versions : dict
        Of the libraries that computed the result.
    measured : Measured
        What the trial cost.
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
    curves: Curves | None = None
    choice: Choice | None = None
    notes: list[str] = []
    versions: dict[str, str] = {}
    measured: Measured

    def to_json(self) -> str:
        """Return the record as its file has it, in which no address has a password."""
        texts = {name: without_passwords(text) for name in _SAID if (text := getattr(self, name))}
        measured = self.measured.model_copy(update={"log": [*map(without_passwords, self.measured.log)]})
        return self.model_copy(update={**texts, "measured": measured}).model_dump_json(indent=1) + "\n"
