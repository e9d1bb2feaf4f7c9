"""What `raygrid.engine.ray.private` takes for granted of Ray, asked of Ray itself: loud when a new version differs.

What Ray says of a lost node is in test_many_nodes.py, the memory monitor's message in test_engine_faults.py, the ports
of heads in test_doctor.py.
"""

import inspect
import os
import sys
import tempfile
import time
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def private(cluster):
    from raygrid.engine.ray import private

    return private


def trial_of_tune(config):
    from ray import get_runtime_context, tune

    if config["dies"]:
        os._exit(1)
    tune.report({"actor": get_runtime_context().get_actor_id(), "done": True})


@pytest.fixture(scope="module")
def heard(private, tmp_path_factory):
    """Run two trials of Tune's, one of which dies; return what a callback reads of them."""
    from ray import cloudpickle, tune

    cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import this file
    found = {}

    class Reads(tune.Callback):
        def __getstate__(self):
            return {}

        def on_trial_start(self, iteration, trials, trial, **info):
            found["actor", trial.config["dies"]] = private.actor_id(trial)

        def on_trial_complete(self, iteration, trials, trial, **info):
            found["reported"] = trial.last_result["actor"]
            before = len(trial.run_metadata.metric_analysis), len(trial.run_metadata.metric_n_steps)
            private.forget_statistics(trial)
            after = len(trial.run_metadata.metric_analysis), len(trial.run_metadata.metric_n_steps)
            found["statistics"] = (before, after)

        def on_trial_error(self, iteration, trials, trial, **info):
            found["reason"] = private.reason_of_death(trial)

    tune.Tuner(
        tune.with_resources(trial_of_tune, {"CPU": 1}),
        param_space={"dies": tune.grid_search([False, True])},
        run_config=tune.RunConfig(storage_path=str(tmp_path_factory.mktemp("tune")), verbose=0, callbacks=[Reads()]),
    ).fit()
    return found


@pytest.mark.slow
def test_a_trials_actor_is_the_one_that_runs_it(heard):
    assert heard["actor", False] == heard["reported"]
    assert heard["actor", True] != heard["reported"]


@pytest.mark.slow
def test_statistics_are_there_and_then_forgotten(heard):
    before, after = heard["statistics"]
    assert min(before) > 0
    assert after == (0, 0)


@pytest.mark.slow
def test_the_reason_of_a_death_is_one_line_that_names_the_actor_and_no_lost_node(private, heard):
    assert heard["actor", True] in heard["reason"]
    assert "\n" not in heard["reason"]
    assert not private.node_was_lost(heard["reason"])


def test_a_lost_node_is_known_by_what_ray_says_of_it(private):
    from ray.exceptions import ActorUnavailableError

    assert private.node_was_lost("The actor died because its node has died. Node Id: 6f")
    assert private.node_was_lost(str(ActorUnavailableError("The actor is temporarily unavailable: RpcError", None)))
    assert not private.node_was_lost("The actor is dead because its worker process has died.")


def test_the_memory_monitors_choice_is_read_from_its_message(private):
    failure = RuntimeError("Caught unexpected exception")
    failure.__cause__ = RuntimeError("Considered workers: [\nSelected to kill: (Actor(aa11): job)\n(Actor(bb22): job)]")
    assert private.ended_by_memory_monitor(failure) == {"aa11"}
    failure.__cause__ = RuntimeError("of an unknown kind")
    assert private.ended_by_memory_monitor(failure) == set()


def test_a_cell_beside_one_that_takes_all_memory_is_not_blamed(private, tmp_path):
    from raygrid.engine.ray.attempt import Attempt
    from raygrid.engine.verdict import Ended, NotRun, Recorded
    from raygrid.storage.store import Store

    store = Store(tmp_path)
    attempt = Attempt("attempt", {}, store, None, queue=None, pace=None)
    attempt._trial_of_actor = {"aa11": "first", "bb22": "second"}
    attempt.running, attempt.statuses = {"first": ["ended", "greedy", "next"], "second": ["modest"]}, {"ended": "done"}
    failure = RuntimeError("Caught unexpected exception")
    failure.__cause__ = RuntimeError("Selected to kill: (Actor(aa11): job)")
    assert isinstance(attempt.outcome("greedy", failure), Ended)
    assert isinstance(attempt.outcome("modest", failure), NotRun)
    assert isinstance(attempt.outcome("next", failure), NotRun)
    assert isinstance(attempt.outcome("ended", failure), Recorded)
    failure.__cause__ = RuntimeError("of an unknown kind")
    assert isinstance(attempt.outcome("modest", failure), Ended)


