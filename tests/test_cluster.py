"""The cluster files are what Ray's own schema and AWS' description of its API accept, and what we mean by them."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


@pytest.fixture(scope="module", params=["cluster.yaml", "deploy/cluster-gcp.yaml"])
def cluster(request):
    return yaml.safe_load((ROOT / request.param).read_text())


@pytest.fixture(scope="module")
def aws():
    return yaml.safe_load((ROOT / "cluster.yaml").read_text())


@pytest.fixture(scope="module")
def gcp():
    return yaml.safe_load((ROOT / "deploy" / "cluster-gcp.yaml").read_text())


def nodes(cluster):
    """Return what the head and the workers are."""
    types = cluster["available_node_types"]
    return types[cluster["head_node_type"]], types["gpu_worker"]


def test_ray_accepts_it(cluster):
    from ray.autoscaler._private.util import prepare_config, validate_config

    validate_config(prepare_config(cluster))


def test_ray_would_not_accept_any_file(aws):
    from jsonschema import ValidationError
    from ray.autoscaler._private.util import prepare_config, validate_config

    with pytest.raises(ValidationError):
        validate_config(prepare_config(aws | {"idle_timeout": 10}))


def test_the_head_runs_no_trials_and_workers_may_all_go(cluster):
    head, worker = nodes(cluster)
    assert head["resources"] == {"CPU": 0, "GPU": 0}
    assert worker["min_workers"] == 0 < worker["max_workers"] <= cluster["max_workers"]
    assert 0 < cluster["idle_timeout_minutes"] <= 15


def test_the_image_has_the_ray_and_a_python_that_raygrid_is_tested_with(cluster):
    ray, minor = re.fullmatch(r"rayproject/ray:([\d.]+)-py3(\d+)-gpu", cluster["docker"]["image"]).groups()
    assert ray == version("ray")
    assert int(minor) >= 11
    assert cluster["docker"]["pull_before_run"]


def test_raygrid_itself_is_installed_on_every_node_with_what_it_needs_there(cluster):
    project = next(place for place, source in cluster["file_mounts"].items() if source == ".")
    (everywhere,), (on_workers,) = cluster["setup_commands"], cluster["worker_setup_commands"]
    assert f"'ray[default,tune]=={version('ray')}'" in everywhere  # pip must not put another in its place
    store = {"aws": "s3", "gcp": "gcs"}[cluster["provider"]["type"]]
    assert f"'{project}[{store}]'" in everywhere
    assert f"'{project}[gpu]'" in on_workers
    assert {store, "gpu"} <= set(EXTRAS)
    assert ".git" in cluster["rsync_exclude"] and ".gitignore" in cluster["rsync_filter"]


def test_strangers_are_kept_off(cluster):
    assert cluster["file_mounts"]["/home/ray/.ray/auth_token"] == "~/.ray/auth_token"
    starts = [cluster["head_start_ray_commands"][-1], cluster["worker_start_ray_commands"][-1]]
    assert all(start.startswith("export RAY_AUTH_MODE=token; ulimit -n 65536; ray start ") for start in starts)
    assert "--dashboard-host" not in starts[0]  # the dashboard, which runs jobs, answers the head alone


def test_aws_would_accept_the_machines(aws):
    """The parameters and the instance types of RunInstances are those that botocore knows."""
    from botocore.session import get_session
    from botocore.validate import ParamValidator

    model = get_session().get_service_model("ec2")
    for node in nodes(aws):
        config = node["node_config"]
        asked = config | {"MinCount": 1, "MaxCount": 1}
        faults = ParamValidator().validate(asked, model.operation_model("RunInstances").input_shape)
        assert not faults.has_errors(), faults.generate_report()
        assert config["InstanceType"] in model.shape_for("InstanceType").enum
        assert set(config) <= {"InstanceType", "InstanceMarketOptions", "IamInstanceProfile", "BlockDeviceMappings"}
    assert "spot" in model.shape_for("MarketType").enum


def test_on_aws_the_head_is_on_demand_and_workers_are_spot_machines_that_may_use_s3(aws):
    head, worker = (node["node_config"] for node in nodes(aws))
    assert "InstanceMarketOptions" not in head
    assert worker["InstanceMarketOptions"] == {"MarketType": "spot"}
    assert worker["InstanceType"].startswith("g5.")
    assert worker["IamInstanceProfile"] == {"Name": "raygrid-worker"}
    zones = aws["provider"]["availability_zone"].split(",")
    assert len(zones) >= 3  # spot machines run out in one zone at a time
    assert all(re.fullmatch(re.escape(aws["provider"]["region"]) + "[a-z]", zone) for zone in zones)


def test_on_google_cloud_the_head_is_on_demand_and_workers_are_spot_machines_with_a_card(gcp):
    head, worker = (node["node_config"] for node in nodes(gcp))
    assert "scheduling" not in head and "guestAccelerators" not in head
    assert worker["scheduling"] == {"provisioningModel": "SPOT", "onHostMaintenance": "TERMINATE"}
    (card,) = worker["guestAccelerators"]
    assert nodes(gcp)[1]["resources"] == {"CPU": int(worker["machineType"].rpartition("-")[2]), "GPU": 1}
    assert card["acceleratorCount"] == 1
    assert re.fullmatch(re.escape(gcp["provider"]["region"]) + "-[a-z]", gcp["provider"]["availability_zone"])
    (account,) = worker["serviceAccounts"]
    assert account["email"] == f"ray-autoscaler-sa-v1@{gcp['provider']['project_id']}.iam.gserviceaccount.com"
