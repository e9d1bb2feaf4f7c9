"""Learning rates by epoch, and when a training stops, by hand."""

from math import nan

import pytest

from raygrid.classifiers.cnn import Cnn
from raygrid.classifiers.training.schedules import SCHEDULES, Constant, Cosine, Step
from raygrid.classifiers.training.stopping import EarlyStopping, best_epoch, is_over


def multiples(schedule, epochs):
    return pytest.approx([schedule.multiple(epoch, epochs) for epoch in range(epochs)])


def test_every_registered_name_is_its_levels_own():
    assert [level.model_fields["name"].default for level in SCHEDULES.values()] == list(SCHEDULES)


def test_constant_with_warm_up():
    assert multiples(Constant(), 3) == [1, 1, 1]
    assert multiples(Constant(warm_up=4), 6) == [0.25, 0.5, 0.75, 1, 1, 1]


def test_steps_are_after_so_many_epochs():
    assert multiples(Step(after=(2, 4)), 6) == [1, 1, 0.1, 0.1, 0.01, 0.01]
    assert multiples(Step(after=(3,), factor=0.5, warm_up=2), 5) == [0.5, 1, 1, 0.5, 0.5]


def test_a_cosine_falls_from_one_along_its_half():
    root = 2**0.5 / 2
    assert multiples(Cosine(), 4) == [1, (1 + root) / 2, 0.5, (1 - root) / 2]
    assert multiples(Cosine(warm_up=2), 6) == [0.5, 1, 1, (1 + root) / 2, 0.5, (1 - root) / 2]


def test_the_learning_rate_of_an_epoch_is_a_multiple_of_the_setting():
    cnn = Cnn(learning_rate=0.1, optimizer="sgd", epochs=200, schedule={"name": "step", "after": [160, 180]})
    rates = [cnn.learning_rate_of(epoch) for epoch in (0, 159, 160, 179, 180, 199)]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001])
    assert Cnn().learning_rate_of(49) == pytest.approx(1e-4)


def test_the_first_of_the_best_epochs_is_best():
    assert best_epoch([0.2, 0.5, 0.5, 0.4], by="AvAcc") == 1
    assert best_epoch([0.9, 0.3, 0.3], by="loss") == 1
    assert best_epoch([nan, 0.1, nan], by="CBA") == 1
    assert best_epoch([nan, nan], by="loss") == 0


@pytest.mark.parametrize(
    ("values", "after"),
    [([0.1, 0.2, 0.2, 0.2, 0.2], 4), ([0.3, 0.2, 0.4, 0.1, 0.3], 5), ([0.1, 0.2, 0.3, 0.4], None)],
)
def test_it_stops_after_patience_epochs_without_a_better_one(values, after):
    stopping = EarlyStopping(patience=2)
    ended = [n for n in range(1, len(values) + 1) if is_over(values[:n], stopping)]
    assert ended[:1] == ([] if after is None else [after])
