"""Print tables so that no number is cut or broken, however narrow the terminal, the pipe or the file."""

from rich.console import Console, RenderableType
from rich.measure import Measurement

from raygrid.storage.folders import Location

_ANY_WIDTH = 100_000
_EDGES = 2  # characters at the edges of a table, which its measure lacks


def show(console: Console, renderable: RenderableType) -> None:
    """Print at the console's width, or wider where a word or a number would not fit."""
    options = console.options.update(max_width=_ANY_WIDTH)
    least = Measurement.get(console, options, renderable).minimum + _EDGES
    if least > console.width:  # its own width would be the limit
        console = Console(width=least, stderr=console.stderr)
    console.print(renderable)


def show_path(console: Console, place: Location) -> None:
    """Print a path or a URL on a line of its own, so that it can be opened."""
    console.print(str(place.absolute()), markup=False, highlight=False, soft_wrap=True)
