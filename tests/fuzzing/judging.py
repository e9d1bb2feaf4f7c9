"""What an input is, and what came of it: it was refused by a line, taken, or did what none may do."""

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

MOST_BYTES = 2_000_000_000
_MOST_SAID = 200_000  # characters; a message may name a thing, not repeat the input
_STRAY = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Link(NamedTuple):
    """A symbolic link among the files of an input."""

    to: str


@dataclass(frozen=True)
class Case:
    """An input: files by name, a command line about them, and its target, under which it is counted.

    Commands run in a folder that has the files. They may write there, but not below ``data/``, nor beside the folder,
    where ``victim.txt`` lies.
    """

    target: str
    arguments: tuple[str, ...]
    files: Mapping[str, bytes | Link] = field(default_factory=dict)
    seconds: int = 10
    """Of work that it may take; because other processes may be at work as well, no time by the clock."""

    def write(self, folder: Path) -> None:
        """Write the files; those whose names no file can have are left out."""
        for name, content in self.files.items():
            with contextlib.suppress(OSError, ValueError):
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.symlink_to(content.to) if isinstance(content, Link) else path.write_bytes(content)


class Verdict(NamedTuple):
    """What came of an input: accepted, refused, or a fault, and what was seen."""

    kind: str
    seen: str


def verdict_of(said: str, code: int, *, peak_bytes: int, broken: Sequence[str]) -> Verdict:
    """Return what came of an input, given what was printed, and the exit code.

    Parameters
    ----------
    peak_bytes : int
        Largest resident size of the process.
    broken : sequence of str
        What was done that none may do: other programs started, files changed elsewhere.
    """
    if broken or code not in (0, 1, 2) or "Traceback (most recent call last)" in said:
        return Verdict("fault", "\n".join([*broken, said[-3000:]]))
    if peak_bytes > MOST_BYTES:
        return Verdict("fault", f"took {peak_bytes / 1e9:.1f} GB: {said[-300:]}")
    if len(said) > _MOST_SAID or (code == 2 and not said.strip()):
        return Verdict("fault", f"said {len(said)} characters with exit {code}: {said[:300]}")
    if stray := _STRAY.search(said):
        near = said[max(0, stray.start() - 200) : stray.end() + 100]
        return Verdict("fault", f"printed {stray[0]!r}: {near!r}")
    return Verdict("refused" if code == 2 else "accepted", said)
