"""Merging stores: what is copied, what is refused, and that nothing is written before all is known to be right."""

import re
from pathlib import Path
from typing import Any

import made_up
import numpy as np
import pytest
from made_up import statuses

from raygrid.errors import StoreError
from raygrid.storage.merging import merge
from raygrid.storage.record import Measured, Record
from raygrid.storage.store import Store

A, B, C = ("a" * 16, "b" * 16, "c" * 16)


def record(key: str, status: Any = "done", finished_at: str = "2026-01-01T00:00:00+00:00", **fields: Any) -> Record:
    measured = Measured(finished_at=finished_at, seconds={"fit": 1.5}, peak_memory_mb=100.0)
    fields = made_up.OF_TWO_CLASSES | fields
    return Record(key=key, cell={"fold": 0}, status=status, measured=measured, **fields)


def store(root: Path, *records: Record) -> Store:
    """A store with these records, and predictions of those that are done."""
    made = Store(root)
    made.prepare()
    for one in records:
        made.write(one, {"y_pred": np.arange(3)} if one.status == "done" else {})
    return made


def content(store: Store) -> dict[str, bytes]:
    files = (path for path in store.root.rglob("*") if path.is_file())
    return {path.relative_to(store.root).as_posix(): path.read_bytes() for path in files}


def test_records_and_predictions_are_copied_byte_by_byte(tmp_path: Path) -> None:
    one = store(tmp_path / "one", record(A, metrics={"AvAcc": 1 / 3}), record(B, "error", message="no", traceback="T"))
    two = store(tmp_path / "two", record(C, "infeasible", message="too small"))
    target = Store(tmp_path / "new" / "target")
    assert merge(target, [one, two]) == 3
    assert content(target) == content(one) | content(two)
    assert sorted(content(target)) == [f"predictions/{A}.npz", *(f"records/{key}.json" for key in (A, B, C))]


def test_merging_again_copies_nothing(tmp_path: Path) -> None:
    one, target = store(tmp_path / "one", record(A)), store(tmp_path / "target", record(B))
    assert [merge(target, [one]), merge(target, [one, target])] == [1, 0]
    assert statuses(target) == {A: "done", B: "done"}


def test_the_same_result_measured_twice_keeps_the_first(tmp_path: Path) -> None:
    stores = [
        store(tmp_path / str(year), record(A, finished_at=f"{year}-01-01T00:00:00+00:00"))
        for year in (2027, 2025, 2026)
    ]
    assert merge(stores[0], stores[1:]) == 0
    assert merge(new := Store(tmp_path / "new"), stores[1:]) == 1
    assert [made.records()[A].measured.finished_at for made in (stores[0], new)] == [
        f"{year}-01-01T00:00:00+00:00" for year in (2027, 2025)
    ]


FAILURES = [
    ("error", "done", "done"),
    ("done", "oom", "done"),
    ("timeout", "infeasible", "infeasible"),
    ("preempted", "error", "preempted"),
]


@pytest.mark.parametrize(("in_target", "in_source", "kept"), FAILURES)
def test_a_final_record_goes_before_a_failure(tmp_path: Path, in_target: Any, in_source: Any, kept: str) -> None:
    source = store(tmp_path / "source", record(A, in_source))
    target = store(tmp_path / "target", record(A, in_target))
    assert merge(target, [source]) == int(kept != in_target)
    assert statuses(target) == {A: kept}
    assert (target.root / "predictions" / f"{A}.npz").exists() == (kept == "done")


def test_two_sources_may_hold_a_failure_and_its_result(tmp_path: Path) -> None:
    sources = [store(tmp_path / status, record(A, status)) for status in ("error", "done", "oom")]
    target = Store(tmp_path / "target")
    assert merge(target, sources) == 1
    assert statuses(target) == {A: "done"}


CONFLICTS = [
    (record(A, metrics={"AvAcc": 0.5}), "metrics"),
    (record(A, confusion=[[0, 1], [1, 0]], versions={"numpy": "2.4"}), "confusion, versions"),
    (record(A, "infeasible", message="no"), "status, message"),
]


@pytest.mark.parametrize(("other", "fields"), CONFLICTS)
def test_different_results_are_refused_before_anything_is_written(tmp_path: Path, other: Record, fields: str) -> None:
    target = store(tmp_path / "target", record(A))
    sources = [store(tmp_path / "fine", record(B)), store(tmp_path / "bad", other)]
    before = content(target)
    line = f"{tmp_path / 'bad'}: got another record of {A} than in {tmp_path / 'target'} ({fields});"
    with pytest.raises(StoreError, match=re.escape(line)):
        merge(target, sources)
    assert content(target) == before
    with pytest.raises(StoreError, match=re.escape(f"of {A} than in {tmp_path / 'bad'} ({fields})")):
        merge(Store(tmp_path / "new"), [*sources, target])
    assert not (tmp_path / "new").exists()


def test_a_source_that_is_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"typo: got no store \(it has no records\)"):
        merge(store(tmp_path / "target", record(A)), [Store(tmp_path / "typo")])


def test_a_broken_record_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    sources = [store(tmp_path / "fine", record(A)), store(tmp_path / "bad", record(B))]
    (sources[1].root / "records" / f"{B}.json").write_text("{")
    with pytest.raises(StoreError, match="got no record"):
        merge(Store(tmp_path / "new"), sources)
    assert not (tmp_path / "new").exists()
