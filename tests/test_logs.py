"""Everything that is known of one cell, and how it is named."""

import made_up
import numpy as np
import pytest

from raygrid.storage.store import Store


@pytest.fixture
def cells(cells_of):
    return cells_of()


@pytest.fixture
def store(tmp_path, cells):
    """Of the 8 cells one is done, one failed, the others have no record."""
    store = Store(tmp_path / "store")
    store.prepare()
    store.write(made_up.record(cells[0], np.random.default_rng(0)), {})
    failed = made_up.failed(cells[1], "error", "ValueError: got [3]", "Traceback (most recent call last):\n  File x\n")
    warned = failed.measured.model_copy(update={"log": ["ConvergenceWarning: did not converge"]})
    store.write(failed.model_copy(update={"measured": warned}), {})
    store.write_log(cells[1].key, "2026 W tensorflow/core: [slow]\nend\n")
    return store


@pytest.fixture
def logs(raygrid, grid_file, store):
    return lambda *arguments: raygrid("logs", grid_file(), *arguments, "--store", store.root)


def test_a_failed_cell_by_the_beginning_of_its_key(logs, cells):
    cell = cells[1]
    assert logs(cell.key[:6]) == (
        0,
        f"""\
cell {cell.key}
  dataset        digits
  imbalance      2
  fold           0
  representation features
  classifier     svm
  resampler      smote
status: error, 2026-11-23T13:59:42+00:00
seconds: split 0.020
peak memory: 812 MB
warning: ConvergenceWarning: did not converge
message: ValueError: got [3]

Traceback (most recent call last):
  File x

output:
2026 W tensorflow/core: [slow]
end
""",
        "",
    )


def test_a_done_cell_by_its_levels(logs, cells):
    code, out, _ = logs("--only", "ir=2", "--only", "fold=0", "--only", "resampler=none")
    assert (code, out.splitlines()[0]) == (0, f"cell {cells[0].key}")
    assert "status: done, " in out and "metrics: AvAcc 0." in out
    assert "\nsamples of a class: train 500 to 1000 (ratio 2), resampled 1000, test 100 to 200\n" in out
    assert "message" not in out and "Traceback" not in out and "output" not in out


def test_a_note_of_a_cell(logs, cells, store):
    record = made_up.record(cells[2], np.random.default_rng(0))
    store.write(record.model_copy(update={"notes": ["no training samples are left of '3': its recall is 0"]}), {})
    assert "\nnote: no training samples are left of '3': its recall is 0\n" in logs(cells[2].key)[1]


def test_a_cell_that_was_never_tried(logs, cells):
    code, out, _ = logs(cells[5].key)
    assert (code, out.splitlines()[-1]) == (0, "status: missing (no trial of it has ended)")


def test_of_several_cells_each_is_a_line_to_choose_from_and_failures_come_first(logs, cells):
    code, out, err = logs("--only", "fold=0")
    assert (code, out) == (2, "")
    first, *choices = err.splitlines()
    assert first == "cell: got 4 cells; expected one; name its key, or leave one by --only AXIS=LEVEL"
    assert choices == [
        f"{cells[1].key} error: {cells[1]}",
        f"{cells[2].key} missing: {cells[2]}",
        f"{cells[3].key} missing: {cells[3]}",
        f"{cells[0].key} done: {cells[0]}",
    ]


def test_variants_of_one_classifier_have_the_names_of_tables(raygrid, grid_file, store, tiny):
    variants = [{"name": "svm", "class_weight": weight} for weight in ("none", "balanced")]
    arms = [{"representation": "raw", "classifier": each, "resamplers": ["none"]} for each in variants]
    grid = grid_file(arms=arms, folds=1)
    _, *lines = raygrid("logs", grid, "--store", store.root)[2].splitlines()
    assert [line.split()[-2] for line in lines] == 2 * ["classifier=svm", "classifier=svm(class_weight=balanced)"]
    assert "svm(class_weight=balanced)" in raygrid("plan", grid, "--store", store.root)[1].split("To do")[0]


def test_of_very_many_cells_only_some_are_listed(raygrid, grid_file, store):
    code, _, err = raygrid("logs", grid_file(folds=10), "--store", store.root)
    assert (code, len(err.splitlines()), err.splitlines()[-1]) == (2, 22, "and 20 more")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["abc"], "cell: got 'abc'; expected at least 4 characters of a cell's key"),
        (["zzzz"], "cell: got 'zzzz'; expected the key of one of the 8 cells chosen; "),
    ],
)
def test_no_cell_is_a_mistake(logs, arguments, line):
    code, out, err = logs(*arguments)
    assert (code, out, err[: len(line)]) == (2, "", line)
