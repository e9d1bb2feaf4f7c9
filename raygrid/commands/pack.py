"""pack: write a store into one file."""

from pathlib import Path

from raygrid.commands.printing import Terminal
from raygrid.storage.packing import pack
from raygrid.storage.store import Store

_out = Terminal()


def pack_store(source: str, target: Path, *, with_predictions: bool) -> None:
    """Write the store `source` into the zip `target`."""
    packed = pack(Store(source), target, with_predictions=with_predictions)
    _out.print(f"{packed} records packed into {target}, {target.stat().st_size / 1e3:.0f} kB", soft_wrap=True)
