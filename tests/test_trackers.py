"""What trackers hear, read back with MLflow's client and TensorBoard's reader."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import made_up
import pytest

from raygrid.errors import UsageError
from raygrid.storage.store import Store

pytest.importorskip("mlflow", reason="needs pip install 'raygrid[mlflow]'")

LEVELS = {"dataset": "digits", "ir": "10", "fold": "0", "representation": "image", "resampler": "smote"}
# What becomes of each cell: a number is its AvAcc, a text is the status of a record, None is a process that dies.
CELLS = {"a1": 0.75, "b2": "error", "c3": "infeasible", "d4": None}
OF_ALL = dict.fromkeys(CELLS, LEVELS)


def trial(config):
    from ray import tune

    from raygrid.engine.ray.worker import End

    (key,) = config["keys"]
    became = CELLS[key]
    if became is None:
        os._exit(1)
    status = became if isinstance(became, str) else "done"
    numbers = {"AvAcc": became, "MAvG": 0.5} if status == "done" else {}
    tune.report({"ended": [End(key, status, {**numbers, "seconds": 1.5})]})


@pytest.fixture
def sweep(cluster):
    """Run the cells under these callbacks, with a Tune folder that is gone afterwards."""

    def run(callbacks, tmp_path):
        from ray import cloudpickle, tune

        cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import this file
        scratch = tmp_path / "scratch"
        tune.Tuner(
            tune.with_resources(trial, {"CPU": 1}),
            param_space={"keys": tune.grid_search([[key] for key in CELLS])},
            tune_config=tune.TuneConfig(reuse_actors=True),
            run_config=tune.RunConfig(storage_path=str(scratch), verbose=0, callbacks=callbacks),
        ).fit()
        shutil.rmtree(scratch)

    return run


def runs_of(uri):
    from mlflow.tracking import MlflowClient

    client = MlflowClient(uri)
    (experiment,) = [one for one in client.search_experiments() if one.name == "tiny"]
    return {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}


def scalars(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder)).Reload()
    return {tag: [event.value for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


@pytest.mark.slow
def test_both_hear_what_became_of_every_cell(sweep, tmp_path, monkeypatch):
    from raygrid.engine.ray.trackers import callbacks

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    uri, folder = f"file:{tmp_path}/mlflow", tmp_path / "tensorboard"
    sweep(callbacks(uri, folder, "tiny", OF_ALL), tmp_path)

    runs = runs_of(uri)
    assert {key: run.info.status for key, run in runs.items()} == {
        "a1": "FINISHED", "b2": "FAILED", "c3": "FINISHED", "d4": "FAILED",
    }  # fmt: skip
    assert all(run.data.params == LEVELS for run in runs.values())
    assert runs["a1"].data.metrics == {"AvAcc": 0.75, "MAvG": 0.5, "seconds": 1.5, "training_iteration": 1}
    assert runs["b2"].data.metrics == {"seconds": 1.5, "training_iteration": 1}
    assert runs["d4"].data.metrics == {}

    assert {path.name for path in (folder / "tiny").iterdir()} == set(CELLS)
    found = scalars(folder / "tiny" / "a1")
    assert {name: found[f"ray/tune/{name}"] for name in ("AvAcc", "MAvG", "seconds")} == {
        "AvAcc": [0.75], "MAvG": [0.5], "seconds": [1.5],
    }  # fmt: skip
    assert scalars(folder / "tiny" / "d4") == {}


@pytest.mark.slow
def test_a_tracker_that_fails_does_not_end_the_run(sweep, tmp_path, capfd):
    from raygrid.engine.ray.trackers import callbacks

    (chosen,) = callbacks(None, tmp_path / "tensorboard", "tiny", OF_ALL)
    (tmp_path / "tensorboard").write_text("a file where a folder must be")
    sweep([chosen], tmp_path)
    said = [line for line in capfd.readouterr().err.splitlines() if line.startswith("TensorBoard: ")]
    assert len(said) == 1
    assert said[0].endswith("; nothing more is sent to it, the run goes on")


def test_nothing_asked_for_is_nothing_tracked():
    from raygrid.engine.ray.trackers import callbacks

    assert callbacks(None, None, "tiny", {}) == []


def test_a_server_that_does_not_answer_is_the_users_mistake():
    from raygrid.engine.ray.trackers import callbacks

    with pytest.raises(UsageError, match=r"^--mlflow http://127.0.0.1:9: got no answer \(.*\); start the server, or "):
        callbacks("http://127.0.0.1:9", None, "tiny", {})


@pytest.mark.parametrize(
    ("package", "arguments", "line"),
    [
        (
            "mlflow",
            ["http://127.0.0.1:9", None],
            "--mlflow: MLflow is not installed; do: pip install 'raygrid[mlflow]'",
        ),
        ("tensorboardX", [None, "logs"], "--tensorboard: it is not installed; do: pip install 'raygrid[tensorboard]'"),
    ],
)
def test_a_missing_package_is_one_clear_line(package, arguments, line):
    script = f"""
