"""What the pages of the reference say of code: generated from the schema, the command line and the store."""

from collections.abc import Callable, Mapping

from reference import commands, keys, levels, store

GENERATED: Mapping[str, Callable[[], str]] = {
    **keys.GENERATED,
    **levels.GENERATED,
    **commands.GENERATED,
    **store.GENERATED,
}


def undescribed() -> list[str]:
    """Return what has no description: a page would be empty there."""
    return [*keys.undescribed(), *levels.undescribed(), *store.undescribed()]
