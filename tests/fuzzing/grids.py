"""Inputs for the readers of grid files and of what the flags say: YAML of every kind, axes, levels, numbers."""

from copy import deepcopy
from typing import Any

import yaml
from drawing import NAMES, NUMBERS, VALUES, bent, changed
from hypothesis import strategies as st
from judging import Case, Link

SOUND: dict[str, Any] = {
    "name": "fuzzed",
    "seed": 1,
    "folds": 2,
    "image_size": 32,
    "interpolation": "bilinear",
    "imbalance": [2, "natural", {"name": "step", "ir": 10, "minority": 0.5}, {"name": "exponential", "ir": 5}],
    "split": {"name": "holdout", "test": 0.3},
    "validation": 0.2,
    "datasets": ["digits"],
    "arms": [
        {
            "representation": "raw",
            "classifier": {"name": "knn", "n_neighbors": 3},
            "resamplers": ["none", {"name": "smote"}],
        },
        {
            "representation": {"name": "features", "alpha": 0.25, "weights": "embedded"},
            "classifier": {"name": "svm", "C": {"choose": [0.1, 1]}, "class_weight": "balanced"},
            "resamplers": ["none", "ros", {"name": "smote", "k_neighbors": {"choose": [3, 5]}}],
        },
        {
            "representation": "raw",
            "classifier": {"name": "sklearn", "estimator": "sklearn.svm.LinearSVC", "parameters": {"C": 1.0}},
            "resamplers": ["none"],
        },
        {
            "representation": "image",
            "classifier": {"name": "cnn", "alpha": 0.25, "weights": "none", "epochs": 1, "optimizer": "adam"},
            "resamplers": ["none", "rus"],
        },
    ],
    "choose": {"by": "AvAcc", "n_splits": 3},
    "exclude": [{"dataset": "digits", "resampler": "ros"}],
    "metrics": ["AvAcc", "f1_macro"],
    "resources": {"cnn": {"cpus": 2, "gpus": 0.25, "timeout_s": 60.0}},
}
_TEXT = yaml.safe_dump(SOUND, sort_keys=False)

# A tenfold of tenfolds: small in the file, too large for any memory when it is written out.
_LAUGHS = "\n".join(["a: &l0 [x]", *(f"a{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]" for i in range(1, 30))])
_KEYS = st.sampled_from(sorted(SOUND))
_WRITTEN = st.sampled_from(
    [
        *(f"{_LAUGHS}\n{key}: *l29\n" for key in ("name", "datasets", "arms", "exclude", "metrics")),
        "name: &a [*a]\n",
        "&a {name: *a}",
        "name: " + "[" * 3000,
        "name: " + "[" * 400 + "]" * 400,
        "name: " + "{a: " * 900 + "}" * 900,
        "- " * 3000 + "x",
        "name: " + "1" * 100_000,
        "name: 1e" + "9" * 5000,
        "seed: " + "9" * 5000,
        "folds: 1000000000000\n" + _TEXT.replace("folds: 2", ""),
        _TEXT.replace("folds: 2", "folds: 30000000"),
        _TEXT.replace("name: fuzzed", "name: !!python/object/apply:os.system ['touch ../victim.txt']"),
        _TEXT.replace("name: fuzzed", "name: !!binary aGFsbG8="),
        _TEXT.replace("name: fuzzed", "name: !!set {a, b}"),
        _TEXT.replace("seed: 1", "seed: 2001-13-45"),
        _TEXT.replace("seed: 1", "seed: 190:20:30"),
        _TEXT.replace("seed: 1", "? [a, b]\n: 1"),
        _TEXT.replace("seed: 1", "? {a: b}\n: 1"),
        _TEXT.replace("seed: 1", "<<: {seed: 2}"),
        _TEXT.replace("seed: 1", "<<: [1, 2]"),
        _TEXT.replace("seed: 1", "seed: 0x10\nseed: 2"),
        _TEXT.replace("seed: 1", "\tseed: 1"),
        _TEXT.replace("seed: 1", "%YAML 9.9\n---\n"),
        "--- a\n--- b\n",
        "%TAG ! tag:x,2000:\n--- !x {}",
        "\ufeff" + _TEXT,
        _TEXT.replace("digits", "{name: " + "x" * 5000 + ", path: x}"),
        *(
            _TEXT.replace("[digits]", path).replace("- digits", path)
            for path in ("- {name: x, path: /dev/zero}", "- {name: x, path: ~nobody9/x}")
        ),
    ]
)
_BYTES = st.sampled_from(
    [b"\xff\xfe" + _TEXT.encode("utf-16-le"), b"\x80\x81", b"", b"\0" * 50, _TEXT.encode("cp037"), b"\x1b[2J"]
)
_PARAMETERS = ["module:Class", "os:path", "sys:exit", "subprocess:Popen", "json:JSONDecoder", "builtins:eval", "a.b:c"]
_PARAMETERS += ["sklearn.svm:SVC", "raygrid.cli:main", "antigravity:x", "data:X", "..data:X", "é:é"]


