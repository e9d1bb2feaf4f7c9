"""What a trained classifier predicts, checked where it comes back: it may be code of the user's."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from raygrid.metrics.confusion import checked_labels

if TYPE_CHECKING:
    from raygrid.classifiers.classifier import Fitted
    from raygrid.mixtures.samples import Samples

_ROUNDING = 1e-6  # by which libraries' probabilities may be below 0


def predictions(model: "Fitted", X: "Samples", n_classes: int) -> dict[str, NDArray[Any]]:
    """Return the labels that a trained classifier predicts, `y_pred`, and its `scores` if it has any.

    Parameters
    ----------
    model : Fitted
    X : Samples
        Of n_samples.
    n_classes : int
        M: labels are 0 .. M - 1.

    Returns
    -------
    dict of str to array
        y_pred, (n_samples,), integers; scores, (n_samples, n_classes), finite numbers.

    Raises
    ------
    ValueError
        The classifier returns anything else.
    """
    found: Any = model
    if not hasattr(found, "predict"):
        raise ValueError(f"fit: got {type(found).__name__}; expected a trained classifier, which has predict")
    if hasattr(found, "predictions"):  # its labels are not the likeliest classes
        predicted = dict(found.predictions(X))
    elif hasattr(found, "scores"):
        scores = checked_scores(found.scores(X), len(X), n_classes, name="scores")
        predicted = {"y_pred": likeliest(scores), "scores": scores}
    else:
        predicted = {"y_pred": found.predict(X)}
    if "scores" in predicted:
        predicted["scores"] = checked_scores(predicted["scores"], len(X), n_classes, name="scores")
    return predicted | {"y_pred": checked_labels(predicted["y_pred"], len(X), n_classes)}


def likeliest(scores: NDArray[Any]) -> NDArray[np.int64]:
    """Return the class with the highest score of each sample; of equal ones the smaller."""
    return np.asarray(scores.argmax(axis=1), dtype=np.int64)


def checked_scores(scores: Any, n_samples: int, n_classes: int, *, name: str) -> NDArray[Any]:
    """Return scores as an array of shape (n_samples, n_classes), finite numbers.

    Parameters
    ----------
    name : str
        What returned them, for messages.

    Raises
    ------
    ValueError
        They are anything else.
    """
    expected = f"expected ({n_samples}, {n_classes}), a column for each label"
    try:
        found = np.asarray(scores)
        found = found.astype(np.float64) if found.dtype.kind in "bO" else found
    except (ValueError, TypeError):  # rows of several lengths, or what is no number
        raise ValueError(f"{name}: got a {type(scores).__name__} that is no array of numbers; {expected}") from None
    if found.shape != (n_samples, n_classes) or found.dtype.kind not in "fiu":
        raise ValueError(f"{name}: got {found.dtype} of shape {found.shape}; {expected}")
    if n_wrong := n_samples - np.count_nonzero(np.isfinite(found).all(axis=1)):
        raise ValueError(
            f"{name}: got NaN or infinite values for {n_wrong} of {n_samples} samples; expected finite ones"
        )
    return found


def checked_probabilities(returned: Any, n_samples: int, n_classes: int) -> NDArray[np.float32]:
    """Return what `predict_proba` returned as float32; rows need not sum to 1, because labels come from their order.

    Raises
    ------
    ValueError
        It has another shape, a negative value, or one that is not finite.
    """
    name = "predict_proba"
    found = checked_scores(returned, n_samples, n_classes, name=name)
    if found.size and found.min() < -_ROUNDING:
        raise ValueError(f"{name}: got {found.min():.4g}; expected probabilities, none of them negative")
    return np.asarray(found, dtype=np.float32)
