"""`gpus: auto` and `memory_gb: auto`: what a trial is given, from what recorded ones have taken at most. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from math import ceil, floor
from typing import Any, NamedTuple

from raygrid.cells import Cell
from raygrid.gridfile.resources import Resources
from raygrid.storage.record import Record
from raygrid.wording import plural

# A trial is given this much more than the largest recorded one has taken.
HEADROOM = 1.2

_PARTS = 10_000  # of a card, as Ray counts them


class Peak(NamedTuple):
    """The most that recorded cells of a classifier have taken.

    Attributes
    ----------
    n_records : int
    memory_mb : float
        Of main memory, with what is shared between processes.
    card_share : float
        Of the memory of a card, of 1; 0 where none is recorded.
    """

    n_records: int
    memory_mb: float
    card_share: float


def peaks_of(records: Iterable[Record]) -> dict[str, Peak]:
    """Return what the done cells of each classifier have taken at most, by its name."""
    found: dict[str, Peak] = {}
    for record in records:
        if record.status == "done":
            name, measured = record.cell["classifier"]["name"], record.measured
            n, memory_mb, share = found.get(name, Peak(0, 0.0, 0.0))
            found[name] = Peak(n + 1, max(memory_mb, measured.peak_memory_mb), max(share, measured.card_share))
    return found


def settled(resources: Mapping[str, Resources], peaks: Mapping[str, Peak]) -> dict[str, Resources]:
    """Return resources in which numbers stand in place of ``auto``."""
    return {name: _settled(asked, peaks.get(name)) for name, asked in resources.items()}


def _settled(asked: Resources, peak: Peak | None) -> Resources:
    found: dict[str, Any] = {name: getattr(asked, name) for name in asked.auto}
    if peak and "memory_gb" in asked.auto and peak.memory_mb:
        found["memory_gb"] = ceil(peak.memory_mb * HEADROOM / 100) / 10
    if peak and "gpus" in asked.auto and peak.card_share:
        found["gpus"] = floor(_PARTS / n_on_card(peak)) / _PARTS
    return asked.with_numbers(**found)


def n_on_card(peak: Peak) -> int:
    """Return how many trials a card has room for, at least 1."""
    return max(1, int(1 / (peak.card_share * HEADROOM)))


def sentences(resources: Mapping[str, Resources], peaks: Mapping[str, Peak]) -> list[str]:
    """Return what stands in place of every ``auto``, and why."""
    return [
        f"resources: {name}: {said}"
        for name, asked in resources.items()
        for said in _said(asked, _settled(asked, peaks.get(name)), peaks.get(name))
    ]


def _said(asked: Resources, given: Resources, peak: Peak | None) -> Iterable[str]:
    more = f"and {HEADROOM - 1:.0%} more"
    if "memory_gb" in asked.auto:
        if peak and given.memory_gb:
            most = f"the most that {plural(peak.n_records, 'record')} took, {peak.memory_mb / 1000:.3g} GB"
            yield f"memory_gb: auto is {given.memory_gb:g}: {most}, {more}"
        else:
            yield "memory_gb: auto asks for none, because nothing is recorded"
    if "gpus" in asked.auto:
        if peak and peak.card_share:
            on_card = f"{plural(n_on_card(peak), 'trial')} a card"
            yield f"gpus: auto is {given.gpus:g}, {on_card}: a trial took {peak.card_share:.0%} of its memory, {more}"
        else:
            yield "gpus: auto is a whole card, because nothing is recorded on one"


def unmeasured(
    cells: Sequence[Cell], resources: Mapping[str, Resources], peaks: Mapping[str, Peak]
) -> dict[str, list[Cell]]:
    """Return the cells of every classifier with an ``auto`` of which nothing is recorded, by its name."""
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        name = cell.classifier.name
        if name in resources and resources[name].auto and name not in peaks:
            found.setdefault(name, []).append(cell)
    return found
