"""What the doctor finds, on the machine as it is and on one that something is made wrong of."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement

from raygrid.cells import Cell
from raygrid.classifiers.svm import Svm
from raygrid.commands.doctor import needs, place, software, speed, system
from raygrid.commands.job import open_job
from raygrid.datasets import DATASETS, FromPath
from raygrid.errors import DataError
from raygrid.folds import fold_of
from raygrid.host import Runtime
from raygrid.imbalance import Harmonic, Natural
from raygrid.representations.image import Raw
from raygrid.resampling import RESAMPLERS, NoResampling
from raygrid.splits import Holdout, Official


@pytest.fixture
def job(grid_file, tmp_path):
    """Open the tiny grid, with changes."""

    def opened(store=tmp_path / "store", cache=tmp_path / "cache", **changes):
        return open_job(grid_file(**changes), stores=[store], cache=cache, only=[])

    return opened


def wrong(found):
    return [str(finding) for finding in found if not finding.ok]


@pytest.mark.slow
def test_a_grid_that_runs_here_has_nothing_wrong(cluster, raygrid, grid_file, tmp_path):
    code, out, err = raygrid("doctor", grid_file(), "--store", tmp_path / "store")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert all(line.startswith("ok    ") for line in lines)
    for part in ("Python 3.", "libraries: ", "Keras backend: ", "digits: here", "store: ", "cache: ", "Ray 2."):
        assert sum(line[6:].startswith(part) for line in lines) == 1, part
    assert not (tmp_path / "store").exists()


@pytest.mark.slow
def test_what_is_wrong_is_a_line_with_what_to_do_and_exit_code_1(cluster, raygrid, grid_file, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "tensorflaw")
    code, out, err = raygrid("doctor")
    assert (code, err) == (1, "")
    assert [line for line in out.splitlines() if not line.startswith("ok")] == [
        "WRONG KERAS_BACKEND: got 'tensorflaw'; expected one of tensorflow, jax, torch; did you mean 'tensorflow'?"
    ]
    assert "store" not in out


def test_a_grid_file_with_a_fault_is_a_mistake(raygrid, grid_file):
    code, out, err = raygrid("doctor", grid_file(fold=3))
    assert (code, out) == (2, "")
    assert "unknown key: got 'fold'" in err


@pytest.mark.parametrize(
    ("requirement", "line"),
    [
        ("numpy>=2", None),
        ("numpy<1.26", "WRONG numpy: got 2.{}; expected <1.26; pip install 'numpy<1.26'"),
        ("no-such-library>=3", "WRONG no-such-library: got nothing; expected >=3; pip install 'no-such-library>=3'"),
        ("PyYAML>=6", None),
        ("sklearn", None),  # the distribution is scikit-learn: other builds have other names
    ],
)
def test_a_library_is_there_in_the_right_version(requirement, line):
    import numpy as np

    found = software.library(Requirement(requirement))
    assert (found and str(found)) == (line and line.format(np.__version__[2:]))


def test_every_library_that_raygrid_asks_for_is_looked_at():
    (last,) = [finding for finding in software.libraries() if finding.what.startswith("libraries: ")]
    n_right, n = last.what.split()[1:4:2]
    assert int(n) >= 15
    assert int(n) - int(n_right) == len(wrong(software.libraries()))


def test_gpus_that_the_grid_asks_for_and_the_machine_has_not(job):
    wanted = {name: share.gpus for name, share in job(resources={"svm": {"gpus": 0.5}}).grid.resources.items()}
    found = software.too_few_gpus(wanted, 0, who="this machine has", then="its trials run on CPUs")
    assert [str(finding) for finding in found] == [
        "ok    resources: svm: got gpus 0.5; this machine has 0: its trials run on CPUs"
    ]
    assert list(software.too_few_gpus(wanted, 1, who="this machine has", then="its trials run on CPUs")) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "line"),
    [
        ([], "this machine has 0: its trials run on CPUs where there is none"),
        (["--address", "auto"], "the cluster has now 0: its trials wait until a node joins that has so many"),
    ],
    ids=["a laptop", "a cluster that scales from zero"],
)
def test_a_grid_for_gpus_is_not_wrong_where_there_are_none(cluster, raygrid, grid_file, tmp_path, options, line):
    import ray

    if ray.cluster_resources().get("GPU"):
        pytest.skip("there is a card")
    grid = grid_file(resources={"svm": {"gpus": 0.5}})
    code, out, _ = raygrid("doctor", grid, "--store", tmp_path / "store", *options)
    assert code == 0, out
    assert f"ok    resources: svm: got gpus 0.5; {line}" in out.splitlines()


@pytest.mark.slow
def test_a_card_that_the_backend_does_not_see(tmp_path, monkeypatch):
    """The driver's program is made up here: it finds a card where there is none."""
    smi = tmp_path / "nvidia-smi"
    smi.write_text("#!/bin/sh\necho NVIDIA T4\n")
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if shutil.which("nvidia-smi", path=os.environ["PATH"].partition(":")[2]):
        pytest.skip("there is a card")
    assert wrong(software.gpus({})) == [
        "WRONG GPUs: tensorflow sees 0 of 1, NVIDIA T4; pip install 'tensorflow[and-cuda]', a build for them"
    ]