@st.composite
def _of_strange_levels(draw: st.DrawFn) -> Any:
    """Draw a grid with one level replaced by another of any name and parameters."""
    grid: Any = deepcopy(SOUND)
    name = draw(
        st.sampled_from(_PARAMETERS) | NAMES | st.sampled_from(["svm", "cnn", "sklearn", "smote", "features", "knn"])
    )
    level = draw(
        st.dictionaries(NAMES | st.sampled_from(["path", "weights", "estimator", "choose"]), VALUES, max_size=3)
    )
    level = {**level, "name": name}
    axis = draw(st.sampled_from(["datasets", "imbalance", "split", "representation", "classifier", "resamplers"]))
    if axis in ("datasets", "imbalance"):
        grid[axis] = [level]
    elif axis == "split":
        grid[axis] = level
    else:
        grid["arms"][draw(st.integers(0, 3))][axis] = [level] if axis == "resamplers" else level
    return grid


def _written(grid: Any) -> bytes:
    try:
        return yaml.safe_dump(grid, sort_keys=False, allow_unicode=True).encode("utf-8", "surrogatepass")
    except (yaml.YAMLError, ValueError):
        return repr(grid).encode("utf-8", "surrogatepass")


_CONTENTS = st.one_of(
    bent(_TEXT.encode()),
    changed(SOUND).map(_written),
    _of_strange_levels().map(_written),
    st.dictionaries(_KEYS | NAMES, VALUES, max_size=6).map(_written),
    st.tuples(_KEYS, VALUES).map(lambda pair: _written({**SOUND, pair[0]: pair[1]})),
    _WRITTEN.map(lambda text: text.encode()),
    _BYTES,
)


@st.composite
def grids(draw: st.DrawFn) -> Case:
    """Draw a grid file, read by one of the verbs that run nothing."""
    content: bytes | Link = draw(_CONTENTS)
    if draw(st.integers(0, 99)) == 0:
        content = Link(draw(st.sampled_from(["/dev/zero", "..", "g.yaml", "/proc/self/mem", "nowhere"])))
    verb = draw(st.sampled_from([["status"], ["status", "--json"], ["report", "--rows", "dataset"], ["status"]]))
    return Case("grid", (verb[0], "g.yaml", *verb[1:], "--store", "store", "--cache", "cache"), {"g.yaml": content})


_AXES = st.sampled_from(
    ["dataset", "ir", "imbalance", "fold", "representation", "classifier", "resampler", "metric", ""]
)
_LEVELS = st.sampled_from(
    ["digits", "2", "2.0", "natural", "0", "1", "raw", "svm", "knn", "none", "smote", "-1", "1e400"]
)
_PAIRS = st.tuples(_AXES | NAMES, st.sampled_from(["=", "", "==", "=,", ","]), _LEVELS | NAMES).map("".join)
_LISTS = st.lists(_AXES | NAMES, max_size=4).map(",".join)
_OF_NUMBERS = st.lists(NUMBERS, max_size=3).map(lambda numbers: ",".join(map(str, numbers)))


def flags(sound: bytes) -> st.SearchStrategy[Case]:
    """Return what draws flags of the verbs that read a store, for a packed store and for a grid file."""
    rows = st.tuples(st.just("--rows"), _LISTS)
    only = st.tuples(st.just("--only"), _PAIRS)
    of_report = st.one_of(
        rows,
        st.tuples(st.just("--rows"), _LISTS, st.just("--columns"), _LISTS),
        st.tuples(st.just("--rows"), st.just("dataset"), st.just("--metric"), _LISTS),
        st.tuples(st.just("--missing"), NAMES),
        st.tuples(st.just("--rows"), st.just("imbalance"), st.just("--groups"), _OF_NUMBERS | NAMES),
    )
    of_compare = st.one_of(st.tuples(st.just("--despite"), _LISTS), st.tuples(st.just("--published"), NAMES), only)
    of_plan = st.tuples(
        st.sampled_from(["--cpus", "--gpus", "--memory-gb", "--price", "--gpus-per-trial"]), NUMBERS.map(str) | NAMES
    )
    verbs = st.one_of(
        st.tuples(st.just("status"), st.just("s.zip"), only.map(list)),
        st.tuples(st.just("logs"), st.just("s.zip"), st.one_of(NAMES.map(lambda name: [name]), only.map(list))),
        st.tuples(st.just("report"), st.just("s.zip"), of_report.map(list)),
        st.tuples(st.just("compare"), st.just("s.zip"), of_compare.map(list)),
        st.tuples(st.just("plan"), st.just("g.yaml"), st.one_of(only.map(list), of_plan.map(list))),
        st.tuples(st.just("status"), st.just("g.yaml"), NAMES.map(lambda name: ["--store", name])),
        st.tuples(st.just("pack"), st.just("s.zip"), NAMES.map(lambda name: [name])),
        st.tuples(st.just("test"), NAMES, st.lists(_PAIRS, max_size=2)),
    )
    files = {"s.zip": sound, "g.yaml": _TEXT.encode()}
    return verbs.map(
        lambda verb: Case("flags", (verb[0], verb[1], *_passable(verb[2]), *_CACHE.get(verb[0], ())), files)
    )


_CACHE = {verb: ("--cache", "cache") for verb in ("status", "logs", "report", "compare", "plan")}


def _passable(arguments: list[str]) -> list[str]:
    """Leave out what no command line can pass on: a NUL."""
    return [
        text.replace("\0", "").encode("utf-8", "surrogateescape" if text.isascii() else "replace").decode()
        for text in arguments
    ]
