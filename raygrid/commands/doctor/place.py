"""Checks of the place: whether this is a job of Slurm or a pod of Kubernetes, and which file of deploy/ fits."""

import os
import shutil
from collections.abc import Iterator

from raygrid.commands.doctor.finding import Finding


def scheduler() -> Iterator[Finding]:
    """Yield what schedules work here; none is wrong, because a run without `--address` uses this machine alone."""
    job = os.environ.get("SLURM_JOB_ID")
    if job:
        n_nodes = int(os.environ.get("SLURM_JOB_NUM_NODES", 1))
        others = f"; a run uses this node alone, deploy/slurm.sbatch all {n_nodes}" if n_nodes > 1 else ""
        yield Finding(True, f"Slurm: in job {job}{others}")
    elif shutil.which("sbatch"):
        yield Finding(True, "Slurm: outside of a job; sbatch deploy/slurm.sbatch runs a grid in one")
    if "KUBERNETES_SERVICE_HOST" in os.environ:
        yield Finding(True, "Kubernetes: in a pod; deploy/rayjob.yaml runs a grid on pods that come and go")
