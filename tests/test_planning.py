"""What a plan says a grid will cost, which cells a pilot runs, and what is learnt while cells run."""

import json
import re
from dataclasses import replace
from math import inf

import made_up
import numpy as np
import pytest
from pytest import approx

from raygrid.cells import expand
from raygrid.commands.forecast import Forecast, given_cards, model_of
from raygrid.commands.job import Job
from raygrid.commands.pilot import pilot_cells
from raygrid.costs.bill import bill_of, resources_of, sentences
from raygrid.costs.model import CostModel, stratum_of
from raygrid.costs.schedule import Machines
from raygrid.errors import UsageError
from raygrid.gridfile.resources import Resources
from raygrid.gridfile.schema import Grid
from raygrid.host import Runtime
from raygrid.images import _labels_key, images_key
from raygrid.inputs import load_inputs
from raygrid.storage.cache import Cache
from raygrid.storage.store import Store

SMOTE_OF_MANY = {"name": "smote", "k_neighbors": 11}  # at IR 10 the smallest class of digits has 11 samples


@pytest.fixture
def job_of(tmp_path, cache):
    """Open a grid against an empty store."""

    def opened(grid, cache=cache):
        store = Store(tmp_path / "store")
        store.prepare()
        return Job(
            grid.name, grid.metrics, "", expand(grid), [store], cache, grid=grid, folder=tmp_path, named="grid.yaml"
        )

    return opened


def of(cells, **levels):
    """Return the first cell with these levels."""
    wanted = {axis: str(level) for axis, level in levels.items()}
    return next(cell for cell in cells if wanted.items() <= cell.levels().items())


# One cell of stl10 at IR 10 a kind, as a CPU-only machine recorded it.
RECORDED = {("cnn", "none"): 3600, ("cnn", "ros"): 7200, ("svm", "none"): 1800}


@pytest.fixture
def small():
    """A grid of 12 cells, and a model that knows 10 of them."""
    arms = [
        {"representation": "image", "classifier": "cnn", "resamplers": ["none", "ros"]},
        {"representation": "features", "classifier": "svm", "resamplers": ["none", "iht"]},
    ]
    cells = expand(made_up.grid(arms=arms, datasets=["stl10"], imbalance_ratios=[10], folds=3))
    rng = np.random.default_rng(0)
    records = [
        made_up.record(of(cells, classifier=classifier, resampler=resampler, fold=0), rng).model_copy(
            update={"measured": made_up.measured({"fit": seconds})}
        )
        for (classifier, resampler), seconds in RECORDED.items()
    ]
    return cells, CostModel(records)


def test_a_bill_by_hand(small):
    cells, model = small
    resources = {"cnn": Resources(cpus=2, gpus=0.5)}
    bill = bill_of(cells, model, resources, Machines(4, 1, price=0.5))
    lines = [(line.levels["resampler"], line.levels["classifier"], line.n_cells, line.hours) for line in bill.lines]
    assert lines == [("none", "cnn", 3, 3), ("ros", "cnn", 3, 6), ("none", "svm", 3, 1.5), ("iht", "svm", 3, 0)]
    assert (bill.cpu_hours, bill.gpu_hours, bill.n_unknown) == (19.5, 4.5, 3)
    # Two networks share the GPU and take all CPUs; they start at 0 (none, ros), 1.5 (none), 2 (ros), 2.5 (none) and 3.5
    # (ros, the last), SVMs at 1 (two) and 4.
    assert bill.seconds == 5.5 * 3600
    assert sentences(bill) == [
        "in all: 19.5 CPU-hours, 4.5 GPU-hours",
        "wall time: 5:30:00 on 4 CPUs and 1 GPU, at a cost of 2.75",
        "no estimate for 3 of 12 cells, because none like them has been run; "
        "--pilot runs a few of them first, keeps their records, and predicts the others from them",
    ]


