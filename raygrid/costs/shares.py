"""`gpus: auto` and `memory_gb: auto`: what a trial is given, from what recorded ones have taken at most. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from math import ceil, floor
from operator import attrgetter
from typing import Any, NamedTuple

from raygrid.cells import Cell
from raygrid.gridfile.resources import Resources
from raygrid.keys import hash_of
from raygrid.storage.record import Record
from raygrid.wording import plural

# A trial is given this much more than the largest recorded one has taken.
HEADROOM = 1.2

_PARTS = 10_000  # of a card, as Ray counts them


# What of a cell decides how much memory it takes, besides the number of its samples: its kind.
_OF_KIND = ("representation", "classifier", "image_size")
_levels_of_kind = attrgetter(*_OF_KIND)


class Peak(NamedTuple):
    """The most that recorded cells have taken.

    Attributes
    ----------
    n_records : int
    memory_mb : float
        Of main memory, with what is shared between processes.
    card_share : float
        Of the memory of a card, of 1; 0 where none is recorded.
    least_share : float
        What a trial is given at least, because one ran out of memory with half of it, or with an unknown share.
    """

    n_records: int
    memory_mb: float
    card_share: float
    least_share: float = 0.0

    def with_record(self, record: Record) -> "Peak":
        """Return it with a record counted in that is done or ran out of memory."""
        measured = record.measured
        if record.status == "oom":
            return self._replace(least_share=max(self.least_share, min(1.0, 2 * measured.gpus or 1.0)))
        return self.joined(Peak(1, measured.peak_memory_mb, measured.card_share))

    def joined(self, other: "Peak") -> "Peak":
        """Return the most that the cells of both have taken."""
        return Peak(self.n_records + other.n_records, *map(max, self[1:], other[1:]))


_NOTHING = Peak(0, 0.0, 0.0)


def peaks_of(records: Iterable[Record]) -> dict[str, Peak]:
    """Return what the cells of each kind have taken at most, by the kind; those that are done, or lacked memory."""
    found: dict[str, Peak] = {}
    for record in records:
        if record.status in ("done", "oom"):
            kind = _kind(record.cell)
            found[kind] = found.get(kind, _NOTHING).with_record(record)
    return found


def largest(peaks: Mapping[str, Peak], cells: Iterable[Cell]) -> dict[str, Peak]:
    """Return what the kinds of these cells have taken at most, by classifier; none where a kind is not measured."""
    found: dict[str, Peak] = {}
    unknown: set[str] = set()
    for kind, alike in _by_kind(cells).items():
        name = alike[0].classifier.name
        if kind not in peaks or not peaks[kind].n_records:
            unknown.add(name)
        found[name] = found.get(name, _NOTHING).joined(peaks.get(kind, _NOTHING))
    return {name: peak for name, peak in found.items() if name not in unknown}


def _by_kind(cells: Iterable[Cell]) -> dict[str, list[Cell]]:
    groups: dict[tuple[Any, ...], list[Cell]] = {}
    for cell in cells:
        groups.setdefault(_levels_of_kind(cell), []).append(cell)
    return {_kind(alike[0].identity()): alike for alike in groups.values()}


def _kind(cell: Mapping[str, Any]) -> str:
    """Return the kind of a cell, given its identity (as a record has it)."""
    return hash_of({part: cell.get(part) for part in _OF_KIND})  # records of earlier protocols lack parts


def settled(resources: Mapping[str, Resources], peaks: Mapping[str, Peak]) -> dict[str, Resources]:
    """Return resources in which numbers stand in place of ``auto``; the peaks are by classifier, as are resources."""
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
    return max(1, int(1 / max(peak.card_share * HEADROOM, peak.least_share)))


def sentences(resources: Mapping[str, Resources], peaks: Mapping[str, Peak]) -> list[str]:
    """Return what stands in place of every ``auto``, and why; the peaks are by classifier."""
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
            yield "memory_gb: auto asks for none, until a cell of each kind is recorded"
    if "gpus" in asked.auto:
        if peak and peak.card_share:
            found = f"gpus: auto is {given.gpus:g}, {plural(n_on_card(peak), 'trial')} a card"
            if peak.least_share > peak.card_share * HEADROOM:
                yield f"{found}, because a trial ran out of memory"
            else:
                yield f"{found}: a trial took {peak.card_share:.0%} of its memory, {more}"
        else:
            yield "gpus: auto is a whole card, until a cell of each kind is recorded on one"


def unmeasured(
    cells: Sequence[Cell], resources: Mapping[str, Resources], peaks: Mapping[str, Peak]
) -> dict[str, list[Cell]]:
    """Return the cells of every kind with an ``auto`` of which none is done, by the kind."""
    asked = [cell for cell in cells if resources.get(cell.classifier.name, Resources()).auto]
    return {kind: alike for kind, alike in _by_kind(asked).items() if not peaks.get(kind, _NOTHING).n_records}