@pytest.mark.slow
def test_a_backend_that_does_not_start(monkeypatch, tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('no library libcudart')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert wrong(software.gpus({})) == [
        "WRONG torch does not start: ImportError: no library libcudart; pip install torch, or set KERAS_BACKEND to "
        "another"
    ]


def test_data_that_are_still_to_be_downloaded(job, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    features = {"name": "features", "alpha": 1.0, "weights": "imagenet"}
    arms = [{"representation": features, "classifier": "svm", "resamplers": ["none"]}]
    found = [str(finding) for finding in needs.files(job(datasets=["mnist", "cifar10", "stl10"], arms=arms))]
    assert {line[:6] for line in found} == {"ok    "}
    assert [line[6:].replace("will be downloaded (not tried): ", "") for line in found] == [
        "mnist: 11 MB from https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
        f"features: at most 17 MB to {tmp_path}/models/mobilenet_1_0_224_tf_no_top.h5",
        "cifar10: 170 MB from https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "stl10: 2640 MB from http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
    ]


@pytest.mark.parametrize(
    ("name", "file"),
    [("mnist", "mnist.npz"), ("cifar10", "cifar-10-batches-py.tar.gz"), ("stl10", "stl10_binary.tar.gz")],
)
def test_data_that_broke_off(name, file, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    path = tmp_path / "datasets" / file
    path.parent.mkdir()
    path.write_bytes(b"half of it")
    (found,) = _files(DATASETS[name]())
    assert not found.ok
    assert found.what.startswith(f"{name}: {path}: got sha256:")


def test_data_of_the_users_own(tmp_path):
    np.savez(tmp_path / "mine.npz", X=np.full((4, 30, 30), 0.5), y=np.array([0, 1, 0, 1]))
    level = FromPath(name="mine", path=tmp_path / "mine.npz")
    assert [str(finding) for finding in _files(level)] == [
        "ok    mine: here, 4 images of 2 classes; numbers from 0 to 1, scaled to 0 .. 255"
    ]
    os.truncate(tmp_path / "mine.npz", 20_000)
    assert wrong(_files(level)) == [f"WRONG mine: {tmp_path}/mine.npz: got no complete .npz file; get it anew"]
    (tmp_path / "mine.txt").write_text("")
    assert wrong(_files(FromPath(name="mine", path=tmp_path / "mine.txt")))[0].startswith(
        f"WRONG mine: {tmp_path}/mine.txt: got .txt; expected an .npz"
    )


def test_broken_images_are_found_in_the_words_of_run(tmp_path):
    folder = tmp_path / "mine"
    for name in ("a/1.png", "a/2", "b/3.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    level = FromPath(name="mine", path=folder)
    found = wrong(_files(level))
    with pytest.raises(DataError) as refused:
        level.load(32, "nearest")
    assert found == [f"WRONG {line}" for line in str(refused.value).splitlines()]
    assert len(found) == 3
    assert level.n_images() == 3
    (folder / "a/deeper").mkdir()
    (folder / "a/deeper/x.png").write_bytes(b"")
    assert level.n_images() is None


def test_the_images_of_a_folder_are_counted_zipped_or_not(tmp_path):
    for name in ("train/a/1.png", "train/b/2.JPG", "test/a/3.png", "test/b/4", "test/b/desktop.ini", "readme.txt"):
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_bytes(b"")
    zipped = shutil.make_archive(str(tmp_path / "mine"), "zip", tmp_path / "mine")
    assert FromPath(name="mine", path=tmp_path / "mine").n_images() == 4
    assert FromPath(name="mine", path=Path(zipped)).n_images() == 4


def test_a_data_set_that_the_grid_cannot_split_is_found_in_the_words_of_run(tmp_path):
    np.savez(tmp_path / "mine.npz", X=np.zeros((12, 30, 30), np.uint8), y=np.repeat([0, 1], [10, 2]))
    level = FromPath(name="mine", path=tmp_path / "mine.npz")
    with pytest.raises(DataError) as refused:
        fold_of(_cell(level, split=Official()), level.load(32, "nearest"))
    assert wrong(_files(level, split=Official())) == [f"WRONG {refused.value}"]
    assert [str(finding) for finding in _files(level, resampler=RESAMPLERS["smote"]())] == [
        "ok    mine: here, 12 images of 2 classes; its class sizes make 1 cell infeasible; `plan` says why"
    ]
    assert str(_files(level, imbalance=Harmonic(ir=50))[0]).endswith("make 1 cell infeasible; `plan` says why")


def _cell(level, **changes):
    shared = {"fold": 0, "image_size": 32, "interpolation": "nearest", "seed": 0, "split": Holdout(test=0.5)}
    levels = {"imbalance": Natural(), "representation": Raw(), "resampler": NoResampling(), "classifier": Svm()}
    return Cell(dataset=level, **{**levels, **shared, **changes})


def _files(level, **changes):
    """Return what is found of one data set, as if it were a grid's only one."""

    class Job:
        cells = (_cell(level, **changes),)

    return list(needs.files(Job))


def test_weights_that_are_no_weights(job, tmp_path):
    (tmp_path / "my.weights.h5").write_text("<html>not found</html>")
    features = {"name": "features", "alpha": 0.25, "weights": "my.weights.h5"}
    arms = [{"representation": features, "classifier": "svm", "resamplers": ["none"]}]
    assert wrong(needs.files(job(arms=arms))) == [
        f"WRONG weights {tmp_path}/my.weights.h5: got no HDF5 file; expected a Keras weights file without top"
    ]


def test_room_for_what_is_to_come(job, tmp_path):
    store, cache = needs.places(job())
    assert (store.ok, cache.ok) == (True, True)
    assert store.what.endswith(" GB free; at most 0.0008 GB to come")
    # 1,797 digits: 32 x 32 x 3 bytes of pixels, and 256 features of 4 bytes.
    assert cache.what.endswith(f" GB free; at most {1797 * (3072 + 1024) / 1e9:.2g} GB to come")
    assert not list(tmp_path.glob("[sc]*"))


def test_what_is_trained_takes_room_for_every_fold_and_ir(job):
    arms = [{"representation": {"name": "autoencoder", "code_size": 5000}, "classifier": "svm", "resamplers": ["none"]}]
    _, cache = needs.places(job(arms=arms, folds=2, imbalance_ratios=[2, 10]))
    # 5,000 numbers of 4 bytes each for all images, which is more than a fold has.
    assert cache.what.endswith(f" GB free; at most {(1797 * 3072 + 4 * 1797 * 20_000) / 1e9:.2g} GB to come")


def test_what_is_cached_needs_no_room(job, cache):
    from raygrid.inputs import load_inputs

    opened = job(cache=cache.root)
    load_inputs(opened.cells[0], opened.cache, Runtime())
    assert [*needs.places(opened)][1].what.endswith("; at most 0 GB to come")


def test_too_little_room(job):
    image = {"representation": "image", "classifier": {"name": "cnn", "alpha": 0.25}, "resamplers": ["none"]}
    (line,) = wrong(needs.places(job(image_size=1_000_000, arms=[image])))
    assert line.startswith("WRONG cache: ")
    assert line.endswith(" GB free; at most 5.4e+06 GB to come; make room, or name another")


def test_places_that_cannot_be_written(job, tmp_path):
    (tmp_path / "file").write_text("")
    lines = wrong(needs.places(job(store=tmp_path / "file" / "store", cache=tmp_path / "file")))
    assert [line.partition(":")[0] for line in lines] == ["WRONG store", "WRONG cache"]
    assert "Not a directory" in lines[0]


def test_a_store_at_a_url(job, s3, bucket):
    store, cache = needs.places(job(store=f"{bucket}/run", cache=f"{bucket}/cache"))
    assert (str(store), cache.ok) == (
        f"ok    store: {bucket}/run: can be written, read and deleted; at most 0.0008 GB to come",
        True,
    )
    assert s3.content(f"{bucket}/run") == {}


def test_a_store_at_a_url_that_is_not_there(job, s3):
    (line,) = wrong(needs.places(job(store="s3://no-such-bucket/run")))
    assert line.startswith("WRONG store: s3://no-such-bucket/run: got ")
    assert line.endswith("; name another place, or get the right to write there")


def test_too_few_open_files():
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 1024))\n"
        "from raygrid.commands.doctor import system; print(*system.open_files())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout == "WRONG open files: at most 1024; expected 4096; raise it: ulimit -Hn 65536\n", run.stderr


def test_shared_memory_is_measured():
    if not Path("/dev/shm").is_dir():
        assert list(system.shared_memory()) == []
        return
    (found,) = system.shared_memory()
    assert found.what.endswith(" GB free in /dev/shm")
    assert bool(found.do) == (not found.ok)


def test_a_port_that_another_program_has():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert str(system._port(port, "--port")) == (
            f"ok    port {port}: another program's; a cluster's head needs ray start --head --port=ANOTHER"
        )
    assert str(system._port(port, "--port")) == f"ok    port {port}: free"


@pytest.mark.slow
def test_the_head_of_a_cluster_is_known_by_its_port(cluster):
    import ray

    from raygrid.engine.ray import probe

    assert int(ray.get_runtime_context().gcs_address.rpartition(":")[2]) in probe.heads()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("127.0.0.1:1", "--address 127.0.0.1:1: got no Ray cluster (Connection refused); start one, or leave it out"),
        ("nowhere", "--address nowhere: got no Ray cluster ("),
    ],
)
def test_a_cluster_that_is_not_there(address, line):
    code = f"from raygrid.commands.doctor import system; print(*system.ray({{}}, {address!r}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.startswith(f"WRONG {line}"), run.stderr


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, []),
        ({"SLURM_JOB_ID": "7"}, ["ok    Slurm: in job 7"]),
        (
            {"SLURM_JOB_ID": "7", "SLURM_JOB_NUM_NODES": "4"},
            ["ok    Slurm: in job 7; a run uses this node alone, deploy/slurm.sbatch all 4"],
        ),
        (
            {"KUBERNETES_SERVICE_HOST": "10.0.0.1"},
            ["ok    Kubernetes: in a pod; deploy/rayjob.yaml runs a grid on pods that come and go"],
        ),
    ],
)
def test_a_job_or_a_pod_is_told_how_to_use_more_than_itself(variables, expected, monkeypatch, tmp_path):
    for name in ("SLURM_JOB_ID", "SLURM_JOB_NUM_NODES", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [str(finding) for finding in place.scheduler()] == expected


def test_a_login_node_is_told_how_to_submit(monkeypatch, tmp_path):
    (tmp_path / "sbatch").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert "sbatch deploy/slurm.sbatch" in str(next(place.scheduler()))


def test_which_installed_backend_trains_fastest_is_said(job, monkeypatch):
    monkeypatch.setattr(speed, "installed", lambda name: "1.0" if name != "torch" else "")
    monkeypatch.setattr(speed, "_measured", {"tensorflow": 100.0, "jax": 250.0}.__getitem__)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    (finding,) = speed.backends()
    assert str(finding) == (
        "ok    images/s that a cnn trains with a trial's one thread: jax 250, tensorflow 100; jax is 2.5 times "
        "tensorflow; KERAS_BACKEND is tensorflow: set it to jax for new stores"
    )
    assert not list(speed.backends(job()))  # of SVMs
    monkeypatch.setattr(speed, "_measured", {"tensorflow": 100.0, "jax": 0.0}.__getitem__)
    assert [str(each) for each in speed.backends()] == ["ok    jax is installed, and does not train here"]
    monkeypatch.setattr(speed, "_measured", {"tensorflow": 100.0, "jax": 105.0}.__getitem__)
    assert "set it" not in str(*speed.backends())


def test_one_backend_alone_is_not_measured(monkeypatch):
    monkeypatch.setattr(speed, "installed", lambda name: "1.0" if name == "tensorflow" else "")
    assert not list(speed.backends())


def test_a_backends_speed_is_measured_in_a_process_of_its_own():
    assert speed._measured("tensorflow") > 0
    assert speed._measured("no_backend") == 0
