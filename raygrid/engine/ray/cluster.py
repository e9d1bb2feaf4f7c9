"""The Ray cluster that trials run on: one of our own for as long as a run lasts, or one that is there already."""

import os
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

# Ray reads these when it is imported, hence before it is.
os.environ |= {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # a trial without a GPU must not see one
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": str(10**9),  # nobody restores an experiment from Tune's own directory
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Tune's own would let fit() return as if all were done
}

import ray
from ray.exceptions import RuntimeEnvSetupError

from raygrid.engine import Observer
from raygrid.errors import UsageError
from raygrid.gridfile.resources import Resources
from raygrid.wording import first_line

# What of this process' environment the workers of a cluster that was there before it must know as well. Credentials are
# not among them: Ray shows a job's environment to whoever may look at the cluster; nodes have their own.
_PASSED_ON = (
    *("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "KERAS_BACKEND", "RAYGRID_LOCAL_CACHE", "RAYGRID_CHECKPOINT_EVERY_S"),
    *("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"),
)

_ANSWERS_IN_S = 10

# How long the path of Ray's folder may be. A socket's path has 107 bytes at most, on macOS 103, and Ray adds this:
# /session_2026-01-31_23-59-59_123456_1234567/sockets/plasma_store
LONGEST_FOLDER_BYTES = 103 - 65

# Ray's names of what a trial may use, and the units it counts them in.
_UNITS = {"cpus": ("CPU", 1), "gpus": ("GPU", 1), "memory_gb": ("memory", 1e9)}


@contextmanager
def connected(address: str | None, *, code: Sequence[str] = (), verbose: bool = False) -> Iterator[None]:
    """Use the cluster at `address`, or the one this process is connected to, else one of our own while this lasts.

    Parameters
    ----------
    code : sequence of str
        Packages and modules, by their paths, that every worker gets a copy of, as they are now. Who is connected to a
        cluster already sees to that.
    verbose : bool
        Whether Ray may show what it and its workers say. What the user must know of it, an observer hears.

    Raises
    ------
    UsageError
        There is no cluster at `address`, or it does not take the code.
    """
    if ray.is_initialized():
        yield
        return
    _check_answers(address)
    passed_on = {"env_vars": {name: os.environ[name] for name in _PASSED_ON if name in os.environ}}
    try:
        with tempfile.TemporaryDirectory(prefix="raygrid-") as empty:
            # Workers would look into this process' working directory first, and find what is there by then.
            copied = {"py_modules": list(code), "working_dir": empty}
            ray.init(
                address=address or "local",
                include_dashboard=None if address else False,
                log_to_driver=verbose,
                logging_level="INFO" if verbose else "CRITICAL",
                runtime_env=(passed_on if address else {}) | (copied if code else {}),
                _temp_dir=None if address else ray_folder(),
            )
    except RuntimeEnvSetupError as error:
        raise UsageError(f"{', '.join(code)}: cannot be sent to Ray's workers: {error}") from error
    except (ConnectionError, ValueError, RuntimeError) as error:
        if not address:
            raise
        message = _no_cluster(address, first_line(error))
        raise UsageError(f"{message}; if it wants a token: export RAY_AUTH_MODE=token") from error
    try:
        yield
    finally:
        ray.shutdown()


def ray_folder() -> str:
    """Return where a cluster of our own keeps its files: the usual folder, or a short one if its path is too long."""
    usual = Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()).absolute() / "ray"
    # The short one is Ray's where there is no TMPDIR.
    return str(usual) if len(os.fsencode(usual)) <= LONGEST_FOLDER_BYTES else "/tmp/ray"  # noqa: S108


def _check_answers(address: str | None) -> None:
    """Raise UsageError where nothing listens at HOST:PORT: Ray itself tries for a quarter of an hour."""
    host, separator, port = (address or "").rpartition(":")
    if not separator or not port.isdecimal():  # "auto", say
        return
    try:
        socket.create_connection((host.rpartition("/")[2], int(port)), timeout=_ANSWERS_IN_S).close()
    except OSError as error:
        raise UsageError(_no_cluster(address, error.strerror or str(error))) from error


def _no_cluster(address: str | None, reason: str) -> str:
    return f"--address {address}: got no Ray cluster ({reason}); start one, or leave it out"


def request(resources: Resources, times: int = 1) -> dict[str, float]:
    """Return what a trial asks Ray for: its resources so many times, as far as the largest node, and one card, go."""
    amounts = {name: getattr(resources, name) for name in _UNITS}
    wanted = {_UNITS[name][0]: amount * _UNITS[name][1] for name, amount in amounts.items() if amount}
    if times == 1:
        return wanted
    most = _largest_node() | {"GPU": 1}
    return {name: max(value, min(value * times, most.get(name, value))) for name, value in wanted.items()}


def fitting(resources: Mapping[str, Resources], observer: Observer, *, may_grow: bool) -> dict[str, Resources]:
    """Return what trials may use here: what they ask for, or what the largest node has; the difference is said once.

    So the grid file of a cluster runs on a laptop, and its GPU cells on CPUs where there is no GPU.

    Parameters
    ----------
    may_grow : bool
        Whether nodes may yet join: then what is asked for is waited for.
    """
    return {name: _fitting(name, wanted, observer, may_grow=may_grow) for name, wanted in resources.items()}


def _fitting(name: str, wanted: Resources, observer: Observer, *, may_grow: bool) -> Resources:
    largest = _largest_node()
    most = {field: largest.get(ray_name, 0) / unit for field, (ray_name, unit) in _UNITS.items()}
    lacking = [field for field in most if (getattr(wanted, field) or 0) > most[field]]
    for field in lacking:
        where = (
            f"resources: {name}: {field}: got {getattr(wanted, field):g}; no node here has more than {most[field]:.3g}"
        )
        if may_grow:
            observer.notice(f"{where}; its trials wait for one that has; --resources {name}:{field}=... asks for less")
        elif field == "gpus" and not most[field]:
            observer.notice(f"{where}; its trials run on CPUs")
        else:
            observer.notice(f"{where}; its trials get that")
    if may_grow:
        return wanted
    return wanted.model_copy(
        update={field: max(1, int(most[field])) if field == "cpus" else most[field] for field in lacking}
    )


def size() -> float:
    """Return how large the cluster is now: its GPUs; its CPUs where it has none."""
    total = ray.cluster_resources()
    return float(total.get("GPU") or total.get("CPU", 0))


def _largest_node() -> dict[str, float]:
    """Return the most that any living node has of each resource."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return {name: max(node.get(name, 0) for node in nodes) for node in nodes for name in node}
