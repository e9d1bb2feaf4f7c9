"""What a trial and the C libraries in it write is taken, and the descriptors are given back."""

import ctypes
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from raygrid.engine import output
from raygrid.engine.output import KEPT_BYTES, captured


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


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives back a part of a file")
def test_what_is_printed_without_end_does_not_fill_the_disk(monkeypatch):
    monkeypatch.setattr(output, "_GIVE_BACK_S", 0.01)
    line, n_lines = b"x" * 999 + b"\n", 20_000
    with captured() as taken:
        for _ in range(n_lines):
            os.write(1, line)
        deadline = time.monotonic() + 60
        while (on_disk := os.fstat(1).st_blocks * 512) > 2 * KEPT_BYTES and time.monotonic() < deadline:
            time.sleep(0.01)
        os.write(1, b"the end")
    assert on_disk <= 2 * KEPT_BYTES
    left_out = n_lines * len(line) + len(b"the end") - KEPT_BYTES
    assert taken.text.startswith(f"[{left_out} bytes before these are left out]\nxxx")
    assert taken.text.endswith("xxx\nthe end")
    assert "\0" not in taken.text


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


def test_tensorflows_own_log_is_taken():
    """It is written by C++, to descriptor 2, past sys.stderr."""
    code = """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "0"
from raygrid.engine.output import captured
with captured() as output:
    import tensorflow as tf
    tf.constant(1) + 1
assert "port.cc:" in output.text, output.text
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, ""), run.stderr


@pytest.mark.slow
def test_it_works_in_a_ray_worker(cluster):
    import ray

    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import this file
    text, restored, left_open = ray.get(ray.remote(num_cpus=0)(written).remote())
    assert (sorted(text.splitlines()), restored, left_open) == (ALL, True, 0)
