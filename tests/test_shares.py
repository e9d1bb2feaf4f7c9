"""Resources that are `auto`: what stands in their place, and that as many trials run side by side as there is room."""

from dataclasses import replace

import made_up
import numpy as np
import pytest
from pydantic import ValidationError

from raygrid.costs.schedule import Machines, wall_seconds
from raygrid.costs.shares import Peak, largest, n_on_card, peaks_of, sentences, settled, unmeasured
from raygrid.errors import UsageError
from raygrid.gridfile.resources import Resources, changed
from raygrid.storage.store import Store

AUTO = Resources.model_validate({"cpus": 2, "gpus": "auto", "memory_gb": "auto"})
PEAKS = {"cnn": Peak(12, memory_mb=1960.0, card_share=0.2)}


def test_auto_is_a_whole_card_and_no_memory_until_something_is_recorded():
    assert settled({"cnn": AUTO}, {}) == {"cnn": Resources(cpus=2, gpus=1.0)}
    assert sentences({"cnn": AUTO}, {}) == [
        "resources: cnn: memory_gb: auto asks for none, until a cell of each kind is recorded",
        "resources: cnn: gpus: auto is a whole card, until a cell of each kind is recorded on one",
    ]


def test_auto_is_the_most_that_was_recorded_and_a_fifth_more():
    assert settled({"cnn": AUTO}, PEAKS) == {"cnn": Resources(cpus=2, gpus=0.25, memory_gb=2.4)}
    assert sentences({"cnn": AUTO}, PEAKS) == [
        "resources: cnn: memory_gb: auto is 2.4: the most that 12 records took, 1.96 GB, and 20% more",
        "resources: cnn: gpus: auto is 0.25, 4 trials a card: a trial took 20% of its memory, and 20% more",
    ]


def test_what_is_a_number_stays_and_is_not_spoken_of():
    asked = {"cnn": Resources(gpus=0.5, memory_gb=1.0)}
    assert settled(asked, PEAKS) == asked
    assert sentences(asked, PEAKS) == []


@pytest.mark.parametrize(("share", "n"), [(0.9, 1), (1.0, 1), (0.42, 1), (0.41, 2), (0.27, 3), (0.01, 83)])
def test_trials_on_a_card_fit_with_headroom(share, n):
    assert n_on_card(Peak(1, 0.0, share)) == n
    gpus = settled({"cnn": AUTO}, {"cnn": Peak(1, 0.0, share)})["cnn"].gpus
    assert n * gpus <= 1 < (n + 1) * gpus * 1.02


@pytest.mark.parametrize(("machines", "at_once"), [(Machines(64, 0, memory_gb=8), 3), (Machines(64, 2), 8)])
def test_as_many_run_side_by_side_as_there_is_room(machines, at_once):
    given = settled({"cnn": AUTO}, PEAKS)["cnn"]
    given = given if machines.gpus else given.with_numbers(gpus=0)
    assert wall_seconds([(10.0, given)] * (3 * at_once), machines) == 30
    assert wall_seconds([(10.0, given)] * (3 * at_once + 1), machines) == 40


def test_peaks_are_those_of_done_cells_of_a_kind(cells_of):
    cells = cells_of()[:3]
    first, second, failed = (made_up.record(cell, np.random.default_rng(0)) for cell in cells)

    def of(record, **measured):
        return record.model_copy(update={"measured": record.measured.model_copy(update=measured)})

    failed = of(failed, peak_memory_mb=9999.0).model_copy(update={"status": "error"})
    records = [of(first, peak_memory_mb=700.0), of(second, card_share=0.3, peak_memory_mb=500.0), failed]
    assert largest(peaks_of(records), cells) == {"svm": Peak(2, 700.0, 0.3)}


def test_a_classifier_is_given_what_its_largest_kind_takes_once_each_is_measured(cells_of):
    small = cells_of()[0]
    large = replace(small, image_size=2 * small.image_size)
    record = made_up.record(small, np.random.default_rng(0))
    peaks = peaks_of([record])
    assert list(unmeasured([small, large], {"svm": AUTO}, peaks).values()) == [[large]]
    assert set(largest(peaks, [small])) == {"svm"}
    assert largest(peaks, [small, large]) == {}
    more = record.measured.model_copy(update={"card_share": 0.8})
    peaks = peaks_of([record, record.model_copy(update={"cell": large.identity(), "measured": more})])
    assert largest(peaks, [small, large])["svm"].card_share == 0.8
    assert largest(peaks, [small])["svm"].card_share < 0.8  # kinds of other grids do not count


@pytest.mark.parametrize(("tried", "given"), [(0.0, 1.0), (0.1, 0.2), (0.25, 0.5), (0.75, 1.0), (1.0, 1.0)])
def test_cells_like_one_that_ran_out_of_memory_get_twice_its_share(cells_of, tried, given):
    cell = cells_of()[0]
    done = made_up.record(cell, np.random.default_rng(0))
    done = done.model_copy(update={"measured": done.measured.model_copy(update={"card_share": 0.05})})
    measured = done.measured.model_copy(update={"gpus": tried})
    failed = done.model_copy(update={"status": "oom", "measured": measured})
    assert largest(peaks_of([failed]), [cell]) == {}  # a whole card, too
    assert settled({"svm": AUTO}, largest(peaks_of([done]), [cell]))["svm"].gpus < 0.07
    peaks = largest(peaks_of([done, failed]), [cell])
    assert settled({"svm": AUTO}, peaks)["svm"].gpus == given
    assert sentences({"svm": AUTO}, peaks)[-1].endswith(", because a trial ran out of memory")


def test_only_what_has_auto_and_no_record_is_measured_first(cells_of):
    cells = cells_of()
    (kind,) = unmeasured(cells, {"svm": AUTO}, {})
    assert unmeasured(cells, {"svm": AUTO}, {kind: PEAKS["cnn"]}) == {}
    assert unmeasured(cells, {"svm": Resources()}, {}) == {}


def test_a_flag_takes_auto_and_replaces_it():
    assert changed({}, ["svm:memory_gb=auto"])["svm"].auto == ("memory_gb",)
    assert changed({"svm": AUTO}, ["svm:memory_gb=3"])["svm"] == Resources.model_validate(
        {"cpus": 2, "gpus": "auto", "memory_gb": 3.0}
    )
    assert AUTO.with_numbers(gpus=0.5).auto == ("memory_gb",)
    with pytest.raises(UsageError, match="names cpus, gpus, memory_gb, timeout_s"):
        changed({}, ["svm:cpus=auto"])
    with pytest.raises(ValidationError):
        Resources.model_validate({"cpus": "auto"})


def test_a_run_measures_one_cell_and_says_what_the_others_are_given(raygrid, grid_file, tmp_path):
    grid, store = grid_file(resources={"svm": {"memory_gb": "auto"}}), tmp_path / "store"
    assert "memory_gb: auto asks for none" in raygrid("plan", grid, "--store", store)[1]
    code, _, err = raygrid("run", grid, "--store", store, "--engine", "inline", "--only", "fold=0")
    assert code == 0
    assert "resources: auto: first 1 cell, to measure what a trial takes" in err
    (peak,) = peaks_of(Store(store).records().values()).values()
    assert peak.n_records == 4
    assert "resources: svm: memory_gb: auto is " in err
    assert "first 1 cell" not in raygrid("run", grid, "--store", store, "--engine", "inline")[2]
    assert "the most that 8 records took" in raygrid("plan", grid, "--store", store)[1]
