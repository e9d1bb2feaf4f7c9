"""Probabilities of a classifier that only votes, from decision values of inner folds; no test sample comes here."""

import numpy as np

from raygrid.cells import Cell
from raygrid.classifiers import fit
from raygrid.classifiers.classifier import Fitted, Labels
from raygrid.classifiers.votes import CalibratedVotes, Voting, sigmoids_of
from raygrid.errors import InfeasibleError
from raygrid.mixtures.samples import Samples
from raygrid.splits.splits import dealt_out
from raygrid.storage.checkpoint import Checkpoint

N_SPLITS = 5  # as in libsvm's own probabilities


def calibrated(
    cell: Cell, model: Fitted, X: Samples, y: Labels, n_classes: int, checkpoint: Checkpoint
) -> CalibratedVotes:
    """Return the trained classifier, which predicts as before and now has probabilities as well.

    Every training sample gets the decision values of a classifier that is trained on the other four fifths of the
    training part, resampled as the cell says: of resampled samples it would have seen copies or neighbours. A sigmoid a
    class makes them probabilities (Platt, 1999; Zadrozny and Elkan, 2002), at the priors of the training part.

    Parameters
    ----------
    cell : Cell
        With one candidate.
    model : Fitted
        Trained on the whole training part, resampled.
    X, y : Samples and array of shape (n_train,), int64
        The training part before resampling. A class with a single sample is trained on in all inner folds.
    n_classes : int
        M: labels are 0 .. M - 1.

    Raises
    ------
    InfeasibleError
        The resampler refuses an inner fold, in which classes are smaller.

    References
    ----------
    Platt (1999), Probabilistic outputs for support vector machines, Advances in Large Margin Classifiers. Zadrozny,
    Elkan (2002), Transforming classifier scores into accurate multiclass probability estimates, KDD.
    """
    dealt = dealt_out(y, N_SPLITS, seed=cell.seed_of("calibrate"))
    dealt[np.bincount(y)[y] == 1] = -1
    values = np.full((len(y), n_classes), np.nan)
    for number in range(N_SPLITS):
        fitted, held_out = np.flatnonzero(dealt != number), np.flatnonzero(dealt == number)
        if len(held_out):
            inner = _trained(cell, X.select(fitted), y[fitted], n_classes, checkpoint)
            values[held_out] = Voting(inner, n_classes).decision_values(X.select(held_out))
    known = dealt >= 0
    return CalibratedVotes(Voting(model, n_classes), sigmoids_of(values[known], y[known]))


def _trained(cell: Cell, X: Samples, y: Labels, n_classes: int, checkpoint: Checkpoint) -> Fitted:
    try:
        X, A, y_resampled = cell.resampler.apply(X, y, seed=cell.seed_of("resample"))
    except InfeasibleError as error:
        raise InfeasibleError(f"in an inner fold for probabilities: {error}") from error
    return fit(cell.classifier, X, A, y_resampled, n_classes, seed=cell.seed_of("fit"), checkpoint=checkpoint)