def test_a_bill_as_json(small):
    cells, model = small
    bill = bill_of([cell for cell in cells if cell.fold], model, {}, Machines(1))
    said = json.loads(json.dumps(bill.to_json()))
    assert said["strata"][1] == {
        "dataset": "stl10",
        "imbalance": "10",
        "representation": "image",
        "classifier": "cnn",
        "resampler": "ros",
        "n_train": 2920,
        "cells": 2,
        "seconds": 7200.0,
        "basis": "recorded",
        "cpus": 1,
        "gpus": 0.0,
        "memory_gb": None,
    }
    assert said["strata"][3] | {"seconds": None, "basis": None} == said["strata"][3]
    assert (said["unknown"], said["cpu_hours"], said["gpu_hours"], said["wall_hours"]) == (2, 7, 0, 7)
    assert said["machines"] == {"cpus": 1, "gpus": 0, "memory_gb": None, "price": None}
    assert (said["cost"], said["spread"]) == (None, None)


def test_where_trials_have_no_room_no_time_is_told(small):
    cells, model = small
    bill = bill_of(cells, model, {"cnn": Resources(gpus=0.25)}, Machines(2))
    assert bill.seconds == inf
    assert bill.to_json()["wall_hours"] is None
    assert sentences(bill)[1] == (
        "wall time: none on 2 CPUs, where some trials have no room; expected at least 1 CPU, 0.25 GPU; "
        "see --cpus, --gpus, --memory-gb"
    )


def test_levels_of_one_name_are_told_apart():
    svms = [{"name": "svm", "C": 1.0}, {"name": "svm", "C": 9.0}]
    arms = [{"representation": "features", "classifier": svm, "resamplers": ["none"]} for svm in svms]
    bill = bill_of(expand(made_up.grid(arms=arms, datasets=["stl10"])), CostModel([]), {}, Machines(1))
    assert [line.levels["classifier"] for line in bill.lines[:2]] == ["svm(C=1.0)", "svm(C=9.0)"]


def test_nothing_is_said_of_nothing():
    assert sentences(bill_of([], CostModel([]), {}, Machines(1))) == []


GPUS_PER_TRIAL = {
    "the file's": ({"cnn": {"gpus": 0.5}}, None, {"cnn": 0.5, "svm": 0}),
    "instead of the file's": ({"cnn": {"gpus": 0.5}, "svm": {"gpus": 1.0}}, 0.25, {"cnn": 0.25, "svm": 0.25}),
    "only where the file gives any": ({"svm": {"gpus": 1.0}}, 0.25, {"cnn": 0, "svm": 0.25}),
    "else to what works on images": ({}, 0.25, {"cnn": 0.25, "svm": 0}),
    "none at all": ({"cnn": {"gpus": 0.5}}, 0, {"cnn": 0, "svm": 0}),
}


@pytest.mark.parametrize(("resources", "gpus_per_trial", "expected"), GPUS_PER_TRIAL.values(), ids=GPUS_PER_TRIAL)
def test_gpus_per_trial(resources, gpus_per_trial, expected):
    found = resources_of(made_up.grid(resources=resources), gpus_per_trial)
    assert {name: asked.gpus for name, asked in found.items()} == expected


@pytest.mark.parametrize("given", [-0.5, inf, float("nan")])
def test_gpus_per_trial_is_a_number_from_zero_on(given):
    with pytest.raises(UsageError, match=r"^--gpus-per-trial: got .*; expected at least 0; give another$"):
        resources_of(made_up.grid(), given)


def test_the_size_of_a_data_set_comes_from_the_cache(job_of, tmp_path, tiny, image_arm):
    job = job_of(Grid.model_validate(tiny | {"arms": [image_arm]}))
    load_inputs(job.cells[0], job.cache, Runtime())
    sizes = model_of(job).sizes(of(job.cells, imbalance=10))
    assert (sizes.n_train, sizes.all_largest, sizes.all_smallest) == (336, 1160, 110)
    nothing = Cache(tmp_path / "nothing")
    assert model_of(replace(job, cache=nothing)).sizes(job.cells[0]) is None
    assert not nothing.root.exists()
    broken = Cache(tmp_path / "broken")
    (tmp_path / "broken" / images_key(job.cells[0])).mkdir(parents=True)
    assert model_of(replace(job, cache=broken)).sizes(job.cells[0]) is None


