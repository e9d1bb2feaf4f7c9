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
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XLA_", "CUDA_"))}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=kept | env)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize(("gpus", "expected"), [(0.0, None), (0.25, 0.225), (0.5, 0.45), (1.0, None), (2.0, None)])
def test_a_share_leaves_a_tenth_to_cuda_itself(gpus, expected):
    assert gpu_fraction(gpus) == (None if expected is None else pytest.approx(expected))


def test_a_process_that_has_loaded_keras_refuses_another_runtime():
    code = """
from raygrid.host import Runtime
from raygrid.networks.keras_backend import load_keras, runtime_in_force, set_up
set_up(Runtime(2, backend="none"))
assert runtime_in_force() is None
set_up(Runtime(3, backend="none"))  # nothing has used Keras yet
try: load_keras()
except Exception: pass  # there is no such backend, and it is loaded at once
assert runtime_in_force() == Runtime(3, backend="none")
set_up(Runtime(3, backend="none"))
try: set_up(Runtime(1, backend="none"))
except RuntimeError as error: print(error)
"""
    assert run(code) == (
        "Keras: got Runtime(threads=1, gpus=0.0, backend='none'); "
        "expected Runtime(threads=3, gpus=0.0, backend='none'), as this process began; start another process"
    )


# What a backend is told of threads and cards, in a process that has used it.
COMPUTES_WITH = {
    "tensorflow": """
import tensorflow as tf
print(tf.config.threading.get_intra_op_parallelism_threads(), tf.config.get_visible_devices("GPU"))
""",
    "torch": "import torch\nprint(torch.get_num_threads(), [] if 'cpu' in str(x.device) else x.device)",
    "jax": "import jax\nprint(2, [d for d in jax.devices() if d.platform != 'cpu'])",
}


@pytest.mark.slow
@pytest.mark.parametrize("backend", COMPUTES_WITH)
def test_a_runtime_without_a_card_uses_none(backend):
    """Of the machine's cards, however many there are; and the environment tells child processes nothing of it."""
    if not find_spec(backend):
        pytest.skip(f"{backend} is not installed")
    code = f"""
import os
before = dict(os.environ)
from raygrid.host import Runtime
from raygrid.networks.keras_backend import load_keras, set_up
set_up(Runtime(2, 0.0, {backend!r}))
x = load_keras().ops.ones(3)
changed = {{name for name in os.environ if os.environ[name] != before.get(name)}}
assert not changed & {{"CUDA_VISIBLE_DEVICES", "JAX_PLATFORMS", "KERAS_TORCH_DEVICE"}}
"""
    assert run(code + COMPUTES_WITH[backend]) == "2 []"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("gpus", "env", "expected"),
    [
        (0.25, {}, {"XLA_PYTHON_CLIENT_MEM_FRACTION": "0.2250"}),
        (1.0, {}, {}),
        (0.0, {}, {}),
        (0.25, {"XLA_CLIENT_MEM_FRACTION": "0.1"}, {"XLA_CLIENT_MEM_FRACTION": "0.1"}),
    ],
    ids=["a share", "a card", "no card", "the user's own"],
)
def test_jax_knows_its_limit_before_it_is_imported(gpus, env, expected):
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
from raygrid.host import Runtime
from raygrid.networks.keras_backend import load_keras, set_up
set_up(Runtime(1, float(sys.argv[1])))
load_keras().ops.ones(3).block_until_ready()
print(seen)
""".replace("sys.argv[1]", repr(gpus))
    assert run(code, KERAS_BACKEND="jax", **env) == str(expected)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_a_share_without_a_card_changes_nothing(backend):
    if not find_spec(backend):
        pytest.skip(f"{backend} is not installed")
    code = """
from raygrid.host import Runtime
from raygrid.networks.keras_backend import load_keras, set_up
set_up(Runtime(1, 0.2))
keras = load_keras()
print(float(keras.ops.sum(keras.ops.ones(3))))
"""
    assert run(code, KERAS_BACKEND=backend, CUDA_VISIBLE_DEVICES="") == "3.0"


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
