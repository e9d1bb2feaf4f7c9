"""The stage that chooses among the candidates of a cell; no test sample comes here."""

from collections.abc import Iterator, Sequence

import numpy as np

from raygrid import host
from raygrid.cells import Cell
from raygrid.choosing.inner_folds import inner_folds
from raygrid.choosing.outcomes import Outcome, Outcomes
from raygrid.classifiers import Classifier, predictions_of_each
from raygrid.classifiers.classifier import Labels, Part
from raygrid.errors import InfeasibleError, RaygridError, UsageError
from raygrid.metrics.confusion import METRICS, confusion_matrix, of_classes_present
from raygrid.mixtures.samples import Samples
from raygrid.resampling import Resampler
from raygrid.storage.record import Candidate, Choice
from raygrid.wording import plural

# Samples and their labels.
Labelled = tuple[Samples, Labels]


class ChoiceError(RaygridError):
    """No candidate can be scored, and not all of them because they are infeasible."""


def choose(
    cell: Cell, train: Labelled, validation: Labelled, n_classes: int, progress: Outcomes
) -> tuple[Cell, Choice]:
    """Train each candidate on a part of the training samples, score it on others, and return the best.

    Of candidates with the same mean score, the one that is declared first is chosen. Resampling is done within each
    inner fold, on the samples that are trained on. One that raises an error has no score.

    Parameters
    ----------
    cell : Cell
        With several candidates.
    train, validation : tuple of Samples and array of int64
        Validation samples are looked at only if the cell is to choose by them, or by a network that watches them: in
        every inner fold it is followed, and stopped, on the same validation part as in the fit after the choice.
    n_classes : int
        M: labels are 0 .. M - 1.
    progress : Outcomes
        Has the outcomes of an interrupted choice, and keeps those that follow.

    Returns
    -------
    chosen : Cell
        As the cell, with the chosen classifier and resampler.
    choice : Choice
        Every score, for the record.

    Raises
    ------
    InfeasibleError
        All candidates are infeasible.
    ChoiceError
        All candidates fail otherwise.

    References
    ----------
    Varma, Simon (2006), Bias in error estimation when using cross-validation for model selection, BMC
    Bioinformatics 7:91.
    """
    parts = list(_parts(cell, train, validation))
    classifiers, resamplers = cell.classifier.candidates, cell.resampler.candidates
    watched = None if cell.validation is None else Part(*validation)
    n_before = 0
    for fitted, scored in parts:
        for resampler in resamplers:
            rest = classifiers[max(0, len(progress.outcomes) - n_before) :]
            if rest:
                progress.add(_outcomes(cell, rest, resampler, fitted, scored, watched, n_classes, progress))
            n_before += len(classifiers)
    in_order = np.arange(n_before).reshape(len(parts), len(resamplers), len(classifiers)).transpose(2, 1, 0)
    of_each = [[progress.outcomes[i] for i in positions] for positions in in_order.reshape(-1, len(parts))]
    return _best(cell, of_each)


def _parts(cell: Cell, train: Labelled, validation: Labelled) -> Iterator[tuple[Labelled, Labelled]]:
    """Yield what candidates are trained on, and what they are scored on."""
    if cell.choose.scored_on == "validation":
        yield train, validation
        return
    X, y = train
    for fitted, scored in inner_folds(cell, y):
        yield (X.select(fitted), y[fitted]), (X.select(scored), y[scored])


def _outcomes(
    cell: Cell,
    classifiers: Sequence[Classifier],
    resampler: Resampler,
    fitted: Labelled,
    scored: Labelled,
    watched: Part | None,
    n_classes: int,
    progress: Outcomes,
) -> Iterator[Outcome]:
    """Yield what each classifier comes to after one resampler; if they fail together, they are tried one by one."""
    n_done = 0
    try:
        X, A, y = resampler.apply(*fitted, seed=cell.seed_of("resample"))
        each = predictions_of_each(
            classifiers,
            X,
            A,
            y,
            scored[0],
            seed=cell.seed_of("fit"),
            checkpoint=progress,
            validation=watched,
        )
        for predicted in each:
            confusion = confusion_matrix(scored[1], predicted, n_classes)
            yield Outcome(METRICS[cell.choose.by](of_classes_present(confusion)))
            n_done += 1
    except UsageError:
        raise
    except Exception as error:  # whatever a library raises, this candidate is the only one to lose by it
        if host.is_out_of_memory(error):
            raise
        if len(classifiers) == 1:
            message = str(error) if isinstance(error, InfeasibleError) else f"{type(error).__name__}: {error}"
            yield Outcome(None, message, isinstance(error, InfeasibleError))
            return
        for classifier in classifiers[n_done:]:
            yield from _outcomes(cell, [classifier], resampler, fitted, scored, watched, n_classes, progress)


def _best(cell: Cell, outcomes: Sequence[Sequence[Outcome]]) -> tuple[Cell, Choice]:
    """Return the candidate with the highest mean, given the outcomes of each."""
    tried = [
        Candidate(
            parameters=cell.chosen_values(candidate),
            scores=[outcome.score for outcome in of_one],
            message=next((outcome.message for outcome in of_one if outcome.message), None),
        )
        for candidate, of_one in zip(cell.candidates, outcomes, strict=True)
    ]
    scores = [-np.inf if one.score is None else one.score for one in tried]
    best = int(np.argmax(scores))  # the first of equal ones
    if tried[best].score is None:
        said = f"choose: got no score of {plural(len(tried), 'candidate')}; of the first, {tried[0].text}"
        failed = [outcome for of_one in outcomes for outcome in of_one if outcome.message]
        kind = InfeasibleError if all(outcome.is_infeasible for outcome in failed) else ChoiceError
        raise kind(f"{said}: {tried[0].message}")
    return cell.candidates[best], Choice(how=cell.choose.text, chosen=best, candidates=tried)