def with_labels(job, n_train=1000, n_test=200):
    """Keep labels of ten equal classes for each data set of a job, as if its images had been read."""
    y = np.tile(np.arange(10), n_train + n_test)
    train, test = np.split(np.arange(len(y)), [10 * n_train])
    arrays = {"y": y, "part_train": train, "part_test": test, "notes": np.array([], dtype=np.str_)}
    for cell in {cell.dataset: cell for cell in job.cells}.values():
        names = np.array([str(label) for label in range(10)])
        job.cache.arrays(_labels_key(cell), lambda names=names: arrays | {"class_names": names})
    return job


def pilot(job, record_of):
    """Run a pilot, with records made up; return the levels of the cells of each round."""
    tried, rounds = set(), []
    while cells := pilot_cells(job, tried):
        tried |= {stratum_of(cell.identity()) for cell in cells}
        rounds.append({(cell.resampler.name, cell.imbalance.ir, cell.fold) for cell in cells})
        for cell in cells:
            job.store.write(record_of(cell), {})
    return rounds


def made_up_seconds(seconds):
    """Return what makes records of cells that took so long."""
    rng = np.random.default_rng(0)
    return lambda cell: made_up.record(cell, rng).model_copy(
        update={"measured": made_up.measured({"fit": seconds(cell)})}
    )


SVM = {"representation": "features", "classifier": "svm", "resamplers": ["none", "smote"]}


@pytest.mark.parametrize(("seconds", "n_rounds"), [(1.0, 2), (1000.0, 1)])
def test_a_pilot_runs_the_smallest_size_and_the_largest_if_that_is_cheap(job_of, tmp_path, seconds, n_rounds):
    job = with_labels(job_of(made_up.grid(arms=[SVM], datasets=["stl10"]), cache=Cache(tmp_path / "cache")))
    smallest, largest = {("none", 10, 0), ("smote", 10, 0)}, {("none", 2, 0), ("smote", 2, 0)}
    assert pilot(job, made_up_seconds(lambda cell: seconds)) == [smallest, largest][:n_rounds]
    assert pilot(job, made_up_seconds(lambda cell: seconds)) == []  # what is recorded is not run again
    assert {estimate.basis for cell in job.cells if (estimate := model_of(job).estimate(cell))} >= {"recorded"}
    assert all(model_of(job).estimate(cell) for cell in job.cells)


def test_a_pilot_runs_a_cell_of_every_kind(job_of, tmp_path):
    job = with_labels(job_of(made_up.grid(folds=1), cache=Cache(tmp_path / "cache")))
    first = pilot_cells(job, set())
    assert len(first) == 30
    assert {cell.imbalance.ir for cell in first} == {10}
    assert len({(cell.dataset, cell.representation, cell.classifier, cell.resampler) for cell in first}) == 30


@pytest.mark.parametrize("status", ["infeasible", "error"])
def test_a_pilot_goes_on_to_the_next_size_and_ends(job_of, tmp_path, status):
    job = with_labels(
        job_of(
            made_up.grid(arms=[SVM | {"resamplers": ["smote"]}], datasets=["stl10"]), cache=Cache(tmp_path / "cache")
        )
    )
    of_stl = made_up_seconds(lambda cell: 1000.0)

    def failing_at_10(cell):
        return made_up.failed(cell, status, "was so") if cell.imbalance.ir == 10 else of_stl(cell)

    assert pilot(job, failing_at_10) == [{("smote", 10, 0)}, {("smote", 5, 0)}]


def test_a_pilot_of_nothing_but_failures_ends(job_of, tmp_path):
    job = with_labels(
        job_of(
            made_up.grid(arms=[SVM | {"resamplers": ["smote"]}], datasets=["stl10"]), cache=Cache(tmp_path / "cache")
        )
    )
    rounds = pilot(job, lambda cell: made_up.failed(cell, "error", "was so"))
    assert [{ir for _, ir, _ in cells} for cells in rounds] == [{10}, {5}, {2}]


