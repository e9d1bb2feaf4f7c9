"""A store in one file: what is in it, that it is read like any store, and what is refused."""

import hashlib
import io
import shutil
import zipfile

import made_up
import numpy as np
import pytest
from folders import in_zip

from raygrid.commands.declared import write_declared
from raygrid.errors import StoreError
from raygrid.storage.folders.zipped import zip_of
from raygrid.storage.packing import pack
from raygrid.storage.store import Store


@pytest.fixture
def cells(cells_of):
    return cells_of()


@pytest.fixture
def store(tmp_path, cells):
    """A folder with the records of all 8 cells but one, which failed."""
    store, rng = Store(tmp_path / "store"), np.random.default_rng(0)
    store.prepare()
    for cell in cells[1:]:
        store.write(made_up.record(cell, rng), {"y_pred": np.arange(9)})
    store.write(made_up.failed(cells[0], "error", "ValueError: no"), {})
    store.write_text("grid.yaml", "name: tiny\n")
    store.write_text("environment.json", '{"cpus": 2}')
    write_declared(store, "tiny", ["AvAcc"], cells)
    store.write_log(cells[0].key, "its output")
    return store


@pytest.fixture
def packed(tmp_path, store):
    path = tmp_path / "packed.zip"
    pack(store, path, with_predictions=True)
    return path


def contents(path):
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def refusal(path, read=Store.records):
    """Return what is said of a packed store, without its path; it is one line."""
    with pytest.raises(StoreError) as refused:
        read(Store(path))
    (line,) = str(refused.value).splitlines()
    return line.removeprefix(f"{path}: ").removeprefix(f"{path}/")


def test_a_packed_store_has_the_same_files_with_their_checksums(store, packed, cells):
    keys = sorted(cell.key for cell in cells)
    found = contents(packed)
    sums = found.pop("SHA256SUMS").decode()
    assert sums == "".join(f"{hashlib.sha256(found[name]).hexdigest()}  {name}\n" for name in sorted(found))
    records = [f"records/{key}.json" for key in keys]
    predictions = [f"predictions/{key}.npz" for key in keys if key != cells[0].key]
    assert sorted(found) == ["cells.json", "environment.json", "grid.yaml", *sorted(predictions), *records]
    assert found == {name: (store.root / name).read_bytes() for name in found}


def test_predictions_stay_behind_unless_they_are_asked_for(store, tmp_path):
    assert pack(store, tmp_path / "new" / "small.zip", with_predictions=False) == 8
    assert not [name for name in contents(tmp_path / "new" / "small.zip") if "predictions" in name]


def test_the_same_store_gives_the_same_bytes(store, packed, tmp_path):
    copy = shutil.copytree(store.root, tmp_path / "copy", copy_function=shutil.copyfile)  # with other times
    (copy / "report").mkdir(exist_ok=True)
    (copy / "report" / "table1.csv").write_text("x")
    for number, source in enumerate((copy, packed)):
        again = tmp_path / f"{number}.zip"
        pack(Store(source), again, with_predictions=True)
        assert again.read_bytes() == packed.read_bytes()
    pack(store, packed, with_predictions=True)
    assert again.read_bytes() == packed.read_bytes()


def test_it_is_read_like_a_folder(store, packed, cells):
    opened = Store(packed)
    assert opened.is_there() and not opened.is_locked()
    assert opened.records() == store.records()
    assert opened.record(cells[1].key) == store.record(cells[1].key)
    assert opened.predictions(cells[1].key)["y_pred"].tolist() == list(range(9))
    assert (opened.environment(), opened.read_text("grid.yaml")) == ({"cpus": 2}, "name: tiny\n")
    assert opened.record("0" * 16) is None


