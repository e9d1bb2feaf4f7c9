"""Checks of the system: what Ray needs on this machine, or on a cluster, to start and to work well."""

import os
import resource
import shutil
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from raygrid.commands.doctor.finding import Finding
from raygrid.commands.doctor.software import installed, too_few_gpus
from raygrid.errors import UsageError
from raygrid.wording import first_line

HEAD_PORT, DASHBOARD_PORT = 6379, 8265
_OPEN_FILES = 4096  # below this Ray itself warns


def open_files() -> Iterator[Finding]:
    """Yield whether a process may open as many files as Ray's processes do."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)  # Ray raises the soft limit itself
    ok = hard == resource.RLIM_INFINITY or hard >= _OPEN_FILES
    limit = "no limit" if hard == resource.RLIM_INFINITY else f"at most {hard}"
    yield Finding(ok, f"open files: {limit}", "" if ok else f"expected {_OPEN_FILES}; raise it: ulimit -Hn 65536")


def shared_memory() -> Iterator[Finding]:
    """Yield whether there is room for Ray's object store, by default 30% of the memory."""
    place = Path("/dev/shm")  # noqa: S108
    if not place.is_dir():  # not Linux: Ray uses files
        return
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    free, wanted = shutil.disk_usage(place).free / 1e9, 0.3 * memory / 1e9
    ok = free >= wanted
    do = f"expected {wanted:.1f} GB, 30% of the memory; in a container: docker run --shm-size={wanted * 1.1:.0f}gb"
    yield Finding(ok, f"shared memory: {free:.1f} GB free in {place}", "" if ok else do)


def ports() -> Iterator[Finding]:
    """Yield who uses the ports of a cluster's head; none is wrong, because a run on this machine alone takes others."""
    yield _port(HEAD_PORT, "--port")
    yield _port(DASHBOARD_PORT, "--dashboard-port")


def _port(port: int, option: str) -> Finding:
    if not _listens(port):
        return Finding(True, f"port {port}: free")
    if _is_rays(port):
        return Finding(True, f"port {port}: a Ray cluster's; --address auto joins it")
    return Finding(True, f"port {port}: another program's; a cluster's head needs ray start --head {option}=ANOTHER")


def _listens(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0


def _is_rays(port: int) -> bool:
    """Whether a cluster's head listens at the port: its control store, or its dashboard, which may ask for a token."""
    from raygrid.engine.ray import probe

    if port == HEAD_PORT:
        return port in probe.heads()
    try:
        with urlopen(f"http://127.0.0.1:{port}/api/version", timeout=3) as response:
            return b"ray_version" in response.read()
    except HTTPError as error:
        return b"authentication token" in error.read()
    except OSError:
        return False


def ray(wanted: Mapping[str, float], address: str | None) -> Iterator[Finding]:
    """Yield whether Ray starts here, or a cluster answers at the address, with the GPUs that the grid asks for.

    Parameters
    ----------
    wanted : mapping
        How many a trial asks for, by the name of its classifier.
    """
    from raygrid.engine.ray import probe

    try:
        found = probe.resources(address)
    except UsageError as error:
        yield Finding(False, str(error))
    except Exception as error:  # whatever it is, it is what a run would meet
        reason = f"{type(error).__name__}: {first_line(error)}"
        yield Finding(False, f"Ray {installed('ray')} does not start: {reason}", "see /tmp/ray/session_latest/logs")
    else:
        has = f"{found.get('CPU', 0):g} CPUs, {found.get('GPU', 0):g} GPUs, {found.get('memory', 0) / 1e9:.1f} GB"
        yield Finding(True, f"Ray {installed('ray')}: {address or 'starts here'}: {has}")
        if address:
            then = "its trials wait until a node joins that has so many"  # as one does that scales from zero
            yield from too_few_gpus(wanted, found.get("GPU", 0), who="the cluster has now", then=then)
