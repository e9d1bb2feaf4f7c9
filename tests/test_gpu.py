"""What is promised of cards, on a card where there is one; elsewhere a rehearsal of the script that checks it."""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from raygrid.networks.keras_backend import card_memory_mb

sys.path.append(str(Path(__file__).parents[1] / "scripts"))
import check_gpu

INSTALLED = [backend for backend in check_gpu.BACKENDS if find_spec(backend)]
PROMISES = [name for name in check_gpu.CHECKS if name != "throughput"]

on_a_card = pytest.mark.skipif(card_memory_mb(0) is None, reason="there is no card here: CUDA's driver finds none")
without_a_card = pytest.mark.skipif(card_memory_mb(0) is not None, reason="a rehearsal is for machines without a card")


@on_a_card
@pytest.mark.slow
@pytest.mark.parametrize("backend", INSTALLED)
@pytest.mark.parametrize("check", PROMISES)
def test_a_card_is_shared_as_promised(backend, check):
    (line,) = check_gpu.checked([backend], [check])
    assert line["is_right"], line["seen"]


def run(monkeypatch, tmp_path, *arguments):
    """Run the script in this process; return its exit code and what it keeps."""
    out = tmp_path / "check_gpu.json"
    monkeypatch.setattr(sys, "argv", ["check_gpu.py", *arguments, "--out", str(out)])
    return check_gpu.main(), json.loads(out.read_text())["checks"] if out.exists() else None


@without_a_card
@pytest.mark.slow
def test_without_a_card_its_processes_can_be_rehearsed(monkeypatch, tmp_path, capsys):
    checks = "memory_is_given_back,records_are_equal,throughput"
    code, checks = run(monkeypatch, tmp_path, INSTALLED[0], "--device", "cpu", "--only", checks)
    assert (code, [line["is_right"] for line in checks]) == (0, [True] * 3)
    assert capsys.readouterr().out.startswith("a rehearsal on")


@without_a_card
def test_what_is_not_as_promised_ends_with_1(monkeypatch, tmp_path):
    def breaks_off(backend):
        raise EOFError

    checks = {"fine": lambda backend: check_gpu.Found(True, "so"), "bad": lambda backend: check_gpu.Found(False, "not")}
    monkeypatch.setattr(check_gpu, "CHECKS", checks | {"dead": breaks_off})
    code, lines = run(monkeypatch, tmp_path, "torch", "--device", "cpu", "--only", "fine,bad,dead")
    assert (code, [line["is_right"] for line in lines]) == (1, [True, False, False])
    assert run(monkeypatch, tmp_path, "torch", "--device", "cpu", "--only", "fine")[0] == 0


@without_a_card
def test_a_machine_without_a_card_is_no_success(monkeypatch, tmp_path, capsys):
    assert run(monkeypatch, tmp_path, "torch") == (2, None)
    assert (
        capsys.readouterr().err == "--device card: got a machine with no card; expected one; --device cpu rehearses\n"
    )