def test_the_verbs_read_it(raygrid, grid_file, store, packed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    grid = grid_file()
    for verb in (["status"], ["compare", "--missing", "drop"], ["report", "--missing", "drop", "--rows", "imbalance"]):
        of_folder = raygrid(verb[0], grid, *verb[1:], "--store", store.root)
        of_file = raygrid(verb[0], grid, *verb[1:], "--store", packed)
        assert of_folder[0] == of_file[0] == 0
        assert of_file[1] == of_folder[1].replace(str(store.root / "report"), str(tmp_path / "runs/tiny/report"))
    assert (tmp_path / "runs/tiny/report/pivot.csv").read_bytes() == (store.root / "report/pivot.csv").read_bytes()
    assert raygrid("logs", grid, "--only", "fold=0", "--only", "ir=2", "--only", "resampler=none", "--store", packed)[
        1
    ].startswith("cell ")
    assert raygrid("merge", tmp_path / "target", packed) == (0, f"8 records copied into {tmp_path / 'target'}\n", "")
    assert Store(tmp_path / "target").records() == store.records()


@pytest.mark.parametrize("verb", [["run"], ["plan", "--pilot"], ["merge"]])
def test_it_is_not_written_to(raygrid, grid_file, store, packed, verb):
    before = packed.read_bytes()
    arguments = [packed, store.root] if verb == ["merge"] else [grid_file(), *verb[1:], "--store", packed]
    assert raygrid(verb[0], *arguments) == (
        2,
        "",
        f"{packed}: got a packed store, which is only read; expected a folder or a URL; "
        "do: raygrid merge DIR packed.zip, and go on in DIR\n",
    )
    assert packed.read_bytes() == before


def test_pack_replaces_nothing_but_packed_stores(raygrid, store, tmp_path):
    data = in_zip(tmp_path / "data.zip", {"cat/a.png": b"x"})
    line = "got a file that is no packed store; it is not replaced; name another"
    assert raygrid("pack", store.root, data) == (2, "", f"{data}: {line}\n")
    assert contents(data) == {"cat/a.png": b"x"}
    assert raygrid("pack", store.root, tmp_path / "x.tar")[0] == 2
    code, _, line = raygrid("pack", tmp_path / "typo", tmp_path / "x.zip")
    assert (code, line) == (
        2,
        f"{tmp_path}/typo: got no store (it has no records); name a folder that a run has written\n",
    )
    assert not (tmp_path / "x.zip").exists()


def rewritten(path, change):
    """Pack the files anew after a change of them, with the checksums that fit them."""
    files = contents(path)
    del files["SHA256SUMS"]
    change(files)
    with path.open("wb") as file:
        zip_of(files)(file)
    return path


@pytest.mark.parametrize("name", ["../records/x.json", "/etc/passwd", "C:/x", r"records\..\..\x"])
def test_a_name_that_leaves_the_file_is_refused(packed, name):
    rewritten(packed, lambda files: files.update({name: b"{}"}))
    assert refusal(packed) == f"{name}: got a name that leaves the archive; expected a relative path"


@pytest.mark.parametrize(
    "name", ["records/aa.json", "records/0123456789abcdef.json.zip", "inner.zip", "checkpoints/0123456789abcdef.npz"]
)
def test_a_file_that_no_store_has_is_refused(packed, name):
    rewritten(packed, lambda files: files.update({name: b"x"}))
    assert refusal(packed) == f"{name}: got a file that no packed store has; expected a store that `raygrid pack` wrote"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused(packed):
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("./grid.yaml", "name: other")
    assert refusal(packed) == "./grid.yaml: got it twice; expected each name once"


def test_a_bomb_is_refused(packed, cells):
    name = f"records/{cells[0].key}.json"
    rewritten(packed, lambda files: files.update({name: bytes(2**26 + 1)}))
    assert packed.stat().st_size < 2**18
    assert refusal(packed) == f"{name}: got 67108865 bytes; expected at most 67108864"


def test_many_large_files_are_refused(packed, monkeypatch):
    monkeypatch.setattr("raygrid.storage.folders.zipped._MAX_BYTES", 1000)
    assert refusal(packed).endswith("bytes; expected at most 1000")


def test_a_bomb_among_predictions_is_refused(packed, cells, monkeypatch):
    monkeypatch.setattr("raygrid.storage.store._MAX_PREDICTIONS_BYTES", 10_000)
    name, large = f"predictions/{cells[1].key}.npz", io.BytesIO()
    np.savez_compressed(large, y_pred=np.zeros(2000))
    rewritten(packed, lambda files: files.update({name: large.getvalue()}))
    said = refusal(packed, lambda store: store.predictions(cells[1].key))
    assert said.startswith(f"{name}: got no predictions (got 16128 bytes; expected at most 10000)")


def test_objects_among_predictions_are_not_unpickled(packed, cells):
    name, evil = f"predictions/{cells[1].key}.npz", io.BytesIO()
    np.savez(evil, y_pred=np.array([print], dtype=object))
    rewritten(packed, lambda files: files.update({name: evil.getvalue()}))
    assert refusal(packed, lambda store: store.predictions(cells[1].key)).startswith(f"{name}: got no predictions")


def test_a_damaged_file_is_found_by_its_checksum(packed, cells):
    files = contents(packed)
    name = f"records/{cells[1].key}.json"
    in_zip(packed, files | {name: files[name].replace(b"AvAcc", b"AvAxx")})
    assert refusal(packed) == f"{name}: got a file that is not what its checksum says; get the zip anew"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda files: files.pop("grid.yaml"), "grid.yaml"),
        (lambda files: files.update({"records/0123456789abcdef.json": b"{}"}), "records/0123456789abcdef.json"),
        (lambda files: files.update({"SHA256SUMS": files["SHA256SUMS"] + b"hello\n"}), "a line that is no checksum"),
    ],
)
def test_checksums_that_do_not_fit_the_files_are_refused(packed, change, named):
    files = contents(packed)
    change(files)
    in_zip(packed, files)
    assert refusal(packed) == f"SHA256SUMS: got a list that does not fit the files ({named}); get it anew"


