"""What `doctor` asks Ray before a run: whether it starts, its resources, and the ports of running clusters."""

from raygrid.engine.ray.cluster import connected  # isort: skip  # sets what Ray reads when imported

import ray

from raygrid.engine.ray.private import head_ports as heads

__all__ = ["heads", "resources"]


def resources(address: str | None) -> dict[str, float]:
    """Return the resources (CPU, GPU, memory in bytes, ...) of the cluster at `address`, or of one started for this.

    Raises
    ------
    UsageError
        There is no cluster at `address`.
    """
    with connected(address):
        found: dict[str, float] = ray.cluster_resources()
        return found
