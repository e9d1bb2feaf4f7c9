"""The Ray cluster that trials run on: one of our own for as long as a run lasts, or one that is there already."""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

# Ray reads these when it is imported, hence before it is.
os.environ |= {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # a trial without a GPU must not see one
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Tune's own would let fit() return as if all were done
}

import ray
from ray.autoscaler._private.util import format_readonly_node_type
from ray.experimental.internal_kv import _internal_kv_get

from raygrid.config import Resources
from raygrid.engine import Observer
from raygrid.errors import UsageError

# What of this process' environment the workers of a cluster that was there before it must know as well. Credentials are
# not among them: Ray shows a job's environment to whoever may look at the cluster; nodes have their own.
_PASSED_ON = (
    *("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "KERAS_BACKEND", "RAYGRID_LOCAL_CACHE"),
    *("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"),
)

_ANSWERS_IN_S = 10

# Ray's names of what a trial may use, and the units it counts them in.
_UNITS = {"cpus": ("CPU", 1), "gpus": ("GPU", 1), "memory_gb": ("memory", 1e9)}


@contextmanager
def connected(address: str | None, *, verbose: bool = False) -> Iterator[None]:
    """Use the cluster at `address`, or the one this process is connected to, else one of our own while this lasts.

    Parameters
    ----------
    verbose : bool
        Whether Ray may show what it and its workers say. What the user must know of it, an observer hears.

    Raises
    ------
    UsageError
        There is no cluster at `address`.
    """
    if ray.is_initialized():
        yield
        return
    address = address or os.environ.get("RAY_ADDRESS")
    _check_answers(address)
    joined = {"runtime_env": {"env_vars": {name: os.environ[name] for name in _PASSED_ON if name in os.environ}}}
    try:
        ray.init(
            address=address or "local",
            include_dashboard=None if address else False,
            log_to_driver=verbose,
            logging_level="INFO" if verbose else "CRITICAL",
            **(joined if address else {}),
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        if not address:
            raise
        reason = str(error).partition("\n")[0]
        raise UsageError(
            f"--address {address}: got no Ray cluster ({reason}); start one, or leave it out; if it wants a token: "
            "export RAY_AUTH_MODE=token"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _check_answers(address: str | None) -> None:
    """Raise UsageError where nothing listens at HOST:PORT: Ray itself tries for a quarter of an hour."""
    host, separator, port = (address or "").rpartition(":")
    if not separator or not port.isdecimal():  # "auto", say
        return
    try:
        socket.create_connection((host.rpartition("/")[2], int(port)), timeout=_ANSWERS_IN_S).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"--address {address}: got no Ray cluster ({reason}); start one, or leave it out") from error


def request(share: Resources, times: int = 1) -> dict[str, float]:
    """Return what a trial asks Ray for: its share so many times, as far as the largest node, and one card, go."""
    wanted = {named: getattr(share, name) * unit for name, (named, unit) in _UNITS.items() if getattr(share, name)}
    if times == 1:
        return wanted
    most = _largest_node() | {"GPU": 1}
    return {name: max(value, min(value * times, most.get(name, value))) for name, value in wanted.items()}


def fitting(resources: Mapping[str, Resources], observer: Observer) -> dict[str, Resources]:
    """Return what trials may use here: what they ask for, but no more than the largest node has, said once each.

    So the grid file of a cluster runs on a laptop, and its GPU cells on CPUs where there is no GPU. A cluster that
    scales by itself may yet get larger nodes.
    """
    if _scales():
        return dict(resources)
    return {name: _fitting(name, share, observer) for name, share in resources.items()}


def _fitting(name: str, share: Resources, observer: Observer) -> Resources:
    largest = _largest_node()
    less: dict[str, float] = {}
    for field, (ray_name, unit) in _UNITS.items():
        wanted, there = getattr(share, field), largest.get(ray_name, 0) / unit
        if wanted and wanted > there:
            less[field] = int(there) if field == "cpus" else there
            observer.notice(
                f"resources: {name}: {field}: got {wanted:g}; no node here has more than {there:.3g}"
                + ("; its trials run on CPUs" if field == "gpus" and not there else "; its trials get that")
            )
    return share.model_copy(update=less)


def _scales() -> bool:
    """Whether the cluster can grow: its nodes are then of the types that its configuration names."""
    report = json.loads(_internal_kv_get("__autoscaling_status") or "{}").get("autoscaler_report") or {}
    return any(not name.startswith(format_readonly_node_type("")) for name in report.get("active_nodes") or {})


def size() -> float:
    """Return how large the cluster is now: its GPUs; its CPUs where it has none."""
    total = ray.cluster_resources()
    return float(total.get("GPU") or total.get("CPU", 0))


def _largest_node() -> dict[str, float]:
    """Return the most that any living node has of each resource."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return {name: max(node.get(name, 0) for node in nodes) for node in nodes for name in node}
