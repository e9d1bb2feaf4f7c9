"""Inputs for the readers of stores: folders and packed ones whose files lie, and tables of published results."""

import copy
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from drawing import NAMES, NUMBERS, bent, changed
from hypothesis import strategies as st
from images import _HEADERS, _Bad, _npy, zipped
from judging import Case, Link

_SHIPPED = Path(__file__).parents[2] / "experiments" / "results"

# The stores that are changed: one with several data sets' worth of axes, one that chooses, one that trains networks.
PACKED = {name: (_SHIPPED / f"{name}.zip").read_bytes() for name in ("own_data", "chosen", "training")}


def _files(packed: bytes, most_records: int = 8) -> dict[str, bytes]:
    """Return the files of a packed store; of its cells and records the first few, so that a report takes no time."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        found = {name: archive.read(name) for name in archive.namelist() if name != "SHA256SUMS"}
    declared = json.loads(found["cells.json"])
    declared["cells"] = declared["cells"][:most_records]
    keys = {key for key, _, _ in declared["cells"]}
    kept = {name: of for name, of in found.items() if "/" not in name or Path(name).stem in keys}
    return {**kept, "cells.json": json.dumps(declared).encode()}


SOUND = {name: _files(packed) for name, packed in PACKED.items()}


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return a packed store of these files, with sums that fit."""
    lines = (f"{hashlib.sha256(of).hexdigest()}  {name}\n" for name, of in sorted(files.items()))
    sums = "".join(lines).encode("utf-8", "replace")
    return zipped({"SHA256SUMS": sums, **files})


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()  # with NaN and Infinity, as Python writes and reads them


_JSON = st.sampled_from(
    [b"", b"{", b"[" * 100_000, b'{"a":' * 20_000, b"null", b"[]", b'"x"', b"1" * 5000, b"\xff", b"{}", b"NaN", b"\0"]
)
_Y = np.arange(12) % 3
_PREDICTED = st.sampled_from(
    [
        _Y,
        _Y[:0],
        _Y - 5,
        _Y + 10**6,
        _Y.astype(float) * np.nan,
        _Y.astype(str),
        np.array(3),
        _Y[:, None],
        np.array(_Bad()),
        np.zeros((12, 3), np.float32),
        np.full((12, 3), np.nan),
        np.zeros((12, 0)),
        _Y.astype(complex),
        _Y.astype(np.uint64) + 2**63,
    ]
)
_ARRAY_NAMES = st.sampled_from(["y_true", "y_pred", "scores", "test_index", "../x", "é"])


@st.composite
def _predictions(draw: st.DrawFn) -> bytes:
    names = draw(st.lists(_ARRAY_NAMES, min_size=1, max_size=4, unique=True))
    arrays = {f"{name}.npy": draw(_PREDICTED.map(_npy) | _HEADERS) for name in names}
    if draw(st.integers(0, 60)) == 31:
        arrays["y_true.npy"] = _npy(np.zeros(8_000_000))
    content = zipped(arrays)
    return draw(st.just(content) | bent(content) | st.binary(max_size=40))


@st.composite
def _strange_names(draw: st.DrawFn, files: dict[str, bytes]) -> dict[str, bytes]:
    """Draw a store whose levels, classes and messages have names of ill will."""
    declared, name = json.loads(files["cells.json"]), draw(NAMES)
    axis = draw(st.sampled_from(sorted(declared["levels"])))
    if declared["levels"][axis]:
        declared["levels"][axis][0] |= {"text": name, "in_labels": {name: name}}
    found = {**files, "cells.json": _dumped(declared)}
    for each in [each for each in files if each.startswith("records/")]:
        record = json.loads(files[each])
        record |= {"message": name, "notes": [name]} | ({"status": "error"} if draw(st.booleans()) else {})
        record["class_names"] = [f"{name}{i}" for i in range(len(record["class_names"]))]
        record["measured"] |= {"device": name, "log": [name]}
        found[each] = _dumped(record)
        found[f"logs/{Path(each).stem}.log"] = name.encode("utf-8", "replace")
    return found


@st.composite
def _of_files(draw: st.DrawFn) -> dict[str, bytes]:
    """Draw the files of a store, some of them changed."""
    files = copy.deepcopy(SOUND[draw(st.sampled_from(sorted(SOUND)))])
    if draw(st.integers(0, 3)) == 0:
        return draw(_strange_names(files))
    for _ in range(draw(st.integers(1, 3))):
        some = draw(st.sampled_from([*sorted(files), "cells.json", "cells.json", "environment.json"]))
        sound = files.get(some, b"{}")
        if some.endswith(".json") and draw(st.integers(0, 3)):
            try:
                files[some] = _dumped(draw(changed(json.loads(sound))))
            except (ValueError, RecursionError):  # it is one of those already
                files[some] = sound
        else:
            files[some] = draw(_JSON | bent(sound))
    keys = [Path(name).stem for name in files if name.startswith("records/")]
    for key in draw(st.lists(st.sampled_from(keys), max_size=2)) if keys else []:
        files[f"predictions/{key}.npz"] = draw(_predictions())
    return files


_READ = st.sampled_from(
    [
        ("status", "STORE"),
        ("status", "STORE", "--json"),
        ("logs", "STORE", "--only", "fold=0"),
        ("merge", "target", "STORE"),
        ("report", "STORE", "--missing", "drop", "--rows", "dataset", "--columns", "resampler"),
        ("pack", "STORE", "out.zip"),
        ("report", "STORE", "--rows", "imbalance", "--missing", "mark"),
        ("compare", "STORE", "--missing", "mark", "--all"),
        ("logs", "STORE", "KEY"),
        ("status", "STORE", "--follow", "--every", "0.1"),
        ("plan", "g.yaml", "--store", "STORE"),
    ]
)
_PLANNED = b"""\
name: planned
folds: 1
datasets: [digits]
arms: [{representation: raw, classifier: knn, resamplers: [none]}]
"""
_WHOLE = ("report", "STORE", "--missing", "mark")


