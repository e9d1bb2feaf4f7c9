"""What a soak must have left: every cell once, its record unaltered, and what a run without kills leaves."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

_RECORD = re.compile(r"/(?P<store>run\d+)/records/(?P<key>[0-9a-f]{16})\.json$")
_FINAL = ("done", "infeasible")
# A record that says that a node was lost does not blame the cell; these do.
_BLAMES = ("error", "oom", "timeout")


def requests_of(log: Path) -> Iterator[dict[str, Any]]:
    """Yield the requests that the server has noted; a killed server's last line may be cut."""
    for line in log.read_text().splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue


def written(requests: Iterable[dict[str, Any]], store: str) -> dict[str, list[dict[str, Any]]]:
    """Return the records that were written into a store, by key, in their order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for request in requests:
        match = _RECORD.search(request["path"])
        if match and match["store"] == store and "body" in request:
            found.setdefault(match["key"], []).append(json.loads(request["body"]))
    return found


def counted(writes: dict[str, list[dict[str, Any]]]) -> Counter[str]:
    """Count the cells whose final record was replaced by a different one, and those that kills were blamed on."""
    counts: Counter[str] = Counter()
    for records in writes.values():
        finals = [record for record in records if record["status"] in _FINAL]
        first = records.index(finals[0]) if finals else len(records)
        counts["doubled"] += any(record != records[first] for record in records[first + 1 :])
        counts["blamed"] += any(record["status"] in _BLAMES for record in records)
        counts["preempted"] += any(record["status"] == "preempted" for record in records)
    return counts


def differing(store: Path, reference: Path) -> tuple[int, list[str]]:
    """Return how many cells of the reference a store lacks, and the files that are not equal.

    Records are compared without what the cells cost.
    """
    expected, got = _kept(reference), _kept(store)
    lost = sum(name.startswith("records/") and name not in got for name in expected)
    return lost, [name for name in expected.keys() | got.keys() if expected.get(name) != got.get(name)]


def _kept(store: Path) -> dict[str, object]:
    files = {
        path.relative_to(store).as_posix(): path.read_bytes()
        for folder in ("records", "predictions", "report")
        for path in (store / folder).glob("*")
        if path.is_file()
    }
    return {
        name: json.loads(content) | {"measured": None} if name.startswith("records/") else content
        for name, content in files.items()
    }
