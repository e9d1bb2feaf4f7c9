"""The record, to and from JSON."""

import json
from typing import get_args

import pytest
from pydantic import ValidationError

from raygrid.storage.record import FINAL, Measured, Record, Status

MEASURED = {
    "finished_at": "2020-02-27T12:00:00+00:00",
    "seconds": {"split": 0.001, "fit": 12.5},
    "peak_memory_mb": 512.0,
    "attempt": "3f2a",
    "log": ["UserWarning: few samples"],
    "shared_s": 0.25,
    "gpus": 0.5,
    "device": "NVIDIA H100",
    "card_share": 0.25,
}
DONE = {
    "key": "0123456789abcdef",
    "cell": {"dataset": {"name": "zürich", "fingerprint": "sha256:00"}, "ir": 2.0, "fold": 0},
    "status": "done",
    "message": None,
    "traceback": None,
    "metrics": {"AvAcc": 1 / 3, "CBA": 0.1 + 0.2, "MAvG": 0.0},
    "confusion": [[1, 2], [3, 4]],
    "class_names": ["Straße", "猫"],
    "class_order": [1, 0],
    "class_counts": {"train": [5, 10], "resampled": [10, 10], "test": [3, 7]},
    "versions": {"python": "3.11.4"},
    "measured": MEASURED,
}
FAILED = {
    "key": "0123456789abcdef",
    "cell": {},
    "status": "error",
    "message": "ValueError: no",
    "traceback": "Traceback (most recent call last):\n  ...\n",
    "measured": MEASURED,
}


@pytest.mark.parametrize("fields", [DONE, FAILED], ids=["done", "error"])
def test_a_record_survives_json_to_the_last_bit(fields):
    record = Record(**fields)
    assert Record.model_validate_json(record.model_dump_json()) == record
    assert fields.items() <= json.loads(record.model_dump_json()).items()


def test_what_a_failure_does_not_have_is_empty():
    record = Record(**FAILED)
    assert (record.metrics, record.confusion, record.class_counts, record.class_order) == ({}, [], {}, [])


@pytest.mark.parametrize("status", get_args(Status))
def test_every_status_is_accepted(status):
    assert Record(**DONE | {"status": status}).status == status


def test_only_what_no_repetition_can_change_is_final():
    assert set(get_args(Status)) == {"done", "infeasible", "error", "oom", "timeout", "preempted"}
    assert FINAL == {"done", "infeasible"}


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "lost"},
        {"status": None},
        {"acuracy": 1.0},
        {"measured": MEASURED | {"hours": 1}},
        {"metrics": {"AvAcc": None}},
        {"confusion": [[0.5]]},
    ],
    ids=["unknown status", "no status", "unknown field", "unknown cost", "a metric that is no number", "half a sample"],
)
def test_what_is_no_record_is_refused(changes):
    with pytest.raises(ValidationError):
        Record(**DONE | changes)


@pytest.mark.parametrize("missing", ["key", "cell", "status", "measured"])
def test_what_every_record_has_is_required(missing):
    with pytest.raises(ValidationError):
        Record(**{name: value for name, value in DONE.items() if name != missing})


def test_a_record_is_frozen():
    record = Record(**DONE)
    with pytest.raises(ValidationError):
        record.status = "error"
    with pytest.raises(ValidationError):
        Measured(**MEASURED).peak_memory_mb = 0.0
