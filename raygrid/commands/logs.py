"""logs: print everything that a store has of one cell."""

from raygrid.commands.study import Study
from raygrid.storage.record import Choice, Curves, Record
from raygrid.wording import shown, span


def show_log(study: Study, prefix: str) -> None:
    """Print what became of the one cell that is chosen: its record, and what its trial wrote.

    Parameters
    ----------
    prefix : str
        The beginning of the cell's key; empty where the job has no other cell.

    Raises
    ------
    UsageError
        No cell, or more than one, is chosen.
    """
    cell = study.cell(prefix)
    record = study.store.record(cell.key)
    parts = [f"cell {cell.key}", *(f"  {axis:<14} {level}" for axis, level in cell.levels().items())]
    parts += _described(record) if record else ["status: missing (no trial of it has ended)"]
    if output := study.store.read_log(cell.key):
        parts += ["", "output:", output.rstrip("\n")]
    print(shown("\n".join(parts)))


def _described(record: Record) -> list[str]:
    """Return what a record says, in lines."""
    measured = record.measured
    lines = [f"status: {record.status}, {measured.finished_at}"]
    if record.metrics:
        lines.append("metrics: " + ", ".join(f"{name} {value:.4f}" for name, value in record.metrics.items()))
    lines += [f"samples of a class: {_sizes(record)}"] if record.class_counts else []
    lines += _curves(record.curves) if record.curves else []
    lines += _choice(record.choice) if record.choice else []
    lines += [f"note: {note}" for note in record.notes]
    if measured.seconds:
        lines.append("seconds: " + ", ".join(f"{stage} {s:.3f}" for stage, s in measured.seconds.items()))
    if measured.device:
        lines.append(f"computed on: {measured.device}" + (f", {measured.gpus:g} of a card" if measured.gpus else ""))
    lines.append(f"peak memory: {measured.peak_memory_mb:.0f} MB")
    lines += [f"warning: {warning}" for warning in measured.log]
    lines += [f"message: {record.message}"] if record.message else []
    return lines + (["", record.traceback.rstrip("\n")] if record.traceback else [])


def _curves(curves: Curves) -> list[str]:
    """Return how many epochs were trained, and the loss and AvAcc of each part at the first, the kept and the last."""
    n_epochs = len(curves.train["loss"])
    shown = sorted({1, curves.kept, n_epochs})
    lines = [f"epochs: {n_epochs}; the weights of epoch {curves.kept} are kept"]
    for part, measured in (("training", curves.train), ("validation", curves.validation)):
        values = [
            f"{name} "
            + ", ".join("-" if (value := measured[name][epoch - 1]) is None else f"{value:g}" for epoch in shown)
            for name in ("loss", "AvAcc")
            if name in measured
        ]
        lines += [f"  {part}, epochs {', '.join(map(str, shown))}: {'; '.join(values)}"] if values else []
    return lines


def _choice(choice: Choice) -> list[str]:
    """Return the candidate that was chosen, then what became of each, with the mean of its scores before them."""
    lines = [f"chosen: {choice.best.text}, of {len(choice.candidates)} candidates, by {choice.how}"]
    for one in choice.candidates:
        scores = ", ".join("-" if score is None else f"{score:.4f}" for score in one.scores)
        found = f"{one.score:.4f} ({scores})" if one.score is not None else f"no score ({scores}): {one.message}"
        lines.append(f"  {one.text}: {found}")
    return lines


def _sizes(record: Record) -> str:
    """Return, for example, *train 11 to 115 (ratio 10.5), resampled 115, test 6 to 60*."""
    ratio = {"train": f" (ratio {record.ir:.3g})"} if record.ir else {}
    return ", ".join(f"{part} {span(sizes)}{ratio.get(part, '')}" for part, sizes in record.class_counts.items())
