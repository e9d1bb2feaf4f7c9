"""The Ray cluster that trials run on: one that is started for the run and stopped after it, or an existing one."""

import os
import secrets
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

# Set before Ray is imported, because Ray reads these at import.
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

from raygrid import host
from raygrid.engine import Observer
from raygrid.engine.ray import private
from raygrid.engine.ray.head import head_called
from raygrid.errors import UsageError
from raygrid.gridfile.resources import Resources
from raygrid.wording import first_line

# Environment variables that the workers of an existing cluster get from this process. Credentials are not among them,
# because Ray shows a job's environment to everyone who can see the cluster; nodes have credentials of their own.
_PASSED_ON = (
    *("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "KERAS_BACKEND", "RAYGRID_LOCAL_CACHE", "RAYGRID_CHECKPOINT_EVERY_S"),
    *("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"),
)

_ANSWERS_IN_S = 10
_COUNTED_EVERY_S = 5

# How long the path of Ray's folder may be. A socket's path has 107 bytes at most, on macOS 103, and Ray adds this:
# /session_2026-01-31_23-59-59_123456_1234567/sockets/plasma_store
LONGEST_FOLDER_BYTES = 103 - 65

# Field of `Resources` -> Ray's name for it, and how many of Ray's units it is.
_UNITS = {"cpus": ("CPU", 1), "gpus": ("GPU", 1), "memory_gb": ("memory", 1e9)}


@contextmanager
def connected(address: str | None, *, code: Sequence[str] = (), verbose: bool = False) -> Iterator[None]:
    """Use the cluster that this process is connected to, else the one at `address`, else one started for this block.

    Parameters
    ----------
    code : sequence of str
        Paths of packages and modules that are copied to every worker, as they are now. Where this process is already
        connected to a cluster, the caller has to do that.
    verbose : bool
        Whether to show the output of Ray and its workers. What the user must know goes to the observer in any case.

    Raises
    ------
    UsageError
        There is no cluster at `address`, or it does not take the code.
    """
    if ray.is_initialized():
        yield
        return
    _check_answers(address)
    if not address:
        _have_a_token()
    passed_on = {"env_vars": {name: os.environ[name] for name in _PASSED_ON if name in os.environ}}
    try:
        with tempfile.TemporaryDirectory(prefix="raygrid-") as empty:
            # An empty one, because workers would import from this process' working directory as it is then.
            copied = {"py_modules": list(code), "working_dir": empty}
            with private.sigterm_kept():
                ray.init(
                    address=address or "local",
                    num_cpus=None if address else allowed_cpus(),
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
    except Exception as error:  # Ray has no class of its own for it
        if private.STARTED_TOO_LATE not in str(error):
            raise
        raise UsageError(
            "Ray: got no answer from its own processes in 30 s; expected them to start, but this machine is too busy; "
            "give the same command again when it is less so, or add --engine inline"
        ) from error
    head = None
    try:
        with head_called(ray.get_runtime_context().gcs_address) as head:
            yield
    finally:
        if head and head.is_dead:
            private.leave_without_shutdown()
        else:
            ray.shutdown()


def _have_a_token() -> None:
    """Make the token of a cluster of our own, where Ray could not keep one because the home folder is not writable."""
    if not {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & set(os.environ):
        if not os.access(Path.home(), os.W_OK):
            os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex()  # the cluster's processes inherit it


def allowed_cpus() -> int | None:
    """Return how many CPUs this process may use, or None if it may use all: Ray counts those of the whole machine."""
    return None if host.cpus() == os.cpu_count() else host.cpus()


def ray_folder() -> str:
    """Return where a cluster of our own keeps its files: the usual folder, or a short one if its path is too long."""
    usual = Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()).absolute() / "ray"
    # The short one is Ray's where there is no TMPDIR.
    return str(usual) if len(os.fsencode(usual)) <= LONGEST_FOLDER_BYTES else "/tmp/ray"  # noqa: S108


def _check_answers(address: str | None) -> None:
    """Raise UsageError if nothing listens at HOST:PORT, because Ray itself would try for 15 minutes."""
    name, separator, port = (address or "").rpartition(":")
    if not separator or not port.isdecimal():  # "auto", say
        return
    try:
        socket.create_connection((name.rpartition("/")[2], int(port)), timeout=_ANSWERS_IN_S).close()
    except OSError as error:
        raise UsageError(_no_cluster(address, error.strerror or str(error))) from error


def _no_cluster(address: str | None, reason: str) -> str:
    return f"--address {address}: got no Ray cluster ({reason}); start one, or leave it out"


def request(resources: Resources, times: int = 1) -> dict[str, float]:
    """Return what a trial asks Ray for: `times` its resources, but at most the largest node and at most one card."""
    amounts = {name: getattr(resources, name) for name in _UNITS}
    wanted = {_UNITS[name][0]: amount * _UNITS[name][1] for name, amount in amounts.items() if amount}
    if times == 1:
        return wanted
    most = _largest_node() | {"GPU": 1}
    return {name: max(value, min(value * times, most.get(name, value))) for name, value in wanted.items()}


def fitting(resources: Mapping[str, Resources], observer: Observer, *, may_grow: bool) -> dict[str, Resources]:
    """Return what trials may use here: what they ask for, or what the largest node has; the observer gets a notice.

    So a grid file written for a cluster also runs on a laptop, and its GPU cells run on CPUs if there is no GPU.

    Parameters
    ----------
    may_grow : bool
        Whether further nodes may join the cluster: then trials wait for what they ask for.
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
    """Return the present size of the cluster: the number of its GPUs, or of its CPUs if it has no GPU."""
    total = ray.cluster_resources()
    return float(total.get("GPU") or total.get("CPU", 0))


def cpus() -> float:
    """Return how many CPUs the cluster has, or had some seconds ago."""
    return _cpus(int(time.monotonic() / _COUNTED_EVERY_S))


@lru_cache(maxsize=1)
def _cpus(period: int) -> float:
    return float(ray.cluster_resources().get("CPU", 1))


def _largest_node() -> dict[str, float]:
    """Return the most that any living node has of each resource."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return {name: max(node.get(name, 0) for node in nodes) for node in nodes for name in node}