def test_a_zip_without_checksums_is_refused(packed):
    files = contents(packed)
    del files["SHA256SUMS"]
    in_zip(packed, files)
    assert refusal(packed) == "got no SHA256SUMS; expected a store that `raygrid pack` wrote"


def test_what_is_encrypted_is_refused(packed):
    data = bytearray(packed.read_bytes())
    for place in range(len(data) - 4):
        if data[place : place + 4] == b"PK\1\2":
            data[place + 8] |= 1
    packed.write_bytes(data)
    assert "got a file that is encrypted, or compressed otherwise than by deflate" in refusal(packed)


@pytest.mark.parametrize("keep", [0, 20, 0.5, 0.99])
def test_a_file_that_broke_off_is_refused(packed, keep):
    data = packed.read_bytes()
    packed.write_bytes(data[: int(len(data) * keep if keep < 1 else keep)])
    assert refusal(packed).startswith("got a broken archive (")


@pytest.mark.parametrize("place", range(0, 1000, 50))
def test_a_flipped_byte_gives_one_line_or_the_same_records(packed, store, place):
    data = bytearray(packed.read_bytes())
    data[len(data) * place // 1000] ^= 0x55
    packed.write_bytes(data)
    try:
        records = Store(packed).records()
    except StoreError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert records == store.records()


@pytest.mark.parametrize("text", ["[1]", "{"])
def test_an_environment_that_is_none_is_refused(packed, text):
    rewritten(packed, lambda files: files.update({"environment.json": text.encode()}))
    assert refusal(packed, Store.environment).startswith("environment.json: got no JSON object")


def test_the_command_line_says_it_in_one_line_and_writes_nothing(raygrid, packed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rewritten(packed, lambda files: files.update({"../../x": b"{}"}))
    before = sorted(tmp_path.rglob("*"))
    for verb in ("status", "report", "compare", "logs"):
        code, out, line = raygrid(verb, packed)
        assert (code, out, len(line.splitlines())) == (2, "", 1)
    assert sorted(tmp_path.rglob("*")) == before
    assert raygrid("status", tmp_path / "typo.zip") == (
        2,
        "",
        f"{tmp_path / 'typo.zip'}: got no such file; expected a store that `raygrid pack` wrote\n",
    )
