"""A short form of the soak: after kills of drivers, workers and the store's server nothing is lost or doubled."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import HANGS_S

SOAK = Path(__file__).parents[1] / "scripts" / "soak"


@pytest.mark.slow
def test_ten_kills_lose_nothing_and_double_nothing():
    options = ["--kills", "10", "--seconds", "60", "--seed", "7", "--folds", "1", "--kinds", "worker,server,driver"]
    soak = subprocess.run(
        [sys.executable, SOAK, *options], env=os.environ, capture_output=True, text=True, timeout=HANGS_S
    )
    assert soak.returncode == 0, soak.stderr
    counts = json.loads(soak.stdout)
    assert sum(n for name, n in counts.items() if name.startswith("killed ")) >= 1
    assert counts["cells"] % 8 == 0 < counts["cells"]
    assert (counts["lost"], counts["doubled"], counts["blamed"], counts["files that differ"]) == (0, 0, 0, 0)
