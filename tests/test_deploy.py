"""The files of deploy/ for Kubernetes and SkyPilot are what their own schemas accept, and what we mean by them."""

import copy
import re
import shlex
import tomllib
from importlib.metadata import version
from pathlib import Path

import kubernetes_validate
import pytest
import typer
import yaml

from raygrid import cli

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
FIELDS = {  # of a RayJob and its cluster, in KubeRay 1.5.1 to 1.7.0: tested against its schema, which is not kept here
    "job": {"entrypoint", "submissionMode", "shutdownAfterJobFinishes", "ttlSecondsAfterFinished", "backoffLimit"}
    | {"submitterConfig", "rayClusterSpec"},
    "cluster": {"rayVersion", "authOptions", "enableInTreeAutoscaling", "autoscalerOptions", "headGroupSpec"}
    | {"workerGroupSpecs"},
    "workers": {"groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"},
}


def run_of(command: str) -> dict[str, object]:
    """Return the options of a command, which must be a run that raygrid understands."""
    program, verb, *given = shlex.split(command)
    assert (program, verb) == ("raygrid", "run")
    run = typer.main.get_command(cli.app).commands["run"]
    return run.make_parser(typer.Context(run)).parse_args(args=list(given))[0] | {"file": given[0]}


@pytest.fixture(scope="module")
def job():
    """What the RayJob asks for."""
    content = yaml.safe_load((DEPLOY / "rayjob.yaml").read_text())
    assert (content["apiVersion"], content["kind"]) == ("ray.io/v1", "RayJob")
    return content["spec"]


@pytest.fixture(scope="module")
def groups(job):
    """The head and the workers."""
    (workers,) = job["rayClusterSpec"]["workerGroupSpecs"]
    return {"head": job["rayClusterSpec"]["headGroupSpec"], "workers": workers}


def test_the_rayjob_has_fields_that_kuberay_knows(job, groups):
    assert job.keys() <= FIELDS["job"]
    assert job["rayClusterSpec"].keys() <= FIELDS["cluster"]
    assert groups["workers"].keys() <= FIELDS["workers"]
    assert groups["head"].keys() <= {"rayStartParams", "template"}
    assert all(isinstance(value, str) for group in groups.values() for value in group["rayStartParams"].values())


def check_pod(group):
    """Check a group's pod against Kubernetes' own schema."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, **copy.deepcopy(group["template"])}
    kubernetes_validate.validate(pod, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("name", ["head", "workers"])
def test_kubernetes_accepts_the_pods(name, groups):
    check_pod(groups[name])


def test_kubernetes_would_not_accept_any_pod(groups):
    wrong = copy.deepcopy(groups["workers"])
    wrong["template"]["spec"]["toleration"] = wrong["template"]["spec"].pop("tolerations")
    with pytest.raises(kubernetes_validate.ValidationError):
        check_pod(wrong)


def test_the_head_runs_no_trials_and_is_no_spot_machine(groups):
    head, workers = groups["head"], groups["workers"]
    assert head["rayStartParams"] == {"num-cpus": "0", "num-gpus": "0"}
    assert not {"nodeSelector", "tolerations"} & head["template"]["spec"].keys()
    spec = workers["template"]["spec"]
    tolerated = {one["key"] for one in spec["tolerations"]}
    assert spec["nodeSelector"].keys() | {"nvidia.com/gpu"} == tolerated
    (container,) = spec["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"


def test_workers_may_all_go_and_nothing_is_left_in_the_end(job, groups):
    assert job["rayClusterSpec"]["enableInTreeAutoscaling"]
    assert groups["workers"]["minReplicas"] == groups["workers"]["replicas"] == 0 < groups["workers"]["maxReplicas"]
    assert job["shutdownAfterJobFinishes"] and job["ttlSecondsAfterFinished"] <= 600
    assert 0 < job["rayClusterSpec"]["autoscalerOptions"]["idleTimeoutSeconds"] <= 900


def test_both_groups_run_the_image_with_the_ray_that_raygrid_is_tested_with(job, groups):
    head, workers = (group["template"]["spec"]["containers"][0] for group in groups.values())
    assert (head["image"], head["envFrom"]) == (workers["image"], workers["envFrom"])
    assert job["rayClusterSpec"]["rayVersion"] == version("ray")
    assert job["rayClusterSpec"]["authOptions"] == {"mode": "token"}
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    ray, minor = re.search(r"^FROM rayproject/ray:([\d.]+)-py3(\d+)-gpu$", dockerfile, re.MULTILINE).groups()
    assert ray == version("ray") and int(minor) >= 11
    assert f"'ray[default,tune]=={version('ray')}'" in dockerfile  # pip must not put another in its place
    extras = re.search(r"'\.\[([\w,]+)\]'", dockerfile)[1]
    assert {"gpu", "s3", "gcs"} == set(extras.split(",")) <= set(EXTRAS)
    assert all(f"'{requirement}'" in dockerfile for requirement in EXTRAS["gpu"])  # in the layer that is kept
    assert head["image"] in dockerfile


def test_the_image_has_all_that_its_steps_copy_and_the_grid_file_of_the_job(job):
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    copied = [
        name for line in re.findall(r"^COPY --chown=\S+ (.+) \S+$", dockerfile, re.MULTILINE) for name in line.split()
    ]
    let_in = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().split() if line.startswith("!")}
    assert set(copied) == let_in and all((ROOT / name).exists() for name in copied)
    options = run_of(job["entrypoint"])
    assert options["address"] == "auto" and options["store"] and options["cache"]
    workdir = re.search(r"^WORKDIR (\S+)$", dockerfile, re.MULTILINE)[1]
    assert (ROOT / Path(options["file"]).relative_to(workdir)).exists()


@pytest.fixture(scope="module")
def task():
    return yaml.safe_load((DEPLOY / "skypilot.yaml").read_text())


def test_skypilot_loads_the_task():
    sky = pytest.importorskip("sky", reason="skypilot is not installed: it takes 0.5 GB, and no extra has it")
    loaded = sky.Task.from_yaml(str(DEPLOY / "skypilot.yaml"))
    assert all(resources.use_spot for resources in loaded.resources)
    assert {next(iter(resources.accelerators)) for resources in loaded.resources} == {"L4", "A10G", "T4"}


def test_the_task_is_a_spot_job_whose_command_can_be_given_again(task):
    assert task["resources"]["use_spot"] and task["resources"]["job_recovery"]["strategy"] == "EAGER_NEXT_REGION"
    *_, command = task["run"].strip().splitlines()
    options = run_of(command)
    assert all(str(options[name]).startswith("$BUCKET/") for name in ("store", "cache"))
    assert "address" not in options
    assert (ROOT / options["file"]).exists()
    assert set(re.search(r"'\.\[([\w,]+)\]'", task["setup"])[1].split(",")) <= set(EXTRAS)
