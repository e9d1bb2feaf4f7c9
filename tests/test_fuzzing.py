"""A short form of `python tests/fuzzing`; and its judge finds what it looks for."""

import subprocess
import sys
from pathlib import Path

import pytest

FUZZING = Path(__file__).parent / "fuzzing"


@pytest.mark.slow
def test_inputs_of_ill_will_are_refused_or_taken():
    command = [sys.executable, FUZZING, "--seed", "0", "--count", "150"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].endswith(" 0 faults")


FAULTS = """
import os, sys
sys.path.insert(0, sys.argv[1])
import working
from judging import Case
{
    "raises": lambda: 1 / 0,
    "writes": lambda: open("../victim.txt", "w"),
    "writes to a link": lambda: open("link", "w"),
    "changes data": lambda: os.remove("data/x"),
    "starts a program": lambda: os.system("true"),
    "prints an escape": lambda: print("\\x1b[2J"),
    "refuses without a word": lambda: sys.exit(2),
    "takes memory": lambda: bytearray(b"x") * 2_100_000_000,
    "takes time": lambda: [None for _ in iter(int, 1)],
    "refuses": lambda: (print("got X; expected Y"), sys.exit(2)),
    "does": lambda: open("here", "w").close(),
}
"""


def test_the_judge_sees_every_kind_of_fault():
    script = FAULTS.replace("\n{", "\nacts = {") + (
        "from judging import Link\n"
        "case = Case('x', (), {'data/x': b'', 'link': Link('../victim.txt')}, seconds=0)\n"
        "for name, act in acts.items():\n"
        "    print(f'{name}: {working.Judge(act)(case).kind}')\n"
    )
    done = subprocess.run([sys.executable, "-c", script, FUZZING], capture_output=True, text=True, timeout=100)
    assert done.stdout.splitlines() == [
        *(f"{name}: fault" for name in ("raises", "writes", "writes to a link", "changes data", "starts a program")),
        *(f"{name}: fault" for name in ("prints an escape", "refuses without a word", "takes memory", "takes time")),
        "refuses: refused",
        "does: accepted",
    ], done.stderr
