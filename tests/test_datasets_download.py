"""Downloads from a real server on this machine, which can break off and can ignore ranges."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from raygrid.datasets.download import cache_folder, fetch
from raygrid.errors import DataError

CONTENT = bytes(range(256)) * 400
CHECKSUM = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        asked = self.headers["Range"]
        self.server.asked.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.knows_ranges else 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start : start + self.server.breaks_off_after])

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked, server.knows_ranges, server.breaks_off_after = [], True, len(CONTENT)
        server.url = f"http://127.0.0.1:{server.server_port}/toy.bin"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def failure(*args, **kwargs) -> str:
    with pytest.raises(DataError) as refused:
        fetch(*args, **kwargs)
    return str(refused.value)


def test_a_file_is_downloaded_once(server, tmp_path):
    path = tmp_path / "new" / "folder" / "toy.bin"
    for _ in range(2):
        fetch(server.url, path, checksum=CHECKSUM, name="toy")
    assert path.read_bytes() == CONTENT
    assert server.asked == [None]
    assert not path.with_name("toy.bin.part").exists()


def test_a_download_that_breaks_off_is_resumed_at_once(server, tmp_path):
    server.breaks_off_after = 40000
    fetch(server.url, tmp_path / "toy.bin", checksum=CHECKSUM, name="toy")
    assert (tmp_path / "toy.bin").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=40000-", "bytes=80000-"]


def test_a_download_of_an_earlier_run_is_resumed(server, tmp_path):
    (tmp_path / "toy.bin.part").write_bytes(CONTENT[:1000])
    fetch(server.url, tmp_path / "toy.bin", checksum=CHECKSUM, name="toy")
    assert (tmp_path / "toy.bin").read_bytes() == CONTENT
    assert server.asked == ["bytes=1000-"]


def test_a_whole_part_of_an_earlier_run_gets_its_name(server, tmp_path):
    (tmp_path / "toy.bin.part").write_bytes(CONTENT)
    fetch(server.url, tmp_path / "toy.bin", checksum=CHECKSUM, name="toy")
    assert (tmp_path / "toy.bin").read_bytes() == CONTENT


def test_a_server_that_ignores_ranges_gives_the_file_from_the_start(server, tmp_path):
    server.knows_ranges = False
    (tmp_path / "toy.bin.part").write_bytes(CONTENT[:1000])
    fetch(server.url, tmp_path / "toy.bin", checksum=CHECKSUM, name="toy")
    assert (tmp_path / "toy.bin").read_bytes() == CONTENT
    assert server.asked == ["bytes=1000-"]


def test_a_server_that_never_gets_further_ends_in_one_line_and_keeps_the_part(server, tmp_path):
    server.knows_ranges, server.breaks_off_after = False, 500
    path = tmp_path / "toy.bin"
    assert failure(server.url, path, checksum=CHECKSUM, name="toy") == (
        "toy: not in the cache and the download failed (broke off after 500 of 102400 bytes); "
        f"put toy.bin ({server.url}) at {path}"
    )
    assert (tmp_path / "toy.bin.part").stat().st_size == 500
    assert not path.exists()


def test_offline_is_one_line(server, tmp_path):
    server.shutdown()
    server.server_close()
    path = tmp_path / "toy.bin"
    message = failure(server.url, path, checksum=CHECKSUM, name="toy")
    assert message.startswith("toy: not in the cache and the download failed (<urlopen error ")
    assert message.endswith(f"); put toy.bin ({server.url}) at {path}")
    assert "\n" not in message


def test_a_download_of_another_content_is_refused_and_not_kept(server, tmp_path):
    path, other = tmp_path / "toy.bin", f"sha256:{'0' * 64}"
    assert failure(server.url, path, checksum=other, name="toy") == (
        f"toy: {server.url}: got {CHECKSUM}; expected {other}; try again, or put the right file at {path}"
    )
    assert not path.exists()
    assert not (tmp_path / "toy.bin.part").exists()


def test_a_file_of_another_content_in_the_cache_is_refused_and_kept(server, tmp_path):
    path = tmp_path / "toy.bin"
    path.write_bytes(b"hello")
    assert failure(server.url, path, checksum="md5:00", name="toy") == (
        f"toy: {path}: got md5:5d41402abc4b2a76b9719d911017c592; expected md5:00; "
        "delete it to download it again, or name it in the grid file as {name: toy, path: ...}"
    )
    assert path.read_bytes() == b"hello"
    assert server.asked == []


def test_trials_that_want_a_file_at_once_download_it_once(server, tmp_path):
    path = tmp_path / "toy.bin"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: fetch(server.url, path, checksum=CHECKSUM, name="toy"), range(4)))
    assert path.read_bytes() == CONTENT
    assert server.asked == [None]


@pytest.mark.parametrize(("keras_home", "expected"), [("/cache", "/cache/datasets"), ("~/k", "~/k/datasets")])
def test_the_cache_is_where_keras_has_it(keras_home, expected, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", keras_home)
    assert cache_folder() == Path(expected).expanduser()
    monkeypatch.delenv("KERAS_HOME")
    assert cache_folder() == Path.home() / ".keras" / "datasets"
