"""Print so that no number is cut, however narrow the terminal, and no text that was read is an order to it."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.live import Live
from rich.measure import Measurement
from rich.segment import Segment
from rich.spinner import Spinner
from rich.text import Text

from raygrid.activity import heard_by
from raygrid.host.output import not_captured
from raygrid.storage.folders import Location
from raygrid.wording import shown, without_passwords

_ANY_WIDTH = 100_000
_EDGES = 2  # characters at the edges of a table, which its measure lacks


class Terminal(Console):
    """A console on which texts of anybody can be printed: as they are, without markup, escapes and passwords."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, force_jupyter=False, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield what is printed; Rich's own movements of the cursor are left as they are."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=shown(without_passwords(segment.text)))


def show(console: Console, renderable: RenderableType) -> None:
    """Print at the console's width, or wider where a word or a number would not fit."""
    options = console.options.update(max_width=_ANY_WIDTH)
    least = Measurement.get(console, options, renderable).minimum + _EDGES
    if least > console.width:  # its own width would be the limit
        console = Terminal(width=least, stderr=console.stderr)
    console.print(renderable)


def show_path(console: Console, place: Location) -> None:
    """Print a path or a URL on a line of its own, so that it can be opened."""
    console.print(str(place.absolute()), markup=False, highlight=False, soft_wrap=True)


@contextmanager
def activity_shown(first: str = "") -> Iterator[None]:
    """Show on the terminal what this process is doing in the block; where stderr is none, nothing.

    Parameters
    ----------
    first : str
        What is being done when the block begins.
    """
    stream = not_captured(sys.stderr)
    console = Terminal(file=stream, force_terminal=stream.isatty())
    if not console.is_terminal:
        yield
        return
    spinner = Spinner("dots", Text(first, "dim"))
    # Rich would take results that go to a file or a pipe to the terminal.
    with Live(spinner, console=console, transient=True, redirect_stdout=sys.stdout.isatty()):
        with heard_by(lambda what: spinner.update(text=Text(what, "dim"))):
            yield
