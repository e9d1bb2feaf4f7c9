"""The contract of levels: raygrid's own keep it, and a class that breaks it in one way is told so in one line."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from scipy.sparse import csr_matrix, eye_array

from raygrid.classifiers import Classifier, Svm
from raygrid.classifiers.scores import Scoring
from raygrid.commands.test import of_every_level, of_inputs, of_parts, of_training
from raygrid.commands.test.expect import ContractError
from raygrid.commands.test.of_inputs import OF_DATASETS, OF_REPRESENTATIONS
from raygrid.commands.test.of_parts import OF_PROFILES, OF_SPLITS
from raygrid.commands.test.of_training import OF_CLASSIFIERS, OF_RESAMPLERS
from raygrid.datasets import DATASETS, DatasetLevel, Images
from raygrid.imbalance import Exponential, Harmonic, Linear, Natural, Profile, Step
from raygrid.level import ExistingPath, Level
from raygrid.representations import REPRESENTATIONS, Representation
from raygrid.representations.features import Features
from raygrid.resampling import RESAMPLERS, Resampler
from raygrid.splits import Holdout, Official, Split, StratifiedKFold

EXAMPLES = Path(__file__).parents[1] / "examples"

FEATURES = Features(alpha=0.25, weights="embedded")
KEEPING = [
    (DATASETS["digits"](), OF_DATASETS),
    (REPRESENTATIONS["image"](), OF_REPRESENTATIONS),
    pytest.param(FEATURES, OF_REPRESENTATIONS, marks=pytest.mark.slow),  # it builds a network for every check
    *((RESAMPLERS[name](), OF_RESAMPLERS) for name in ("none", "ros", "rus", "smote", "smote_enn")),
    (Svm(), OF_CLASSIFIERS),
    *((level, OF_PROFILES) for level in (Natural(), Harmonic(ir=1.5), Exponential(ir=100), Linear(ir=3), Step(ir=10))),
    *((level, OF_SPLITS) for level in (Official(), Holdout(test=0.3), StratifiedKFold(n_splits=3))),
]


@pytest.mark.parametrize(("level", "checks"), KEEPING, ids=lambda value: getattr(value, "name", ""))
def test_raygrids_own_levels_keep_it(level, checks):
    of_every_level.is_frozen(level)
    of_every_level.identity_is_json(level)
    of_every_level.identity_names_no_path(level)
    for check in checks:
        check(level)


def noise(*shape: int) -> Any:
    return np.random.default_rng().integers(0, 256, shape, dtype=np.uint8)


class Bright(DatasetLevel):
    name: str = "bright"

    def load(self, image_size: int, interpolation: str) -> Images:
        X, y = np.full((4, image_size, image_size, 3), 255, np.uint8), np.array([0, 1, 0, 1])
        return Images.of_parts({"train": (X, y), "test": (X, y)}, ("a", "b"))


class Reads(Bright):
    path: ExistingPath


class Counted(Bright):
    def fingerprint(self) -> int:
        return 3


class Miscounts(Bright):
    def n_images(self) -> int:
        return 7


class OneSize(Bright):
    def load(self, image_size: int, interpolation: str) -> Images:
        return super().load(8, interpolation)


class Random(Bright):
    def load(self, image_size: int, interpolation: str) -> Images:
        images = super().load(image_size, interpolation)
        return replace(images, X=noise(*images.X.shape))


class Means(Representation):
    gives = "vectors"
    name: str = "means"

    def transform(self, X: Any, *, seed: int) -> Any:
        return X.mean(axis=(1, 2), dtype=np.float32)


class Flat(Means):
    def transform(self, X: Any, *, seed: int) -> Any:
        return X.mean(axis=(1, 2, 3))


class Infinite(Means):
    def transform(self, X: Any, *, seed: int) -> Any:
        return super().transform(X, seed=seed) * np.inf


class Centred(Means):
    def transform(self, X: Any, *, seed: int) -> Any:
        means = super().transform(X, seed=seed)
        return means - means.mean(axis=0)


class Seeded(Means):
    def transform(self, X: Any, *, seed: int) -> Any:
        return super().transform(X, seed=seed) + seed


class Unseeded(Means):
    is_seeded: ClassVar[bool] = True


class Moody(Means):
    def transform(self, X: Any, *, seed: int) -> Any:
        return super().transform(X, seed=seed) + np.random.default_rng().random()


class Blackens(Means):
    def transform(self, X: Any, *, seed: int) -> Any:
        if X.flags.writeable:
            X[:] = 0
        return super().transform(X, seed=seed)


class Modest(Means):
    def bytes_per_image(self, image_size: int) -> int:
        return 1


class Keep(Resampler):
    name: str = "keep"

    def _fit(self, X: Any, y: Any, seed: int) -> Any:
        return eye_array(len(y), format="csr"), y


class OldMatrix(Keep):
    def _fit(self, X: Any, y: Any, seed: int) -> Any:
        return csr_matrix(super()._fit(X, y, seed)[0]), y


class Doubles(Keep):
    def _fit(self, X: Any, y: Any, seed: int) -> Any:
        return 2 * super()._fit(X, y, seed)[0], y


class Short(Keep):
    def _fit(self, X: Any, y: Any, seed: int) -> Any:
        return super()._fit(X, y, seed)[0], y[:-1]


class Undefined(Keep):
    def _fit(self, X: Any, y: Any, seed: int) -> Any:
        A, labels = super()._fit(X, y, seed)
        return A * np.nan, labels


class Forgetful(Keep):
    def _fit(self, X: Any, y: Any, seed: int) -> Any: ...


class Invents(Keep):
    def _fit(self, X: Any, y: Any, seed: int) -> Any:
        return super()._fit(X, y, seed)[0], np.where(np.arange(len(y)) == 0, 9, y)


class Shuffles(Keep):
    def _fit(self, X: Any, y: Any, seed: int) -> Any:
        order = np.random.default_rng().permutation(len(y))
        return super()._fit(X, y, seed)[0][order], y[order]


class Relabels(Keep):
    def _fit(self, X: Any, y: Any, seed: int) -> Any:
        kept = y.copy()
        y[:] = 0
        return super()._fit(X, kept, seed)


class NeedsTwo(Keep):
    def _fit(self, X: Any, y: Any, seed: int) -> Any:
        if np.bincount(y).min() < 2:
            raise ValueError("too few")
        return super()._fit(X, y, seed)


class Constant(Classifier):
    takes = "vectors"
    name: str = "constant"

    def fit(self, X: Any, A: Any, y: Any, *, seed: int, checkpoint: Any) -> Any:
        return SimpleNamespace(predict=lambda X: np.zeros(len(X), np.int64))


class Floats(Constant):
    def fit(self, X: Any, A: Any, y: Any, *, seed: int, checkpoint: Any) -> Any:
        return SimpleNamespace(predict=lambda X: np.zeros(len(X)))


class Strange(Constant):
    def fit(self, X: Any, A: Any, y: Any, *, seed: int, checkpoint: Any) -> Any:
        return SimpleNamespace(predict=lambda X: np.full(len(X), 5))


class Small(Constant):
    def fit(self, X: Any, A: Any, y: Any, *, seed: int, checkpoint: Any) -> Any:
        return SimpleNamespace(predict=lambda X: np.zeros(len(X), np.int32))


class Untrained(Constant):
    def fit(self, X: Any, A: Any, y: Any, *, seed: int, checkpoint: Any) -> Any: ...


class Narrow(Constant):
    def fit(self, X: Any, A: Any, y: Any, *, seed: int, checkpoint: Any) -> Any:
        return Scored(lambda X: np.full((len(X), 2), 0.5))


class Diverged(Constant):
    def fit(self, X: Any, A: Any, y: Any, *, seed: int, checkpoint: Any) -> Any:
        return Scored(lambda X: np.full((len(X), 3), np.nan))


class Scored(Scoring):
    def __init__(self, scores: Any) -> None:
        self.scores = scores  # type: ignore[method-assign]

    def scores(self, X: Any) -> Any: ...


class Forgets(Constant):
    seeds: ClassVar[list[int]] = []

    def fit(self, X: Any, A: Any, y: Any, *, seed: int, checkpoint: Any) -> Any:
        self.seeds.append(seed)
        return SimpleNamespace(predict=lambda X: np.full(len(X), self.seeds[-1]))


class Guesses(Constant):
    def fit(self, X: Any, A: Any, y: Any, *, seed: int, checkpoint: Any) -> Any:
        labels = np.random.default_rng().integers(0, 3, 1000)
        return SimpleNamespace(predict=lambda X: labels[: len(X)])


class Zeroes(Constant):
    def fit(self, X: Any, A: Any, y: Any, *, seed: int, checkpoint: Any) -> Any:
        A.data[:] = 0
        return super().fit(X, A, y, seed=seed, checkpoint=checkpoint)


class Negative(Profile):
    name: str = "negative"

    def kept(self, available: Any) -> Any:
        return [n - 100 for n in available]


class Fractions(Negative):
    def kept(self, available: Any) -> Any:
        return [n / 2 for n in available]


class Rising(Negative):
    def kept(self, available: Any) -> Any:
        return [min(rank, n) for rank, n in enumerate(available)]


class Drawn(Negative):
    def kept(self, available: Any) -> Any:
        return [int(np.random.default_rng().integers(0, n + 1)) for n in available]


class Overlapping(Split):
    name: str = "overlapping"

    def parts(self, data: Any, *, fold: int, seed: int) -> Any:
        every = np.arange(len(data.y))
        return {"train": every[::2], "test": every}


class Ordered(Overlapping):
    def parts(self, data: Any, *, fold: int, seed: int) -> Any:
        return {"train": np.flatnonzero(data.y < 2), "test": np.flatnonzero(data.y >= 2)}


class Shuffled(Overlapping):
    def parts(self, data: Any, *, fold: int, seed: int) -> Any:
        drawn = np.random.default_rng().integers(0, 2, len(data.y))
        return {"train": np.flatnonzero(drawn), "test": np.flatnonzero(drawn == 0)}


class Thawed(Keep, frozen=False):
    pass


class Tuples(Keep):
    def identity(self) -> dict[str, Any]:
        return super().identity() | {"sizes": (1, 2)}


class Follows(Keep):
    order: ExistingPath

    def identity(self) -> dict[str, Any]:
        return self.as_dict()


class NoNumber(Keep):
    def identity(self) -> dict[str, Any]:
        return super().identity() | {"size": float("nan")}


SELF = Path(__file__)
BREAKING: list[tuple[Any, Level, str]] = [
    (of_every_level.is_frozen, Thawed(), "a model_config that is not frozen"),
    (of_every_level.identity_is_json, Tuples(), r"'sizes': \(1, 2\)}, which JSON makes .*\[1, 2\]"),
    (of_every_level.identity_is_json, NoNumber(), "not JSON compliant"),
    (of_every_level.identity_names_no_path, Follows(order=SELF), "^got order: .*; put the file's checksum there"),
    (of_inputs.content_has_a_fingerprint, Counted(), "^got 3; expected text$"),
    (of_inputs.images_are_as_asked_for, OneSize(), r"shape \(8, 8, 3\); expected \(32, 32, 3\)$"),
    (of_inputs.images_are_always_the_same, Random(), "^got another X at the second call$"),
    (of_inputs.images_are_counted, Miscounts(), "^got 7; expected 8 or None$"),
    (
        of_inputs.images_become_what_it_gives,
        Flat(),
        r"shape \(8,\) of images of .*; it gives vectors$",
    ),
    (of_inputs.images_become_what_it_gives, Infinite(), "not all of it finite"),
    (of_inputs.every_image_is_mapped_by_itself, Centred(), "^got values that differ by up to "),
    (of_inputs.the_seed_counts_as_said, Seeded(), "^got another result for another seed"),
    (of_inputs.the_seed_counts_as_said, Unseeded(), "^got the same result for another seed"),
    (of_inputs.the_seed_counts_as_said, Moody(), "at the second call$"),
    (of_inputs.images_are_left_as_they_are, Blackens(), "after the call$"),
    (of_inputs.memory_is_told, Modest(), "^got 1; it becomes 12$"),
    (of_training.rows_are_mixtures, OldMatrix(), "^got csr_matrix, float64 of shape"),
    (of_training.rows_are_mixtures, Doubles(), "^got rows that sum to 2 to 2$"),
    (
        of_training.rows_are_mixtures,
        Short(),
        r"^keep: _fit returned A of shape \(96, 96\) and y of shape \(95,\); expected \(n, 96\) and \(n,\)$",
    ),
    (
        of_training.rows_are_mixtures,
        Undefined(),
        "^keep: _fit returned NaN or infinite shares of samples; expected finite ones$",
    ),
    (of_training.rows_are_mixtures, Forgetful(), "^keep: _fit returned NoneType; expected A, y$"),
    (of_training.rows_are_mixtures, Invents(), "^keep: _fit returned label 9; expected those of y, 0 to 2$"),
    (of_training.one_seed_gives_one_resampled_set, Shuffles(), "at the second call$"),
    (of_training.labels_are_left_as_they_are, Relabels(), "^got other labels after the call$"),
    (of_training.any_sizes_will_do, NeedsTwo(), r"^got ValueError for sizes \(20, 1, 3\): too few$"),
    (
        of_training.labels_are_predicted,
        Floats(),
        r"^predict: got float64 of shape \(24,\), such as 0.0; expected 24 wh",
    ),
    (of_training.labels_are_predicted, Strange(), "^predict: got label 5; expected labels 0 to 2$"),
    (of_training.labels_are_predicted, Untrained(), "^fit: got NoneType; expected a trained classifier"),
    (of_training.labels_are_predicted, Small(), "int32 of shape"),
    (
        of_training.labels_are_predicted,
        Narrow(),
        r"^scores: got float64 of shape \(24, 2\); expected \(24, 3\), a column",
    ),
    (of_training.labels_are_predicted, Diverged(), "^scores: got NaN or infinite values for 24 of 24 samples"),
    (of_training.one_seed_gives_one_classifier, Forgets(), "^got other predictions after another fit$"),
    (of_training.one_seed_gives_one_classifier, Guesses(), "^got another result at the second fit$"),
    (of_parts.sizes_are_within_what_there_is, Negative(), "^got -55 for rank 2; expected 0 to 45$"),
    (of_parts.sizes_are_within_what_there_is, Fractions(), "^got 250.0 for rank 0; expected a whole number$"),
    (of_parts.sizes_fall_with_the_rank, Rising(), "^got .* of 500 each$"),
    (of_parts.sizes_are_always_the_same, Drawn(), "^got .*, then "),
    (of_parts.parts_are_disjoint, Overlapping(), "^got an index that is in two parts$"),
    (of_parts.every_class_is_on_both_sides, Ordered(), "^got no sample of class "),
    (of_parts.one_seed_gives_one_split, Shuffled(), "^got other parts at the second call$"),
    (of_training.mixtures_are_left_as_they_are, Zeroes(), "^got another matrix or labels after the call$"),
]


@pytest.mark.parametrize(("check", "level", "said"), BREAKING, ids=lambda value: type(value).__name__)
def test_a_class_that_breaks_it_in_one_way_is_found_out(check, level, said):
    with pytest.raises((ContractError, ValueError), match=said):
        check(level)


@pytest.mark.parametrize("level", [Bright(), Means(), Keep(), Constant()], ids=lambda level: level.name)
def test_what_those_break_is_kept_otherwise(level):
    kind = next(kind for kind in (DatasetLevel, Representation, Resampler, Classifier) if isinstance(level, kind))
    checks = {DatasetLevel: OF_DATASETS, Representation: OF_REPRESENTATIONS, Resampler: OF_RESAMPLERS}
    for check in checks.get(kind, OF_CLASSIFIERS):
        check(level)


class FollowsContent(Keep):
    path: ExistingPath


@pytest.mark.parametrize("level", [Reads, FollowsContent])
def test_what_lies_at_a_path_is_known_by_its_content(level, tmp_path):
    for folder, text in (("a", "x"), ("b", "x"), ("c", "y")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").write_text(text)
    a, b, c = (level(path=tmp_path / folder).identity() for folder in "abc")
    assert a == b != c
    assert level(path=tmp_path / "a" / "file").identity() == level(path=tmp_path / "b" / "file").identity()
    of_every_level.identity_names_no_path(level(path=tmp_path / "a"))


@pytest.mark.parametrize("arguments", ["Bars path=bars", "Blend", "NearestMean"])
def test_the_example_keeps_it(raygrid, monkeypatch, arguments):
    monkeypatch.chdir(EXAMPLES)
    code, out, err = raygrid("test", *f"own_levels:{arguments}".split())
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) >= 6
    assert all(line.startswith("ok    ") for line in lines)


def test_a_class_that_fails_is_told_line_by_line(raygrid, monkeypatch, tmp_path):
    (tmp_path / "failing_levels.py").write_text(
        "from raygrid.resampling import Resampler\n\n"
        "class Raises(Resampler):\n    n: int = 1\n\n"
        "    def _fit(self, X, y, seed):\n        raise ValueError('got 3')\n"
    )
    monkeypatch.chdir(tmp_path)
    code, out, err = raygrid("test", "failing_levels:Raises", "n=2")
    assert code == 1
    assert re.findall("^(ok|WRONG) ", out, re.MULTILINE) == ["ok"] * 4 + ["WRONG"] * 4
    assert all(line.endswith(": ValueError: got 3") for line in out.splitlines()[4:7])
    assert err.count('failing_levels.py", line 7, in _fit') == err.count("Traceback") == 1  # of four checks


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("own_levels:Bars", "every"), "every: expected NAME=VALUE, the value as in a grid file"),
        (("own_levels:Bars", "every=[1"), "every=[1: expected NAME=VALUE, the value as in a grid file"),
        (("own_levels:Bars", "path=bars", "every=1.5"), "own_levels:Bars.every: got 1.5; expected a whole number"),
        (
            ("own_levels:Bars", "path=bars", "everys=1"),
            "own_levels:Bars.everys: unknown key: got 'everys'; expected one of name, path, every; "
            "did you mean 'every'?",
        ),
        (
            ("own_levels:Bar",),
            "own_levels: no class of that name: got 'Bar'; expected one of Bars, Blend, NearestMean; "
            "did you mean 'Bars'?",
        ),
        (
            ("own_levels.py:Bars",),
            "got 'own_levels.py:Bars'; no module can be imported from HERE or where Python looks: ModuleNotFoundError: "
            "No module named 'own_levels.py'; did you mean own_levels:Bars?",
        ),
        (
            ("own_levels.Bars:X",),
            "got 'own_levels.Bars:X'; no module can be imported from HERE or where Python looks: ModuleNotFoundError: "
            "No module named 'own_levels.Bars'",
        ),
        *(
            (
                (path,),
                f"got '{path}'; expected MODULE:NAME, e.g. my_package.my_module:my_name; did you mean own_levels:Bars?",
            )
            for path in ("./own_levels:Bars", "own_levels/Bars", "./own_levels.py:Bars")
        ),
        (("no_such_levels",), "got 'no_such_levels'; expected MODULE:NAME, e.g. my_package.my_module:my_name"),
    ],
)
def test_a_mistake_is_told_in_one_line(raygrid, monkeypatch, arguments, said):
    monkeypatch.chdir(EXAMPLES)
    assert raygrid("test", *arguments) == (2, "", said.replace("HERE", str(EXAMPLES)) + "\n")


def test_a_level_of_no_axis_is_refused(raygrid, monkeypatch, tmp_path):
    (tmp_path / "axisless_levels.py").write_text("from raygrid.level import Level\n\nclass Any(Level):\n    pass\n")
    monkeypatch.chdir(tmp_path)
    code, _, err = raygrid("test", "axisless_levels:Any")
    assert code == 2
    assert err == (
        "axisless_levels:Any: got a level of no axis; "
        "expected a subclass of one of DatasetLevel, TrainedRepresentation, Representation, Resampler, "
        "Classifier, Profile, Split\n"
    )
