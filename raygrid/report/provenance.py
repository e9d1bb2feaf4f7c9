"""Failures by message, and the origin of the numbers: versions, machine, seeds and time."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from raygrid.axes import ARM_AXES, block_name
from raygrid.cells import Cell
from raygrid.report.render import printed
from raygrid.report.results import Results
from raygrid.storage.record import Record
from raygrid.wording import gist, plural

_LISTED = 40  # cells of one failure, on the page


@dataclass(frozen=True)
class Failure:
    """Cells that ended in the same way with the same message, but for numbers and names in it."""

    status: str
    message: str
    """Of the first of them."""
    traceback: str | None
    """Likewise."""
    n_cells: int
    cells: tuple[tuple[str, str], ...]
    """Key and name of some of them."""


def failures(results: Results) -> Iterator[Failure]:
    """Yield why cells are not done, the most frequent reason first, infeasible ones last."""
    groups: dict[tuple[str, str], list[tuple[Cell, Record]]] = {}
    for cell in results.cells:
        record = results.records.get(cell.key)
        if record and record.status != "done":
            groups.setdefault((record.status, gist(record.message or "")), []).append((cell, record))
    for (status, _), those in sorted(groups.items(), key=lambda item: (item[0][0] == "infeasible", -len(item[1]))):
        names = tuple((cell.key, _name(cell)) for cell, _ in those[:_LISTED])
        first = those[0][1]
        yield Failure(status, first.message or "no message", first.traceback, len(those), names)


def _name(cell: Cell) -> str:
    """Return a cell as a line of text."""
    levels = cell.levels()
    method = [*(levels[axis] for axis in ARM_AXES), printed("resampler", levels["resampler"])]
    return f"{block_name(levels)}: {' · '.join(method)}"


def provenance(results: Results) -> list[tuple[str, str]]:
    """Return what is known of where the numbers come from, as names and values."""
    records = [record for cell in results.cells if (record := results.records.get(cell.key))]
    finished = [record.measured.finished_at for record in records]
    spent = timedelta(seconds=round(sum(sum(record.measured.seconds.values()) for record in records)))
    seeds = sorted({str(cell.seed) for cell in results.cells})
    known = [
        ("Seed" if len(seeds) == 1 else "Seeds", ", ".join(seeds)),
        ("Records", f"{len(records)} of {len(results.cells)} cells"),
    ]
    if records:
        known += [
            ("First and last trial finished", f"{min(finished)} and {max(finished)}"),
            ("Time of all trials together", str(spent)),
        ]
    return [*known, *_devices(records), *_versions(records), *_flat(results.environment)]


def _devices(records: list[Record]) -> Iterator[tuple[str, str]]:
    """Yield on what records were computed, where they say it."""
    shares = {record.measured.gpus: f", {record.measured.gpus:g} of a card" for record in records} | {0.0: ""}
    counts = Counter(
        record.measured.device + shares[record.measured.gpus] for record in records if record.measured.device
    )
    if counts:
        yield "Computed on", "; ".join(f"{device} ({plural(n, 'record')})" for device, n in counts.most_common())


def _versions(records: list[Record]) -> Iterator[tuple[str, str]]:
    """Yield the versions that records were computed with: one line if all agree, else one a set."""
    counts = Counter(tuple(record.versions.items()) for record in records)
    for versions, count in counts.most_common():
        name = "Versions behind the records" if len(counts) == 1 else f"Versions behind {count} of the records"
        yield name, ", ".join(f"{library} {version}" for library, version in versions)


def _flat(environment: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what the last run noted of its machine."""
    for name, value in environment.items():
        if isinstance(value, Mapping):
            text = ", ".join(f"{key} {inner}" for key, inner in value.items())
        elif isinstance(value, list | tuple):
            text = " ".join(map(str, value))
        else:
            text = "not known" if value is None else str(value)
        yield f"Last run: {name.replace('_', ' ')}", text