@st.composite
def _command(draw: st.DrawFn, store: str, files: Mapping[str, Any]) -> tuple[str, ...]:
    verb = _WHOLE if draw(st.integers(0, 24)) == 13 else draw(_READ)
    key = next((Path(name).stem for name in files if "records/" in name), "0123456789abcdef")
    words = [{"STORE": store, "KEY": key}.get(word, word) for word in verb]
    return (*words, *(() if verb[0] in ("merge", "pack") else ("--cache", "cache")))


def _case(target: str, arguments: tuple[str, ...], files: Mapping[str, bytes | Link]) -> Case:
    """Return a case; a whole report of a sound store takes about ten seconds, most of them for its figures."""
    is_whole = arguments[0] == "report" and "--rows" not in arguments
    return Case(target, arguments, {**files, "g.yaml": _PLANNED}, seconds=40 if is_whole else 10)


@st.composite
def folders(draw: st.DrawFn) -> Case:
    """Draw a store that is a folder: with files that lie, links, and folders in place of files."""
    files: dict[str, bytes | Link] = {f"store/{name}": of for name, of in draw(_of_files()).items()}
    for _ in range(draw(st.integers(0, 2)) // 2):
        at = draw(
            st.sampled_from(
                [
                    *sorted(files),
                    "store/.lock",
                    "store/report",
                    "store/logs",
                    "store/records",
                    "store/report/index.html",
                ]
            )
        )
        to = draw(
            st.sampled_from(
                ["../../victim.txt", "../../../victim.txt", "../..", "/dev/zero", ".", "/etc", "/proc/self/mem"]
            )
        )
        files = {name: of for name, of in files.items() if not name.startswith(at)}
        files[at] = Link(to)
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.sampled_from(sorted(files)))
        files = {name: of for name, of in files.items() if name != at} | {f"{at}/x": b""}
    return _case("store", draw(_command("store", files)), files)


@cache
def _bomb() -> bytes:
    return packed(SOUND["own_data"] | {f"predictions/{i:016x}.npz": bytes(60_000_000) for i in range(3)})


_MEMBERS = st.sampled_from(
    [
        "../victim.txt",
        "/tmp/x",
        "records/../../x",
        "records/0123456789abcdef.json",
        "C:\\x",
        "records",
        "report/index.html",
        "records/0123456789ABCDEF.json",
        "predictions/0123456789abcdef.npz",
        "logs/0123456789abcdef.log",
        "grid.yaml/",
        ".",
    ]
)


@st.composite
def zips(draw: st.DrawFn) -> Case:
    """Draw a packed store: with further members, wrong sums, bombs, doubled or encrypted members; bent, or not."""
    files = {name: of for name, of in draw(_of_files()).items() if not name.startswith("logs/")}
    content = packed(files)
    how = draw(st.integers(0, 11))
    if how < 3:
        content = draw(bent(content))
    elif how == 3:
        content = packed(files | {draw(_MEMBERS | NAMES): draw(_JSON)})
    elif how == 4:
        content = zipped({"SHA256SUMS": draw(_JSON | bent(b"0" * 64 + b"  grid.yaml\n")), **files})
    elif how == 5:
        content = zipped({"SHA256SUMS": b"", **files}, twice=True)
    elif how == 6:
        content = zipped(files, draw(st.sampled_from([zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])))
    elif how == 7 and draw(st.integers(0, 9)) == 5:
        content = _bomb()
    elif how == 8:
        content = content.replace(b"PK\x01\x02\x14\x00\x14\x00\x00\x00", b"PK\x01\x02\x14\x00\x14\x00\x01\x00")
    elif how == 9:  # sizes that say zip64
        content = content.replace(b"PK\x05\x06\0\0\0\0", b"PK\x05\x06\xff\xff\xff\xff")
    return _case("packed", draw(_command("s.zip", files)), {"s.zip": content})


_TABLE = b"""# image_size: 64
# source: somebody
metric,dataset,representation,classifier,resampler,value
AvAcc,trash,features,svm,none,0.5
AvAcc,trash,features,svm,smote,
CBA,trash,features,svm,none,0.51
"""
_ENTRIES = st.one_of(
    NAMES, NUMBERS.map(str), st.sampled_from(["AvAcc", "trash", "features", "svm", "none", "0.5", '"', "1" * 140_000])
)


@st.composite
def tables(draw: st.DrawFn) -> Case:
    """Draw a table of published results."""
    head = draw(st.sampled_from([b"", b"# dataset: x\n", b"#\n", b"# despite\n", b"# seed: 1\n"]))
    lines = draw(st.lists(st.lists(_ENTRIES, max_size=8).map(",".join), max_size=4))
    free = head + _TABLE + "\n".join(lines).encode("utf-8", "surrogatepass")
    content: bytes | Link = draw(bent(_TABLE) | st.just(free) | bent(free) | st.binary(max_size=50))
    if draw(st.integers(0, 60)) == 31:
        content = Link(draw(st.sampled_from(["/dev/zero", "..", "nowhere", "/proc/self/mem"])))
    arguments = (
        "compare",
        "s.zip",
        "--published",
        "t.csv",
        "--missing",
        "mark",
        "--despite",
        "all",
        "--all",
        "--cache",
        "cache",
    )
    return Case("published", arguments, {"s.zip": _SMALL, "t.csv": content})


_SMALL = packed(SOUND["own_data"])