def test_a_forecast_learns_from_the_store(job_of):
    job = job_of(made_up.grid(arms=[SVM], datasets=["stl10"]))
    first, other = of(job.cells, imbalance=5, fold=0), of(job.cells, imbalance=5, fold=1)
    forecast = Forecast(job)
    assert forecast.seconds(other) is None
    forecast.learn(first)  # it left no record
    assert forecast.seconds(other) is None
    job.store.write(made_up_seconds(lambda cell: 42.0)(first), {})
    forecast.learn(first)
    assert forecast.seconds(other) == 42


CNN = {"representation": "image", "classifier": "cnn", "resamplers": ["none"]}


def on_a_card(record):
    return record.model_copy(
        update={"measured": record.measured.model_copy(update={"gpus": 0.25, "device": "NVIDIA H100"})}
    )


def test_a_pilot_on_a_card_predicts_what_is_given_a_card(job_of, tmp_path):
    job = with_labels(job_of(made_up.grid(arms=[CNN, SVM], datasets=["stl10"]), cache=Cache(tmp_path / "cache")))
    asked = {"cnn": Resources(gpus=0.25), "svm": Resources(gpus=0.25)}  # what the SVM is given makes no difference
    seconds = made_up_seconds(lambda cell: 100.0)
    assert pilot(job, lambda cell: on_a_card(seconds(cell)) if cell.uses_cards else seconds(cell))
    bills = [
        bill_of(job.cells, model_of(job, None, given_cards(given)), given, Machines(2, 1)) for given in (asked, {})
    ]
    known = [{line.levels["classifier"] for line in bill.lines if line.estimate} for bill in bills]
    assert known == [{"cnn", "svm"}, {"svm"}]
    assert sentences(bills[0])[-1] == "durations are those of NVIDIA H100 (a card)"
    of_cpus = bill_of(job.cells, CostModel([], on_card=given_cards(asked)), asked, Machines(2, 1))
    assert sentences(of_cpus)[-1].endswith("(on a machine with a card, for those that are given one)")


def test_a_pilot_without_a_card_does_not_go_on_for_ever(job_of, tmp_path):
    job = with_labels(job_of(made_up.grid(arms=[CNN], datasets=["stl10"]), cache=Cache(tmp_path / "cache")))
    seconds, tried, n_cells = made_up_seconds(lambda cell: 1000.0), set(), 0
    while cells := pilot_cells(job, tried, given_cards({"cnn": Resources(gpus=1.0)})):
        tried |= {stratum_of(cell.identity()) for cell in cells}
        n_cells += len(cells)
        for cell in cells:
            job.store.write(seconds(cell), {})
    assert n_cells == 3  # one of each imbalance ratio


def test_what_this_run_records_says_whether_trials_have_cards(job_of):
    job = job_of(made_up.grid(arms=[CNN], datasets=["stl10"]))
    first, other = of(job.cells, imbalance=5, fold=0), of(job.cells, imbalance=5, fold=1)
    forecast = Forecast(job, {"cnn": Resources(gpus=0.25)})
    job.store.write(made_up_seconds(lambda cell: 42.0)(first), {})
    assert forecast.seconds(other) is None
    forecast.learn(first)  # it was computed on CPUs, because there is no card
    assert forecast.seconds(other) == 42


def test_while_cells_run_ten_records_of_a_stratum_are_enough(job_of):
    job = job_of(made_up.grid(arms=[CNN], datasets=["stl10"], folds=12))
    *early, late, other = [cell for cell in job.cells if cell.imbalance.ir == 5][:12]
    forecast = Forecast(job)
    for cell in [*early, late]:
        job.store.write(made_up_seconds(lambda cell: 1000.0 if cell == late else 42.0)(cell), {})
        forecast.learn(cell)
    assert forecast.seconds(other) == 42


