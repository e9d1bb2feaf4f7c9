"""What Ray says before a run: whether it starts, what it has, and whether a port is its own."""

from raygrid.engine.ray.cluster import connected  # isort: skip  # sets what Ray reads when imported

import ray

from raygrid.engine.ray.private import head_ports as heads

__all__ = ["heads", "resources"]


def resources(address: str | None) -> dict[str, float]:
    """Return what the cluster at `address` has (CPU, GPU, memory in bytes, ...), or one started here for this.

    Raises
    ------
    UsageError
        There is no cluster at `address`.
    """
    with connected(address):
        found: dict[str, float] = ray.cluster_resources()
        return found
