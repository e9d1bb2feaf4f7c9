"""Calibration of every cell whose scores are probabilities, from stored predictions: no cell runs again."""

from collections.abc import Callable
from math import nan

import pandas as pd

from raygrid.axes import ARM_AXES, AXES, IMBALANCE, METHOD_AXES, axis_heading, csv_column, level_name
from raygrid.metrics.calibration import N_BINS, Calibration, are_probabilities, calibration_of
from raygrid.report.further import Predictions, has_scores, in_turn
from raygrid.report.render import printed
from raygrid.report.results import Results
from raygrid.report.sheets import Sheet, number, to_csv_text

MEASURES = ("ece", "brier", "nll", "confidence", "accuracy")
_HEADINGS = ("ECE", "Brier", "NLL", "Confidence", "Accuracy")


def calibrations_of(results: Results, predictions: Callable[[str], Predictions]) -> pd.DataFrame:
    """Return one line per cell that is done.

    Parameters
    ----------
    results : Results
    predictions : callable
        Returns what a cell's trial kept, by key.

    Returns
    -------
    DataFrame
        Columns of `Results.places`; value, a `Calibration`, None where the cell kept no probabilities; and `MEASURES`,
        NaN there.
    """
    places = results.places[results.places["status"] == "done"].reset_index(drop=True)
    keys = places["key"].tolist()
    found = [
        _of_cell(kept, len(results.records[key].confusion))
        for key, kept in zip(keys, in_turn(predictions, keys), strict=True)
    ]
    measures = {name: [getattr(one, name) if one else nan for one in found] for name in MEASURES}
    return places.assign(value=pd.Series(found, index=places.index, dtype=object), **measures)


def _of_cell(kept: Predictions, n_classes: int) -> Calibration | None:
    if not has_scores(kept, n_classes) or not are_probabilities(kept["scores"]):
        return None
    return calibration_of(kept["y_true"], kept["scores"])


def calibration_sheet(calibrations: pd.DataFrame) -> Sheet | None:
    """Return a row a data set, level and method that gave probabilities, and say which did not; None of no cell."""
    if calibrations.empty:
        return None
    known = calibrations[calibrations["ece"].notna()]
    by = ["dataset", IMBALANCE, *METHOD_AXES]
    grouped = known.sort_values(IMBALANCE, kind="stable").groupby(by, sort=False, observed=True)
    means, counts = grouped[list(MEASURES)].mean(), grouped.size()
    datasets = list(dict.fromkeys(calibrations["dataset"]))
    return Sheet(
        title="Calibration",
        head=("Dataset", axis_heading(IMBALANCE, calibrations[IMBALANCE]), "Method", *_HEADINGS, "Folds"),
        rows=tuple(
            (
                *(place[0], level_name(place[1]), " · ".join([*place[2:-1], printed("resampler", place[-1])])),
                *(number(value) for value in means.loc[place]),
                str(counts[place]),
            )
            for place in sorted(means.index, key=lambda place: datasets.index(place[0]))
        ),
        notes=(*_explained(known), *_without(calibrations)),
        text_columns=frozenset({0, 1, 2}),
        section="classes",
    )


def _explained(known: pd.DataFrame) -> list[str]:
    if known.empty:
        return []
    return [
        f"Means over folds. ECE: expected calibration error over {N_BINS} bins of equal width (Guo et al., 2017). "
        "Brier: from 0 to 2 (Brier, 1950). NLL: negative log-likelihood in nats, a probability counting as at least "
        "1.2e-7. All weigh every test sample alike, so that large classes count most. Confidence: the mean of the "
        "highest probability; above Accuracy, the classifier is too sure."
    ]


def _without(calibrations: pd.DataFrame) -> list[str]:
    """Say which arms gave no probabilities."""
    cells = calibrations.groupby(list(ARM_AXES), sort=False)["ece"].agg(["count", "size"])
    arms = [(arm, n_cells - n, n_cells) for arm, n, n_cells in cells.itertuples(name=None) if n < n_cells]
    names = [" · ".join(arm) + (f" ({n} of {n_cells} cells)" if n < n_cells else "") for arm, n, n_cells in arms]
    if not names:
        return []
    is_svm = any(classifier == "svm" for (_, classifier), *_ in arms)
    hint = " (an svm gives them with probability: sigmoid)" if is_svm else ""
    return [f"No probabilities are kept of {'; '.join(names)}{hint}."]


def calibrations_to_csv(calibrations: pd.DataFrame) -> str:
    """Return one line a cell, unrounded; empty where there are no probabilities."""
    axes = calibrations[list(AXES)].assign(**{IMBALANCE: [level_name(level) for level in calibrations[IMBALANCE]]})
    lines = pd.concat([axes, calibrations[list(MEASURES)]], axis=1)
    return to_csv_text([*map(csv_column, AXES), *MEASURES], lines.itertuples(index=False, name=None))
