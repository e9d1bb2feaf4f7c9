"""What a trial and the C libraries in it write is taken, and the descriptors are given back."""

import ctypes
import io
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import HANGS_S

from raygrid.host import output
from raygrid.host.output import KEPT_BYTES, captured, not_captured, quiet


def printed_by_c(text: str) -> None:
    ctypes.CDLL(None).printf(b"%s", text.encode())  # into the C library's own buffer, as libsvm does


def descriptors() -> list[tuple[int, int]]:
    return [(status.st_dev, status.st_ino) for status in map(os.fstat, (1, 2))]


def n_open() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


def written() -> tuple[str, bool, int]:
    """Write in every way there is; return what was captured, and whether the descriptors are the same again."""
    before, already_open = descriptors(), n_open()
    with captured() as output:
        print("print")
        print("print to stderr", file=sys.stderr)
        os.write(1, b"descriptor 1\n")
        os.write(2, b"descriptor 2\n")
        printed_by_c("C library\n")
        subprocess.run(["echo", "child"], check=True)
    return output.text, descriptors() == before, n_open() - already_open


ALL = ["C library", "child", "descriptor 1", "descriptor 2", "print", "print to stderr"]


def test_everything_is_taken_and_nothing_shown(capfd):
    print("before")
    printed_by_c("before, by C\n")
    text, restored, left_open = written()
    print("after")
    assert (sorted(text.splitlines()), restored, left_open) == (ALL, True, 0)
    out, err = capfd.readouterr()
    assert (sorted(out.splitlines()), err) == (["after", "before", "before, by C"], "")


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_the_descriptors_are_given_back_when_the_block_fails(error, capfd):
    with pytest.raises(error):
        with captured() as output:
            os.write(2, b"last words")
            raise error
    assert output.text == "last words"
    os.write(1, b"out")
    print("err", file=sys.stderr)
    assert capfd.readouterr() == ("out", "err\n")


def test_of_much_the_end_is_kept():
    with captured() as output:
        os.write(1, b"x" * KEPT_BYTES + b"\xff the end")
    assert output.text[-10:] == "x\N{REPLACEMENT CHARACTER} the end"[-10:]
    assert output.text.startswith("[9 bytes before these are left out]\nx")
    assert len(output.text) == KEPT_BYTES + len("[9 bytes before these are left out]\n")


def test_what_is_printed_without_end_does_not_fill_the_disk(monkeypatch):
    """Neither this process' output nor that of another, which has the same file."""
    monkeypatch.setattr(output, "_SHORTEN_EVERY_S", 0.01)
    flood = "import os\nfor _ in range(20_000): os.write(1, b'x' * 999 + b'\\n')"  # 20 MB
    with captured() as taken:
        subprocess.run([sys.executable, "-c", flood], check=True)
        os.write(1, b"half way\n")
        for _ in range(20_000):
            os.write(1, b"y" * 999 + b"\n")
        deadline = time.monotonic() + HANGS_S
        while (on_disk := os.fstat(1).st_size) > KEPT_BYTES and time.monotonic() < deadline:
            time.sleep(0.01)
        os.write(1, b"the end")
    assert on_disk <= KEPT_BYTES
    first, _, text = taken.text.partition("\n")
    left_out = int(first.removeprefix("[").removesuffix(" bytes before these are left out]"))
    assert 30_000_000 < left_out + len(text) <= 40_000_016  # all, but for what came while the file was emptied
    assert len(text) == KEPT_BYTES
    assert text.endswith("yyy\nthe end")
    assert "\0" not in text


def test_what_was_written_can_be_read_before_the_end():
    with captured() as output:
        os.write(1, b"first")
        assert output.text == "first"
        os.write(1, b", second")
        assert output.text == "first, second"
    assert output.text == "first, second"


def test_nothing_written_is_no_text():
    with captured() as output:
        pass
    assert output.text == ""


def test_a_log_handler_made_in_one_block_writes_to_the_next_and_between_them(capfd):
    """TensorFlow makes one when it is imported, in a worker's first trial, and keeps it."""
    with captured() as first:
        handler = logging.StreamHandler()
        handler.emit(logging.makeLogRecord({"msg": "one"}))
    handler.emit(logging.makeLogRecord({"msg": "between"}))
    with captured() as second:
        handler.emit(logging.makeLogRecord({"msg": "two"}))
    assert (first.text, second.text) == ("one\n", "two\n")
    assert capfd.readouterr() == ("", "between\n")


def test_what_a_thread_of_a_c_library_logs_is_taken():
    """As TensorFlow's log is: written by C, to descriptor 2, past sys.stderr, from a thread that is not Python's."""
    libc = ctypes.CDLL(None)
    with captured() as output:
        thread = threading.Thread(target=libc.perror, args=(b"a C library",))
        thread.start()
        thread.join()
    assert output.text.startswith("a C library: ")


def test_what_libraries_write_while_they_start_is_shown_only_if_they_fail(capfd):
    with quiet():
        os.write(2, b"a card was not found\n")
    assert capfd.readouterr() == ("", "")
    with pytest.raises(ImportError), quiet():
        os.write(2, b"a card was not found\n")
        raise ImportError
    assert capfd.readouterr() == ("", "a card was not found\n")


def test_what_is_not_to_be_captured_is_shown():
    """A bar on a terminal, say, while a trial runs in the same process."""
    code = """
import sys
from raygrid.host.output import captured, not_captured
bar = not_captured(sys.stderr)
with captured() as output:
    print("the trial", file=sys.stderr)
    print("the bar", file=bar)
print(output.text, end="")
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("the trial\n", "the bar\n")


def test_a_stream_without_a_descriptor_is_never_captured():
    stream = io.StringIO()
    assert not_captured(stream) is stream


@pytest.mark.slow
def test_it_works_in_a_ray_worker(cluster):
    import ray

    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import this file
    text, restored, left_open = ray.get(ray.remote(num_cpus=0)(written).remote())
    assert (sorted(text.splitlines()), restored, left_open) == (ALL, True, 0)