def test_mlflows_callback_knows_its_runs(private, tmp_path, monkeypatch):
    pytest.importorskip("mlflow", reason="needs pip install 'raygrid[mlflow]'")
    from ray.air.integrations.mlflow import MLflowLoggerCallback

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    callback = MLflowLoggerCallback(tracking_uri=f"file:{tmp_path}/mlflow", experiment_name="tiny")
    assert private.runs_in_mlflow(callback) == {}
    callback.setup()
    assert private.runs_in_mlflow(callback) is callback._trial_runs


def test_the_path_of_a_socket_has_room_where_the_folder_has_the_longest_that_is_taken(cluster):
    from raygrid.engine.ray.cluster import LONGEST_FOLDER_BYTES, ray_folder

    session = Path(ray_folder(), "session_latest").resolve()
    added = len(str(session.relative_to(ray_folder()))) + len(f"{2**22}") - len(session.name.rpartition("_")[2])
    sockets = [path.name for path in (session / "sockets").iterdir()]
    assert "plasma_store" in sockets
    assert all(LONGEST_FOLDER_BYTES + added + len(f"//sockets/{name}") <= 103 for name in sockets)


@pytest.mark.parametrize(("variable", "letters", "is_kept"), [("TMPDIR", 80, False), ("RAY_TMPDIR", 10, True)])
def test_the_folder_of_ray_is_short(variable, letters, is_kept, monkeypatch):
    from raygrid.engine.ray.cluster import ray_folder

    with tempfile.TemporaryDirectory(dir="/tmp", prefix="x" * letters) as folder:
        monkeypatch.setenv(variable, folder)
        monkeypatch.setattr(tempfile, "tempdir", None)  # it is kept once it is found
        assert ray_folder() == (f"{folder}/ray" if is_kept else "/tmp/ray")


def test_how_ray_says_that_it_started_too_late(private):
    from ray._private import node

    assert private.STARTED_TOO_LATE in inspect.getsource(node)


@pytest.mark.parametrize("given", ["RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", None])
def test_a_cluster_of_ours_needs_no_home_for_its_token(given, monkeypatch, tmp_path):
    from raygrid.engine.ray import cluster

    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.setenv(name, "given")  # so that it is put back
        if name != given:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    before = dict(os.environ)
    cluster._have_a_token()
    assert os.environ == before
    monkeypatch.setenv("HOME", str(tmp_path / "not there"))
    cluster._have_a_token()
    assert len(os.environ.get("RAY_AUTH_TOKEN", "")) == {None: 64, "RAY_AUTH_TOKEN": 5}.get(given, 0)


def slow_to_start(folder):
    """Make a trainable of which all processes but the first need a second to start, and a trial next to nothing."""
    from ray import tune

    class Trainable(tune.Trainable):
        def setup(self, config):
            try:
                (folder / "first").touch(exist_ok=False)
            except FileExistsError:
                time.sleep(1)

        def step(self):
            time.sleep(0.05)
            return {"process": os.getpid(), "done": True}

        def reset_config(self, config):
            return True

        def save_checkpoint(self, folder):
            return {}

    return Trainable


@pytest.mark.slow
def test_a_process_that_is_starting_is_not_ended_when_another_one_is_free(private, tmp_path):
    from ray import cloudpickle, tune

    from raygrid.engine.ray.attempt import Order

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    found = tune.Tuner(
        tune.with_resources(slow_to_start(tmp_path), {"CPU": 1}),
        param_space={"i": tune.grid_search(list(range(40)))},
        tune_config=tune.TuneConfig(scheduler=Order(), reuse_actors=True),
        run_config=tune.RunConfig(storage_path=str(tmp_path / "tune"), verbose=0),
    ).fit()
    assert len({result.metrics["process"] for result in found}) == 2
