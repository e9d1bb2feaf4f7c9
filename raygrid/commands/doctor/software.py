"""Checks of the software: Python, libraries, the Keras backend, and whether it sees the machine's cards."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, metadata, packages_distributions, requires, version

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from raygrid.commands.doctor.finding import Finding
from raygrid.errors import choices

BACKENDS = ("tensorflow", "jax", "torch")
_GPU_BUILDS = {"tensorflow": "tensorflow[and-cuda]", "jax": "jax[cuda12]", "torch": "torch"}


def python() -> Iterator[Finding]:
    """Yield whether this Python is one that raygrid asks for."""
    got, wanted = ".".join(map(str, sys.version_info[:3])), metadata("raygrid")["Requires-Python"]
    ok = SpecifierSet(wanted).contains(got)
    yield Finding(ok, f"Python {got}", "" if ok else f"expected {wanted}; install such a Python")


def libraries() -> Iterator[Finding]:
    """Yield which libraries are missing or of a wrong version, then how many are right."""
    wanted = [Requirement(text) for text in requires("raygrid") or ()]
    wanted = [one for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]
    wrong = [finding for one in wanted if (finding := library(one))]
    yield from wrong
    yield Finding(True, f"libraries: {len(wanted) - len(wrong)} of {len(wanted)} as raygrid asks for them")


def library(wanted: Requirement) -> Finding | None:
    """Return what is wrong with one library, or None; a build such as tensorflow-cpu counts as its library."""
    got = installed(wanted.name)
    if not got:
        builds = packages_distributions().get(wanted.name.replace("-", "_"), ())
        got = next(filter(None, map(installed, builds)), "")
    if got and wanted.specifier.contains(got, prereleases=True):
        return None
    what = f"{wanted.name}: got {got or 'nothing'}; expected {wanted.specifier or 'any version'}"
    return Finding(False, what, f"pip install '{wanted.name}{wanted.specifier}'")


def installed(name: str) -> str:
    """Return the version of a distribution, or an empty string where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def keras_backend() -> Iterator[Finding]:
    """Yield whether the backend that KERAS_BACKEND names is one that raygrid works on."""
    name = _backend()
    ok = name in BACKENDS
    yield Finding(ok, f"Keras backend: {name}" if ok else f"KERAS_BACKEND: {choices(name, BACKENDS)}")


def _backend() -> str:
    return os.environ.get("KERAS_BACKEND", "tensorflow")


def gpus(wanted: Mapping[str, float]) -> Iterator[Finding]:
    """Yield whether Keras, started in another process, sees this machine's cards, and as many as the grid asks for.

    Parameters
    ----------
    wanted : mapping
        How many a trial asks for, by the name of its classifier.
    """
    name, cards = _backend(), _cards()
    if name not in BACKENDS:
        return
    code = "import json; from raygrid.networks.keras_backend import gpus; print(json.dumps(gpus()))"
    probe = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)  # noqa: S603
    if probe.returncode:
        reason = (probe.stderr.strip().splitlines() or ["no message"])[-1]
        yield Finding(False, f"{name} does not start: {reason}", f"pip install {name}, or set KERAS_BACKEND to another")
        return
    seen = json.loads(probe.stdout.splitlines()[-1])
    found = f"GPUs: {name} sees {len(seen)} of {len(cards)}" + "".join(f", {card}" for card in cards)
    hidden = len(seen) < len(cards) and "CUDA_VISIBLE_DEVICES" not in os.environ
    yield Finding(not hidden, found, f"pip install '{_GPU_BUILDS[name]}', a build for them" if hidden else "")
    yield from too_few_gpus(
        wanted, len(seen), who="this machine has", then="its trials run on CPUs where there is none"
    )


def _cards() -> list[str]:
    """Return the names that the driver gives to this machine's NVIDIA cards."""
    smi = shutil.which("nvidia-smi")
    if not smi:
        return []
    command = [smi, "--query-gpu=name", "--format=csv,noheader"]
    listed = subprocess.run(command, capture_output=True, text=True)  # noqa: S603
    return [] if listed.returncode else listed.stdout.splitlines()


def too_few_gpus(wanted: Mapping[str, float], available: float, *, who: str, then: str) -> Iterator[Finding]:
    """Yield a line for each classifier whose trials ask for more GPUs than `who` has; `then` says how a run goes on."""
    for name, gpus_asked in wanted.items():
        if gpus_asked > available:
            yield Finding(True, f"resources: {name}: got gpus {gpus_asked:g}; {who} {available:g}: {then}")
