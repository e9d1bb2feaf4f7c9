"""How much of the grid is done, in sentences and as a sheet."""

from collections import Counter

from raygrid.axes import ARM_AXES
from raygrid.report.results import Results
from raygrid.report.sheets import Sheet
from raygrid.wording import plural

BASELINE = "none"
_ARM = list(ARM_AXES)
_STATUSES = ("done", "infeasible", "error", "oom", "timeout", "preempted", "missing")


def status_counts(results: Results) -> dict[str, int]:
    """Return how many cells have each status that any has, in the order of a good ending to none."""
    counts = Counter(results.places["status"])
    return {status: counts[status] for status in _STATUSES if counts[status]}


def progress(results: Results) -> list[str]:
    """Say how many cells have a result, and what became of the others."""
    counts = status_counts(results)
    n_cells, n_done = len(results.places), counts.get("done", 0)
    if n_done == n_cells:
        return [f"All {plural(n_cells, 'cell')} of the grid are done."]
    failed = {status: count for status, count in counts.items() if status not in ("done", "infeasible", "missing")}
    lacking = [
        (counts.get("infeasible", 0), "infeasible: no repetition can compute them"),
        (sum(failed.values()), f"failed ({', '.join(f'{n} {status}' for status, n in failed.items())})"),
        (counts.get("missing", 0), "not run yet"),
    ]
    rest = "; ".join(f"{count} {what}" for count, what in lacking if count)
    sentences = [
        f"{n_done} of the {plural(n_cells, 'cell')} of the grid are done ({100 * n_done // n_cells}%); {rest}."
    ]
    if failed or counts.get("missing"):
        sentences.append("The grid is unfinished: all below is about what is there, and may change with what is not.")
    return sentences


def progress_sheet(results: Results) -> Sheet:
    """Return the number of cells of each data set and arm by status."""
    statuses = list(status_counts(results))
    groups = results.places.groupby(["dataset", *_ARM], sort=False)["status"]
    rows = [
        (
            str(dataset),
            " · ".join(map(str, arm)),
            str(len(those)),
            *(str((those == status).sum()) for status in statuses),
        )
        for (dataset, *arm), those in groups
    ]
    head = ("Dataset", "Arm", "Cells", *statuses)
    return Sheet("What is there", head, tuple(rows), text_columns=frozenset({0, 1}), section="overview")
