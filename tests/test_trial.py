"""One cell: what its record says when it is done, and when it is not."""

import json
import warnings
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

import numpy as np
import pytest
from joblib import effective_n_jobs, parallel_config
from threadpoolctl import threadpool_info, threadpool_limits

from raygrid import host, trial
from raygrid.classifiers.knn import Knn
from raygrid.errors import StoreError
from raygrid.folds import fold_of
from raygrid.host import Runtime
from raygrid.inputs import Inputs
from raygrid.keys import hash_of
from raygrid.metrics.confusion import METRICS
from raygrid.resampling import Resampler
from raygrid.storage.record import Record
from raygrid.storage.store import Store


class Raising(Resampler):
    """A stage that fails as a library would: of itself, or for want of memory."""

    name: str = "raising"
    cause: str

    def _fit(self, X: Any, y: Any, seed: int) -> Any:
        if self.cause == "value":
            raise ValueError("got 3; expected 4\nand more")
        if self.cause == "memory":
            np.empty(2**56, dtype=np.float64)
        if self.cause == "backend memory":
            raise type("ResourceExhaustedError", (Exception,), {})("OOM when allocating tensor")
        raise KeyboardInterrupt


class Warned(Resampler):
    """Warns as libraries do: the user, twice, and developers."""

    name: str = "warning"

    def _fit(self, X: Any, y: Any, seed: int) -> Any:
        from scipy.sparse import eye_array

        for message in ("few samples", "few samples"):
            warnings.warn(message, UserWarning, stacklevel=1)
        warnings.warn("old spelling", DeprecationWarning, stacklevel=1)
        return eye_array(len(y), format="csr"), y


def allowed_threads() -> set[int]:
    """Return how many threads joblib and the libraries below numpy and scikit-learn may use."""
    return {effective_n_jobs(), *(pool["num_threads"] for pool in threadpool_info())}


class Watching(Resampler):
    """Sees how many threads the libraries may use."""

    name: str = "watching"
    seen: ClassVar[set[int]] = set()

    def _fit(self, X: Any, y: Any, seed: int) -> Any:
        from scipy.sparse import eye_array

        self.seen.update(allowed_threads())
        return eye_array(len(y), format="csr"), y


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    store.prepare()
    return store


@pytest.fixture
def cell(cells_of):
    return next(cell for cell in cells_of() if (cell.imbalance.ir, cell.fold, cell.resampler.name) == (10, 1, "smote"))


def files(store: Store, pattern: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in store.root.glob(pattern)}


def test_a_done_record_agrees_with_the_predictions_kept_beside_it(cell, inputs, store):
    record = trial.run(cell, inputs, store, runtime=Runtime(1), attempt="")
    assert (record.status, record.message, record.traceback) == ("done", None, None)
    with np.load(store.root / "predictions" / f"{cell.key}.npz", allow_pickle=False) as kept:
        y_true, y_pred, test_index = kept["y_true"], kept["y_pred"], kept["test_index"]
    confusion = np.zeros((10, 10), dtype=int)
    np.add.at(confusion, (y_true, y_pred), 1)
    assert record.confusion == confusion.tolist()
    assert record.metrics == {name: metric(confusion) for name, metric in METRICS.items()}
    assert list(record.metrics) == ["AvAcc", "CBA", "MAvG"]
    assert 0.3 < record.metrics["AvAcc"] < 1
    assert y_true.tolist() == inputs.y[test_index].tolist()
    assert [sum(row) for row in record.confusion] == record.class_counts["test"]


def test_the_time_limit_does_not_count_what_the_store_takes(cell, inputs, store):
    heard = []

    class Noting(Store):
        def record(self, key):
            heard.append("read")
            return super().record(key)

        def write(self, record, predictions):
            heard.append("write")
            super().write(record, predictions)

    @contextmanager
    def limit():
        heard.append("begins")
        yield
        heard.append("ends")

    trial.run(cell, inputs, Noting(store.root), runtime=Runtime(1), attempt="", limit=limit())
    assert heard == ["read", "begins", "ends", "write", "read"]


def test_a_cell_that_never_looks_for_a_checkpoint_has_none_to_delete(cell, inputs, store, monkeypatch):
    deleted = []
    monkeypatch.setattr(type(store.folder), "delete", lambda folder, name: deleted.append(name))
    assert trial.run(cell, inputs, store, runtime=Runtime(1), attempt="").status == "done"
    assert deleted == [f"logs/{cell.key}.log"]


