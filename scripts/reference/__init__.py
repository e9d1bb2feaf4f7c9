"""What the pages of the reference say of code: generated from the schema, the command line and the store."""

from collections.abc import Callable

GENERATED: dict[str, Callable[[], str]] = {}
