"""What cells chose among their candidates, as a sheet: how often each was chosen."""

from collections.abc import Sequence
from statistics import fmean

from raygrid.axes import METHOD_AXES
from raygrid.report.render import printed
from raygrid.report.results import Results
from raygrid.report.sheets import Sheet, number
from raygrid.storage.record import Choice
from raygrid.wording import plural


def choices_sheet(results: Results) -> Sheet | None:
    """Return how often each candidate of each method was chosen, and its mean score; None where nothing was chosen.

    A candidate that no cell chose is counted in a note.
    """
    places = results.places[[key in results.records for key in results.places["key"]]]
    rows: list[tuple[str, ...]] = []
    notes: dict[str, None] = {}
    for levels, keys in places.groupby(list(METHOD_AXES), sort=False)["key"]:
        choices = [choice for key in keys if (choice := results.records[key].choice)]
        *arm, resampler = map(str, levels)
        method = " · ".join([*arm, printed("resampler", resampler)])
        found = _rows(method, choices)
        rows += found
        if choices:
            n_never = len(choices[0].candidates) - len(found)
            never = f"; {plural(n_never, 'candidate')} never" if n_never else ""
            notes[f"{method}: among {len(choices[0].candidates)} candidates by {choices[0].how}{never}."] = None
    head = ("Method", "Chosen", "Cells", "Share", "Mean score", "Mean lead over the second")
    explained = "Scores are of training or validation samples; no test sample takes part in a choice."
    return (
        Sheet("How often each was chosen", head, tuple(rows), (explained, *notes), frozenset({0, 1})) if rows else None
    )


def _rows(method: str, choices: Sequence[Choice]) -> list[tuple[str, ...]]:
    """Return a row for each candidate that was chosen, the most frequent first."""
    rows = []
    for i in dict.fromkeys(choice.chosen for choice in choices):
        those = [choice for choice in choices if choice.chosen == i]
        scores = [_two_best(choice) for choice in those]
        mean, lead = fmean(best for best, _ in scores), fmean(best - second for best, second in scores)
        share = f"{len(those) / len(choices):.0%}"
        rows.append(
            (len(those), (method, those[0].candidates[i].text, str(len(those)), share, number(mean), number(lead)))
        )
    return [row for _, row in sorted(rows, key=lambda row: -row[0])]


def _two_best(choice: Choice) -> tuple[float, float]:
    """Return the best score and the next; twice the best where there is no other."""
    scores = sorted((one.score for one in choice.candidates if one.score is not None), reverse=True)
    return scores[0], scores[min(1, len(scores) - 1)]
