"""The style of lines and bars: colours for colour-blind readers, and markers or patterns besides the colours."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

# Text, axes and the baseline, and what lies under them; a dark page puts its own in their place.
INK, PAPER = "#1a1a1e", "#fdfdfe"

# Okabe and Ito (2008), Color Universal Design; the yellow, which white paper swallows, left out.
COLOURS = (INK, "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "v", "D", "P", "X", "<")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
HATCHES = ("", "///", "...", "xxx", "\\\\\\")


@dataclass(frozen=True)
class Style:
    """How one line differs from the others, by more than its colour."""

    colour: str
    marker: str
    dash: Any

    def line(self) -> dict[str, Any]:
        """Return what `Axes.plot` takes."""
        return {"color": self.colour, "marker": self.marker, "linestyle": self.dash}


def styles(labels: Iterable[str]) -> dict[str, Style]:
    """Return a style for each distinct label, in order of appearance."""
    distinct = list(dict.fromkeys(labels))
    kinds = zip(cycle(COLOURS), cycle(MARKERS), cycle(DASHES), strict=False)
    return {label: Style(*kind) for label, kind in zip(distinct, islice(kinds, len(distinct)), strict=True)}


def legible_on(colour: Any) -> str:
    """Return black or white, whichever stands out more on a colour (red, green, blue, alpha in [0, 1])."""
    red, green, blue, _ = colour
    return "black" if 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 > 0.2 else "white"
