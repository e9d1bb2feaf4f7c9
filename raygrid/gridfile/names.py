"""Levels that tables or keys could not tell apart."""

from collections.abc import Iterable, Iterator

from raygrid.level import Level

# The position of an arm, the axis, and the level.
Placed = tuple[int, str, Level]


def namesakes(levels: Iterable[Placed]) -> Iterator[tuple[int, str]]:
    """Yield the arm and a message for each name that two classes of the user's share: tables show the name."""
    first: dict[tuple[str, str], str] = {}
    for arm, axis, level in levels:
        its_class = level.code.get("class", "")
        if its_class and first.setdefault((axis, level.name), its_class) != its_class:
            yield arm, f"got two classes named {level.name!r}; give each {axis} a name of its own"


def twins(levels: Iterable[Placed]) -> Iterator[tuple[int, str]]:
    """Yield the arm and a message for each two levels that differ in nothing but a label: their cells have one key."""
    first: dict[object, Level] = {}
    for arm, axis, level in levels:
        known = axis, level.name, *level.parameters_as_text().items(), *level.code.items()
        other = first.setdefault(known, level)
        if other != level and level.candidates == (level,):
            yield arm, f"got {level.text!r}, which is {other.text!r} under another label; remove one"
