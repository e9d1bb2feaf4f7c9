"""How messages are worded: counts of things, and errors in one line."""

import re
from collections.abc import Iterable, Sequence

# Colours, which say nothing; and what a terminal obeys or hides, instead of showing it: control characters but for line
# ends and tabs, changes of the direction of writing, and halves of characters.
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_PASSWORD = re.compile(r"(?<=://)[^/\s@'\"]+@")
_TOKEN = re.compile(r"([?&][\w-]*(?:token|key|secret|password|signature|credential)[\w-]*=)[^&\s'\"]+", re.IGNORECASE)


def plural(count: int, noun: str) -> str:
    """Return the count and the noun, with an s, after an s with es, where the count asks for it."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}{'es' if noun.endswith('s') else 's'}"


def span(numbers: Sequence[int]) -> str:
    """Return, for example, *3 to 20*, or *3* where all are the same."""
    low, high = min(numbers), max(numbers)
    return f"{low} to {high}" if low < high else str(low)


def ranges(names: Iterable[str]) -> list[str]:
    """Return names, of which whole numbers that follow each other are one: *0-9*."""
    runs: list[list[str]] = []
    for name in names:
        last = runs[-1][-1] if runs else ""
        if name.isdecimal() and last.isdecimal() and int(name) == int(last) + 1:
            runs[-1].append(name)
        else:
            runs.append([name])
    return [run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]


def listed(names: Sequence[str]) -> str:
    """Return, for example, *a, b and c*."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def first_line(error: object) -> str:
    """Return the first line of what an error says that is not empty; the name of its class where it says nothing."""
    lines = (line.strip() for line in str(error).splitlines())
    return next((line for line in lines if line), type(error).__name__)


def gist(message: str) -> str:
    """Return a message without its numbers and quoted names: what messages of one kind have in common."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|\d+(\.\d+)?", "…", first_line(message))


def at_most(lines: Sequence[str], n: int) -> list[str]:
    """Return the first n lines, and one that counts the others."""
    return [*lines[:n], *([f"and {len(lines) - n} more"] if len(lines) > n else [])]


def shown(text: str) -> str:
    """Return a text that a terminal shows as it is, whoever wrote it: what a terminal obeys becomes an escape."""
    return _OBEYED.sub(_escape, _COLOURS.sub("", text).replace("\r\n", "\n").replace("\r", "\n"))


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("ascii", "backslashreplace").decode() if found[0] > "\x7f" else f"\\x{ord(found[0]):02x}"


def without_passwords(text: str) -> str:
    """Return a text in which the addresses have no user, password or token."""
    return _TOKEN.sub(r"\1***", _PASSWORD.sub("***@", text))
