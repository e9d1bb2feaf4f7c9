"""Keras set up: a share of a GPU becomes each backend's own limit, and without one nothing is limited."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec

import pytest

from raygrid.networks.keras_backend import gpu_fraction

# A card of 40 GiB, the second of two; CUDA's driver as far as it is asked.
DRIVER = """
#include <stddef.h>
int cuInit(unsigned flags) { return flags; }
int cuDeviceGet(int *device, int ordinal) { *device = 7 + ordinal; return ordinal > 1 ? 101 : 0; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = device == 8 ? 40ul << 30 : 0; return 0; }
"""


def run(code: str, **env: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XLA_", "CUDA_", "RAYGRID_GPU"))}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=kept | env)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("share", "visible", "expected"),
    [
        (None, None, None),
        ("", None, None),
        ("0", None, None),
        ("0.25", None, 0.225),
        ("0.25", "2", 0.225),
        ("0.5", "GPU-4f1a", 0.45),
        ("1", "0", None),
        ("1.0", "0", None),
        ("2", "0,1", None),
        ("0.25", "", None),
        ("0.25", "-1", None),
    ],
)
def test_a_share_leaves_a_tenth_to_cuda_itself(monkeypatch, share, visible, expected):
    for name, value in {"RAYGRID_GPU_SHARE": share, "CUDA_VISIBLE_DEVICES": visible}.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert gpu_fraction() == (None if expected is None else pytest.approx(expected))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"RAYGRID_GPU_SHARE": "0.25"}, {"XLA_PYTHON_CLIENT_MEM_FRACTION": "0.2250"}),
        ({}, {}),
        ({"RAYGRID_GPU_SHARE": "0.25", "CUDA_VISIBLE_DEVICES": ""}, {}),
        (
            {"RAYGRID_GPU_SHARE": "0.25", "XLA_CLIENT_MEM_FRACTION": "0.1"},
            {"XLA_CLIENT_MEM_FRACTION": "0.1"},
        ),
    ],
    ids=["a share", "none", "no card", "the user's own"],
)
def test_jax_knows_its_limit_before_it_is_imported(env, expected):
    if not find_spec("jax"):
        pytest.skip("jax is not installed")
    code = """
import os, sys

class Watch:
    def find_spec(self, name, *rest):
        if name == "jax":
            seen.update({name: value for name, value in os.environ.items() if "MEM_FRACTION" in name})

seen = {}
sys.meta_path.insert(0, Watch())
from raygrid.networks.keras_backend import load_keras
load_keras().ops.ones(3).block_until_ready()
print(seen)
"""
    assert run(code, KERAS_BACKEND="jax", **env) == str(expected)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_a_share_without_a_card_changes_nothing(backend):
    if not find_spec(backend):
        pytest.skip(f"{backend} is not installed")
    code = (
        "from raygrid.networks.keras_backend import gpus, load_keras\n"
        "keras = load_keras()\n"
        "print(gpus(), float(keras.ops.sum(keras.ops.ones(3))))\n"
    )
    # Hidden from the backend, not from the setting: a machine with a card must behave alike here.
    hide = "import os, raygrid.networks.keras_backend as k\nk.gpu_fraction = lambda: 0.2\n"
    hide += "os.environ['CUDA_VISIBLE_DEVICES'] = ''\n"
    assert run(hide + code, KERAS_BACKEND=backend) == "[] 3.0"


def test_a_cards_memory_is_what_its_driver_says(tmp_path):
    compiler = shutil.which("cc")
    if not (compiler and sys.platform == "linux"):
        pytest.skip("needs a C compiler on Linux, to build a driver that answers")
    (tmp_path / "driver.c").write_text(DRIVER)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", "libcuda.so.1", "driver.c"], cwd=tmp_path, check=True)
    code = "from raygrid.networks.keras_backend import card_memory_mb; print([card_memory_mb(i) for i in range(3)])"
    assert run(code, LD_LIBRARY_PATH=str(tmp_path)) == "[0, 40960, None]"


def test_without_a_driver_a_cards_memory_is_unknown(tmp_path):
    (tmp_path / "libcuda.so.1").write_text("no library")
    code = "from raygrid.networks.keras_backend import card_memory_mb; print(card_memory_mb(0))"
    assert run(code, LD_LIBRARY_PATH=str(tmp_path)) == "None"