import json, sys
from pathlib import Path
sys.modules[{package!r}] = None  # as if it were not installed
from raygrid.engine.ray.trackers import callbacks
from raygrid.errors import UsageError
mlflow, tensorboard = json.loads({json.dumps(arguments)!r})
try:
    callbacks(mlflow, tensorboard and Path(tensorboard), "tiny", {{}})
except UsageError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, line + "\n"), run.stderr


@pytest.mark.parametrize("interrupted", ["create_run", "log_param", "log_metric", "set_terminated"])
def test_ctrl_c_in_the_middle_of_a_call_leaves_no_run_that_seems_to_go_on(tmp_path, monkeypatch, interrupted):
    from mlflow.tracking import MlflowClient

    from raygrid.engine.ray.trackers import callbacks
    from raygrid.engine.ray.worker import End

    def and_ctrl_c(self, *arguments, **options):
        done = method(self, *arguments, **options)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        time.sleep(0.1)  # what stops the main thread here comes before the call returns
        return done

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    uri = f"file:{tmp_path}/mlflow"
    (tracker,) = callbacks(uri, None, "tiny", OF_ALL)
    tracker.setup()
    method = getattr(MlflowClient, interrupted)
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, interrupted, and_ctrl_c)
        ended = {"ended": [End("a1", "done", {"seconds": 1.5})], "training_iteration": 1}
        trial = SimpleNamespace(config={"keys": ["a1"]}, last_result=ended)
        with pytest.raises(KeyboardInterrupt):
            tracker.log_trial_start(trial)
            tracker.log_trial_result(1, trial, ended)
            tracker.log_trial_end(trial)
    tracker.end()
    expected = "FINISHED" if interrupted == "set_terminated" else "KILLED"
    assert {key: run.info.status for key, run in runs_of(uri).items()} == {"a1": expected}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        (lambda pid: os.killpg(pid, signal.SIGINT), 130, "interrupted"),  # as a terminal does
        (lambda pid: os.kill(pid, signal.SIGTERM), 143, "ended by SIGTERM"),  # as systems do that take a machine back
    ],
    ids=["Ctrl-C", "SIGTERM"],
)
def test_an_end_keeps_what_is_done_and_leaves_no_process_and_no_trial_that_seems_to_go_on(
    launch, grid_file, cells_of, cache, tmp_path, monkeypatch, end, code, said
):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    uri, folder = f"file:{tmp_path}/mlflow", tmp_path / "store"
    arguments = ("--store", folder, "--cache", cache.root, "--mlflow", uri, "--tensorboard", tmp_path / "board")
    run = launch("run", grid_file(folds=20), *arguments)
    run.wait_until(lambda: len([*folder.glob("records/*.json")]) >= 3)
    assert run.descendants()
    end(run.process.pid)
    assert run.wait() == code
    assert run.log.read_text().endswith(f"{said}; finished cells are kept: run the same command again to go on\n")
    assert "Traceback" not in run.log.read_text()
    assert run.wait_for_descendants() == {}
    records = made_up.statuses(Store(folder))
    assert 3 <= len(records) < 80
    assert set(records.values()) == {"done"}
    assert set(records) <= {cell.key for cell in cells_of(folds=20)}

    statuses = {name: one.info.status for name, one in runs_of(uri).items()}
    assert set(statuses.values()) <= {"FINISHED", "KILLED", "FAILED"}
    finished = [name for name, status in statuses.items() if status == "FINISHED"]
    assert len(finished) >= 2
    assert set(finished) <= set(records)
    assert scalars(tmp_path / "board" / "tiny" / finished[0])["ray/tune/AvAcc"]