def test_a_done_record_counts_the_samples_of_each_class(cell, inputs, store):
    record = trial.run(cell, inputs, store, runtime=Runtime(1), attempt="")
    # The smallest class has 116 training and 58 test samples; class i of 10 keeps n / (1 + 9 / 9 (i - 1)) of them.
    for part, n in (("train", 116), ("test", 58)):
        in_order = [record.class_counts[part][label] for label in record.class_order]
        assert in_order == [n // i for i in range(1, 11)]
    assert record.class_counts["resampled"] == [116] * 10
    assert sorted(record.class_order) == list(range(10))
    assert record.class_names == list("0123456789")


def test_a_record_says_what_cell_it_is_of_and_what_it_cost(cell, inputs, store):
    record = trial.run(cell, inputs, store, runtime=Runtime(1), attempt="")
    assert record.key == cell.key == hash_of(record.cell)
    assert (record.cell["imbalance"]["ir"], record.cell["fold"], record.cell["resampler"]["k_neighbors"]) == (10, 1, 5)
    assert {"python", "keras_backend", "raygrid", "scikit-learn", "imbalanced-learn"} <= set(record.versions)
    assert list(record.measured.seconds) == ["split", "represent", "resample", "fit", "predict"]
    assert datetime.fromisoformat(record.measured.finished_at).utcoffset().total_seconds() == 0
    assert record.measured.peak_memory_mb > 1
    assert (record.measured.gpus, record.measured.device) == (0, host.processor())


def test_what_is_written_is_json_of_the_record(cell, inputs, store):
    record = trial.run(cell, inputs, store, runtime=Runtime(1), attempt="")
    assert list(files(store, "records/*")) == [f"{cell.key}.json"]
    text = files(store, "records/*")[f"{cell.key}.json"]
    assert json.loads(text)["metrics"] == record.metrics
    assert Record.model_validate_json(text) == record == store.record(cell.key)


def test_two_runs_of_a_cell_differ_in_what_they_cost_only(cell, inputs, tmp_path):
    kept = []
    for name in ("one", "two"):
        store = Store(tmp_path / name)
        store.prepare()
        trial.run(cell, inputs, store, runtime=Runtime(1), attempt="")
        text = json.loads(files(store, "records/*")[f"{cell.key}.json"])
        assert text.pop("measured")
        kept.append((json.dumps(text), files(store, "predictions/*")))
    assert kept[0] == kept[1]


def test_an_infeasible_cell_says_why_and_has_no_traceback(cell, inputs, store):
    greedy = replace(cell, resampler=cell.resampler.model_copy(update={"k_neighbors": 11}))
    record = trial.run(greedy, inputs, store, runtime=Runtime(1), attempt="")
    smallest = record_order(greedy, inputs)[-1]
    expected = f"smote: got 11 samples of class {smallest}; expected at least 12 (k_neighbors + 1)"
    assert (record.status, record.message, record.traceback) == ("infeasible", expected, None)
    assert store.record(greedy.key) == record


def record_order(cell: Any, inputs: Inputs) -> list[int]:
    return fold_of(cell, inputs).class_order.tolist()


@pytest.mark.parametrize(
    ("cause", "status", "message"),
    [
        ("value", "error", "ValueError: got 3; expected 4\nand more"),
        ("memory", "oom", "MemoryError: Unable to allocate 512. PiB for an array with shape"),
        ("backend memory", "oom", "ResourceExhaustedError: OOM when allocating tensor"),
    ],
    ids=["any", "numpy out of memory", "Keras backend out of memory"],
)
def test_a_stage_that_raises_leaves_a_record(cell, inputs, store, cause, status, message):
    failing = replace(cell, resampler=Raising(cause=cause))
    record = trial.run(failing, inputs, store, runtime=Runtime(1), attempt="")
    assert record.status == status
    assert record.message.startswith(message)
    assert record.traceback.startswith("Traceback (most recent call last):\n")
    assert "in _fit" in record.traceback
    assert (record.metrics, record.confusion, record.class_counts) == ({}, [], {})
    assert list(record.measured.seconds) == ["split", "represent", "resample"]
    assert store.record(failing.key) == record
    assert not files(store, "predictions/*")


def test_a_failed_record_gives_way_to_a_done_one_and_a_done_one_to_none(cell, inputs, store):
    failed = Record(key=cell.key, cell=cell.identity(), status="error", message="was", measured=measured())
    store.write(failed, {})
    done = trial.run(cell, inputs, store, runtime=Runtime(1), attempt="")
    assert store.record(cell.key) == done
    before = files(store, "*/*")
    store.write(failed, {})
    trial.run(cell, inputs, store, runtime=Runtime(1), attempt="")
    assert files(store, "*/*") == before


def measured() -> dict[str, Any]:
    return {"finished_at": "2020-01-01T00:00:00+00:00", "seconds": {}, "peak_memory_mb": 1.0}


def test_a_record_keeps_what_libraries_warned_the_user_of(cell, inputs, store, capsys):
    record = trial.run(replace(cell, resampler=Warned()), inputs, store, runtime=Runtime(1), attempt="")
    assert (record.status, record.measured.log) == ("done", ["UserWarning: few samples"])
    assert capsys.readouterr().err == ""


def test_an_interrupted_cell_leaves_nothing(cell, inputs, store):
    with pytest.raises(KeyboardInterrupt):
        trial.run(replace(cell, resampler=Raising(cause="interrupt")), inputs, store, runtime=Runtime(1), attempt="")
    assert not files(store, "*/*")


def test_a_record_that_cannot_be_written_is_a_store_error(cell, inputs, tmp_path):
    with pytest.raises(StoreError, match=f"^{tmp_path}/nowhere: No such file or directory "):
        trial.run(cell, inputs, Store(tmp_path / "nowhere"), runtime=Runtime(1), attempt="")


def test_libraries_use_the_trials_threads_and_no_more(cell, inputs, store):
    before = {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}
    trial.run(replace(cell, resampler=Watching()), inputs, store, runtime=Runtime(2), attempt="")
    with threadpool_limits(2), parallel_config("threading", n_jobs=2):
        assert Watching.seen == allowed_threads() <= {1, 2}  # joblib has one where there is one CPU
    after = {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}
    assert before == {path: after[path] for path in before}


def test_the_scores_of_a_classifier_that_has_them_are_kept_beside_its_labels(cell, inputs, store):
    for classifier, names in ((cell.classifier, ["y_true", "y_pred", "test_index"]), (Knn(), None)):
        one = replace(cell, classifier=classifier)
        trial.run(one, inputs, store, runtime=Runtime(1), attempt="")
        with np.load(store.root / "predictions" / f"{one.key}.npz", allow_pickle=False) as kept:
            assert sorted(kept) == sorted(names or ["y_true", "y_pred", "scores", "test_index"])
            if not names:
                assert (kept["scores"].shape, kept["scores"].dtype) == ((len(kept["y_true"]), 10), np.float32)
                assert kept["scores"].argmax(axis=1).tolist() == kept["y_pred"].tolist()
