"""Fit names of any length into the room that a figure has for them: in several lines, or cut in the middle."""

import re
import warnings
from collections.abc import Iterable

from raygrid.report.figures.figure import FONT_PT

LINE = 1.35 * FONT_PT / 72  # height of a line of text, in inches
_PARTS = re.compile(r"[^\s\-_,(=]*[\s\-_,(=]*")  # where a name may go on in the next line


def width_of(text: str, *, bold: bool = False) -> float:
    """Return how wide a line of text is drawn, in inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family="DejaVu Sans", size=FONT_PT, weight="bold" if bold else "normal")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # a class may have any name
        return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]) / 72


def wrapped(text: str, inches: float) -> str:
    """Return a text in as many lines as it needs, bold, to be no wider than this; no letter is left out."""
    lines = [""]
    for part in _pieces(text, inches):
        if lines[-1] and width_of((lines[-1] + part).rstrip(), bold=True) > inches:
            lines.append("")
        lines[-1] += part
    return "\n".join(line.rstrip() for line in lines)


def _pieces(text: str, inches: float) -> Iterable[str]:
    """Yield what stays in one line: parts of the text, and of one that is too wide its letters."""
    for part in _PARTS.findall(text):
        if part and width_of(part.rstrip(), bold=True) > inches:
            yield from part
        elif part:
            yield part


def extra_height(texts: Iterable[str]) -> float:
    """Return the inches that the tallest of some texts needs above those of one line."""
    return LINE * max((text.count("\n") for text in texts), default=0)


def room_for(names: Iterable[str], most: float) -> tuple[dict[str, str], float, float]:
    """Return names in lines of at most so many inches, how wide the widest is, and what `extra_height` they need."""
    texts = {name: name if width_of(name) <= most else wrapped(name, most) for name in names}
    widest = max((width_of(line) for text in texts.values() for line in text.split("\n")), default=0.0)
    return texts, widest, extra_height(texts.values())


def cut(label: str, inches: float) -> str:
    """Return a label, letters in its middle left out where it is wider than this."""
    if width_of(label) <= inches:
        return label
    for n_kept in range(len(label) - 1, 1, -1):
        n_last = n_kept // 2
        text = f"{label[: n_kept - n_last]}…{label[len(label) - n_last :]}"
        if width_of(text) <= inches:
            return text
    return "…"
