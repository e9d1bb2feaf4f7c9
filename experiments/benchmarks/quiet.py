"""An observer for benchmarks: it says only what goes wrong."""

from raygrid.cells import Cell


class Quiet:
    """Stops at a failure."""

    def started(self, cell: Cell) -> None:
        """Take no notice."""

    def finished(self, cell: Cell, status: str) -> None:
        """See that it is done."""
        if status != "done":
            raise SystemExit(f"{cell}: {status}")

    def notice(self, text: str) -> None:
        """Pass it on."""
        print(text)

    def waiting(self, what: str) -> None:
        """Take no notice."""

    def doing(self, cell: Cell, what: str) -> None:
        """Take no notice."""
