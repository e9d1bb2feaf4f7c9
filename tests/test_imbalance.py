"""Class sizes: by hand, from the literature, and what holds for all of them."""

from math import floor

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from raygrid.imbalance import PROFILES, Exponential, Harmonic, Linear, Natural, Profile, Step

HARMONIC = {
    "STL-10, balanced": (500, 10, 1, [500] * 10),
    "STL-10, IR 2": (500, 10, 2, [500, 450, 409, 375, 346, 321, 300, 281, 264, 250]),
    "STL-10, IR 5": (500, 10, 5, [500, 346, 264, 214, 180, 155, 136, 121, 109, 100]),
    "STL-10, IR 10: r_i is i": (500, 10, 10, [500, 250, 166, 125, 100, 83, 71, 62, 55, 50]),
    "MNIST's smallest class, IR 10": (5421, 10, 10, [5421, 2710, 1807, 1355, 1084, 903, 774, 677, 602, 542]),
    "what is not there is not made up": (3, 10, 10, [3, 1, 1, 0, 0, 0, 0, 0, 0, 0]),
    "two classes": (100, 2, 2.5, [100, 40]),
    "a steep ratio": (1000, 5, 100, [1000, 38, 19, 13, 10]),
    "980 / (98 / 90) is 900": (980, 10, 1.1, [980, 969, 958, 948, 938, 928, 918, 909, 900, 890]),
}


@pytest.mark.parametrize(("n", "n_classes", "ir", "sizes"), HARMONIC.values(), ids=HARMONIC)
def test_the_first_studys_sizes(n, n_classes, ir, sizes):
    assert Harmonic(ir=ir).kept([n] * n_classes) == sizes


def test_sizes_are_exact_where_floating_point_is_not():
    ratio = 1 + (1.1 - 1) / (10 - 1) * 8
    assert floor(980 / ratio) == 899  # the trap: in numbers that end, 980 / (98 / 90) is 900
    assert Harmonic(ir=1.1).size(980, 8, 10) == 900
    assert int(4 * 1024 ** (-2 / 10)) == 0  # and another: 4 / 4
    assert Exponential(ir=1024).size(4, 2, 11) == 1


