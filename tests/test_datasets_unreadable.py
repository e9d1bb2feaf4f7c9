"""Files and folders that cannot be read: a line for each, and nothing is waited for."""

import os
import tempfile
from pathlib import Path

import pytest
from folders import SOUND, in_folder, refusal

from raygrid.datasets import FromPath
from raygrid.errors import DataError

NOBODY = 65534


def said(path) -> list[str]:
    """Return what the fingerprint, which a plan needs, says of a data set."""
    with pytest.raises(DataError) as refused:
        FromPath(name="toy", path=path).fingerprint()
    return str(refused.value).splitlines()


@pytest.fixture
def as_nobody():
    """Go on as an ordinary user, in a folder of theirs."""
    with tempfile.TemporaryDirectory() as folder:
        if os.geteuid():
            yield Path(folder)
            return
        os.chown(folder, NOBODY, -1)
        os.seteuid(NOBODY)
        yield Path(folder)
        os.seteuid(0)


def test_broken_links_loops_and_pipes_are_named(tmp_path):
    folder = in_folder(tmp_path / "toy", SOUND)
    (folder / "train/cat/gone.png").symlink_to("/nonexistent/x.png")
    (folder / "train/cat/self.png").symlink_to("self.png")
    os.mkfifo(folder / "train/cat/pipe.png")
    top = f"toy: {folder}/train/cat"
    assert said(folder) == [
        f"{top}/gone.png: got a link to /nonexistent/x.png that cannot be read (No such file or directory); "
        "mend it or take it out",
        f"{top}/pipe.png: got what cannot be read (neither a file nor a folder, but a pipe, a socket or a device); "
        "mend it or take it out",
        f"{top}/self.png: got a link to self.png that cannot be read (Too many levels of symbolic links); "
        "mend it or take it out",
    ]
    assert len(refusal(folder).splitlines()) == 3


def test_links_that_lead_back_are_named(tmp_path):
    folder = in_folder(tmp_path / "toy", SOUND)
    (folder / "train/cat/up").symlink_to(folder)
    (folder / "train/dog/cat").symlink_to(folder / "train/cat")
    assert said(folder) == [
        f"toy: {folder}/train/cat/up: got a link to a folder that it lies in; remove it",
        f"toy: {folder}/train/dog/cat/up: got a link to a folder that it lies in; remove it",
    ]


def test_what_is_left_behind_may_be_broken(tmp_path):
    folder = in_folder(tmp_path / "toy", SOUND)
    (folder / "train/.lock").symlink_to("/nonexistent")
    (folder / "train/$RECYCLE.BIN").symlink_to(folder)
    assert FromPath(name="toy", path=folder).fingerprint()


def test_folders_and_files_without_the_right_to_read_are_named(as_nobody):
    folder = in_folder(as_nobody / "toy", SOUND)
    (folder / "test/dog").chmod(0)
    assert said(folder) == [
        f"toy: {folder}/test/dog: got what cannot be read (Permission denied); mend it or take it out"
    ]
    assert "test/dog: got what cannot be read (Permission denied)" in refusal(folder)
    (folder / "test/dog").chmod(0o700)
    (folder / "test/dog/0.png").chmod(0)
    assert said(folder) == [
        f"toy: {folder}/test/dog/0.png: got what cannot be read (Permission denied); mend it or take it out"
    ]
    assert refusal(folder) == (
        "test/dog/0.png: got a file that cannot be read (Permission denied); replace it or take it out"
    )


def test_a_file_without_the_right_to_read_or_a_pipe_is_refused(as_nobody):
    path = as_nobody / "toy.npz"
    path.write_bytes(b"x")
    path.chmod(0)
    assert said(path) == [f"toy: {path}: got what cannot be read (Permission denied); mend it or take it out"]
    assert refusal(path) == "got what cannot be read (Permission denied)"
    path.unlink()
    os.mkfifo(path)
    assert "neither a file nor a folder" in said(path)[0]
    assert refusal(path) == "got neither a file nor a folder; expected one of them"


@pytest.mark.parametrize(
    ("path", "reason"), [("x" * 260 + ".npz", "File name too long"), ("~nobody-like-this/x", "home"), ("self", "loop")]
)
def test_a_path_that_cannot_be_looked_at_is_a_fault(path, reason, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("self").symlink_to("self")
    with pytest.raises(ValueError, match=f"cannot be looked at .*{reason}|nothing at"):
        FromPath(name="toy", path=path)