def plan(raygrid, *arguments):
    code, out, err = raygrid("plan", *arguments)
    assert (code, err) == (0, "")
    return out


def test_plan_prices_what_is_left(raygrid, grid_file, cells_of, tmp_path):
    store = Store(tmp_path / "store")
    assert raygrid("run", grid_file(), "--store", store.root, "--engine", "inline", "--only", "fold=0")[0] == 0
    seconds = {cell: sum(store.record(cell.key).measured.seconds.values()) for cell in cells_of() if not cell.fold}
    said = json.loads(plan(raygrid, grid_file(folds=5), "--store", store.root, "--cpus", 1, "--price", 3, "--json"))
    assert (said["name"], said["cells"], said["done"], said["infeasible"], said["todo"]) == ("tiny", 20, 4, 0, 16)
    assert [(line["imbalance"], line["resampler"], line["cells"], line["seconds"]) for line in said["strata"]] == [
        (cell.imbalance.text, cell.resampler.name, 4, approx(one)) for cell, one in seconds.items()
    ]
    assert said["wall_hours"] == approx(4 * sum(seconds.values()) / 3600) == approx(said["cpu_hours"])
    assert said["cost"] == approx(3 * said["wall_hours"])
    text = plan(raygrid, grid_file(folds=5), "--store", store.root)
    assert ["digits", "2", "features", "svm", "none"] in [line.split()[:5] for line in text.splitlines()]
    assert "no estimate" not in text


def test_a_pilot_runs_ordinary_cells_and_keeps_their_records(raygrid, grid_file, cells_of, tiny, tmp_path):
    arms = [tiny["arms"][0] | {"resamplers": ["none", SMOTE_OF_MANY]}]
    grid, store = grid_file(arms=arms), Store(tmp_path / "store")
    code, out, err = raygrid("plan", grid, "--store", store.root, "--pilot", "--engine", "inline")
    assert code == 0
    pilots = [line for line in err.splitlines() if line.startswith("pilot")]
    assert pilots == ["pilot: 2 of 8 cells", "pilot: 1 of 8 cells"]
    assert "infeasible" not in err  # SMOTE's cells at IR 10 are, which the sizes of the classes say beforehand
    refused = r"^infeasible: 2 cells: digits: smote: got 11 samples of class (\d), '\1'; expected at least 12.*wise$"
    assert len(re.findall(refused, out, re.M)) == 1
    cells = {(cell.imbalance.ir, cell.fold, cell.resampler.name): cell.key for cell in cells_of(arms=arms)}
    ran = [cells[10, 0, "none"], cells[2, 0, "none"], cells[2, 0, "smote"]]
    assert made_up.statuses(store) == dict.fromkeys(ran, "done")
    assert "3 done, 2 infeasible, 3 to do" in out
    assert raygrid("run", grid, "--store", store.root, "--engine", "inline")[2].startswith(
        "tiny: 8 cells: 3 done, 2 infeasible, 3 to do; "  # as the plan says
        "2 of the infeasible have no record yet, and get one\n"
    )


def test_without_records_a_plan_says_how_to_get_an_estimate(raygrid, grid_file, tmp_path):
    out = plan(raygrid, grid_file(), "--store", tmp_path / "store")
    assert out.splitlines()[-1].startswith("no estimate for 8 of 8 cells, because none like them has been run")
    assert "hours" not in out


MISTAKES = {
    "no CPUs": (["--cpus", "0"], "--cpus: got 0; expected at least 1; give another\n"),
    "a negative price": (["--price=-1"], "--price: got -1; expected a positive number; give another\n"),
    "a negative share": (["--gpus-per-trial=-1"], "--gpus-per-trial: got -1; expected at least 0; give another\n"),
}


@pytest.mark.parametrize(("arguments", "line"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line(raygrid, grid_file, tmp_path, arguments, line):
    assert raygrid("plan", grid_file(), "--store", tmp_path / "store", *arguments) == (2, "", line)