def test_long_tailed_cifar():
    # Cui et al. (2019) and Cao et al. (2019) print 12,406 and 13,996 training images; IR 100 class by class.
    assert Exponential(ir=100).kept([5000] * 10) == [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
    assert {ir: sum(Exponential(ir=ir).kept([5000] * 10)) for ir in (10, 50, 100, 200)} == {
        10: 20431,
        50: 13996,
        100: 12406,
        200: 11203,
    }
    assert sum(Exponential(ir=100).kept([500] * 100)) == 10847  # CIFAR-100-LT


def test_step_and_linear():
    # Buda et al. (2018), figure 1: half of the classes are small; sizes that fall by equal steps.
    assert Step(ir=10).kept([5000] * 10) == [5000] * 5 + [500] * 5
    assert Step(ir=10, minority=0.2).kept([100] * 10) == [100] * 8 + [10] * 2
    assert Step(ir=2, minority=0.01).kept([100] * 3) == [100, 100, 50]
    assert Linear(ir=10).kept([5000] * 10) == [5000 - 500 * i for i in range(10)]


def test_natural_keeps_everything():
    assert Natural().sizes([60, 6, 40], Natural().order([60, 6, 40], seed=0)).tolist() == [60, 6, 40]
    assert Natural().order([60, 6, 40, 40], seed=0).tolist() == [0, 2, 3, 1]


RATIOS = st.one_of(st.integers(1, 100), st.integers(100, 10000).map(lambda hundredths: hundredths / 100))
KINDS = st.sampled_from([Harmonic, Exponential, Linear, Step])


@settings(deadline=None)
@given(kind=KINDS, n=st.integers(1, 100_000), n_classes=st.integers(2, 100), ir=RATIOS)
def test_sizes_start_at_n_and_never_rise(kind, n, n_classes, ir):
    sizes = kind(ir=ir).kept([n] * n_classes)
    assert len(sizes) == n_classes
    assert sizes[0] == n
    assert min(sizes) >= 0
    assert (np.diff(sizes) <= 0).all()


@settings(deadline=None)
@given(kind=KINDS, last=st.integers(1, 1000), n_classes=st.integers(2, 100), ir=st.integers(1, 100))
def test_the_ratio_of_the_first_class_to_the_last_is_ir(kind, last, n_classes, ir):
    sizes = kind(ir=ir).kept([last * ir] * n_classes)
    assert (sizes[0], sizes[-1]) == (last * ir, last)


@settings(deadline=None)
@given(kind=KINDS, n=st.integers(1, 10_000), n_classes=st.integers(2, 50), irs=st.tuples(RATIOS, RATIOS))
def test_more_imbalance_keeps_no_more_of_any_class(kind, n, n_classes, irs):
    wide, narrow = (kind(ir=ir).kept([n] * n_classes) for ir in sorted(irs))
    assert all(less <= more for less, more in zip(narrow, wide, strict=True))


@settings(deadline=None)
@given(
    kind=KINDS,
    available=st.lists(st.integers(1, 2000), min_size=2, max_size=30),
    ir=RATIOS,
    order=st.sampled_from(["random", "given", "by_size"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_never_more_than_there_is_and_no_larger_n_would_fit(kind, available, ir, order, seed):
    profile = kind(ir=ir, class_order=order)
    ranked = profile.order(available, seed=seed)
    assert sorted(ranked) == list(range(len(available)))
    sizes = profile.sizes(available, ranked)[ranked].tolist()
    there = [available[label] for label in ranked]
    assert all(size <= most for size, most in zip(sizes, there, strict=True))
    if order == "random":  # the same sizes in every fold, because any class may come first
        assert sizes[0] == min(available)
    else:
        more = [profile.size(sizes[0] + 1, rank, len(available)) for rank in range(len(available))]
        assert any(size > most for size, most in zip(more, there, strict=True))


def test_by_size_makes_the_most_of_data_that_are_imbalanced_already():
    sizes = [6, 60, 40, 25, 12]
    profile = Exponential(ir=10, class_order="by_size")
    assert profile.sizes(sizes, profile.order(sizes, seed=0)).tolist() == [6, 60, 33, 18, 10]
    in_any_order = Exponential(ir=10)
    assert sum(in_any_order.sizes(sizes, in_any_order.order(sizes, seed=0))) == sum([6, 3, 1, 1, 0])


def test_the_test_part_has_a_rule_of_its_own():
    def sizes(**parameters):
        return Harmonic(ir=2, **parameters).test_sizes([25, 20, 31], np.arange(3)).tolist()

    assert sizes() == [20, 13, 10]
    assert sizes(class_order="given") == [25, 16, 12]
    assert sizes(test="balanced") == [20, 20, 20]
    assert sizes(test="natural") == [25, 20, 31]


@pytest.mark.parametrize("bad", [{"ir": 0.5}, {"ir": float("nan")}, {"ir": "2"}, {}, {"ir": 2, "class_order": "any"}])
def test_parameters_are_checked(bad):
    with pytest.raises(ValidationError):
        Exponential(**bad)


def test_a_profile_of_the_users_own_cannot_keep_more_than_there_is():
    class Greedy(Profile):
        name: str = "greedy"

        def kept(self, available):
            return [10**6] * len(available)

    assert Greedy(class_order="given").sizes([3, 5], np.arange(2)).tolist() == [3, 5]


@given(ir=RATIOS)
def test_an_order_depends_on_the_fold_and_not_on_the_ratio(ir):
    assume(ir != 2)
    assert Harmonic(ir=ir).order([5] * 8, seed=3).tolist() == Harmonic(ir=2).order([9] * 8, seed=3).tolist()
    assert Exponential(ir=ir).order([5] * 8, seed=3).tolist() == Harmonic(ir=2).order([9] * 8, seed=3).tolist()


def test_what_seeds_know_of_a_level():
    assert Harmonic(ir=2).stream == 2.0  # as in the first study: its random numbers stay the same
    others = [Harmonic(ir=2, class_order="given"), Harmonic(ir=2, test="balanced"), Exponential(ir=2), Linear(ir=2)]
    assert len({Harmonic(ir=2).stream, *(level.stream for level in others)}) == 5


def test_profiles_have_the_names_and_defaults_that_a_grid_file_knows():
    assert list(PROFILES) == ["natural", "harmonic", "exponential", "linear", "step"]
    made = {name: profile(**({} if name == "natural" else {"ir": 2})) for name, profile in PROFILES.items()}
    assert {name: profile.name for name, profile in made.items()} == {name: name for name in PROFILES}
    assert {profile.test for profile in made.values()} == {"same"}
    assert [profile.class_order for profile in made.values()] == ["by_size"] + ["random"] * 4
    assert Step(ir=2).minority == 0.5
