"""The machine: whether memory ran out, as each library says it."""

import json
import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from importlib.util import find_spec

import numpy as np
import pytest

from raygrid.host import Runtime, _versions, is_out_of_memory
from raygrid.networks.keras_backend import load_keras

# More than any address space holds, so that every allocator refuses at once.
TOO_LARGE = {
    "jax": "jax.numpy.zeros(2**45).block_until_ready()",
    "torch": "torch.empty(2**45)",
}


def caught(code):
    with pytest.raises(Exception) as raised:
        code()
    return raised.value


def caused_by(cause):
    def fail():
        raise ValueError("could not train") from cause

    return caught(fail)


@pytest.mark.slow
def test_tensorflows_own_error_is_recognised():
    load_keras()  # a process cannot set it up after TensorFlow's first operation
    import tensorflow as tf

    error = caught(lambda: tf.function(lambda n: tf.reduce_sum(tf.fill([n], 1.0)))(tf.constant(2**45)))
    assert (type(error).__name__, is_out_of_memory(error)) == ("ResourceExhaustedError", True)


@pytest.mark.parametrize("library", ["jax", "torch"])
@pytest.mark.slow
def test_a_backends_own_error_is_recognised(library):
    if not find_spec(library):
        pytest.skip(f"{library} is not installed")
    code = (
        f"import {library}\nfrom raygrid.host import is_out_of_memory\n"
        f"try: {TOO_LARGE[library]}\nexcept Exception as error: print(type(error).__name__, is_out_of_memory(error))\n"
    )
    env = os.environ | {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    names = {"jax": "JaxRuntimeError", "torch": "RuntimeError"}
    assert run.stdout.splitlines()[-1:] == [f"{names[library]} True"], run.stderr


def test_numpys_error_is_recognised_and_so_is_what_it_caused():
    error = caught(lambda: np.empty(2**56))
    assert type(error) is not MemoryError
    assert is_out_of_memory(error)
    assert is_out_of_memory(caused_by(error))
    assert is_out_of_memory(caused_by(caused_by(error)))


# What can only be raised by a GPU, in the words of the libraries' own sources and issues.
@pytest.mark.parametrize(
    ("name", "base", "message"),
    [
        ("InternalError", Exception, "Failed to allocate 1048576 bytes for new constant"),
        ("InternalError", Exception, "Dst tensor is not initialized."),
        ("OutOfMemoryError", RuntimeError, "CUDA out of memory. Tried to allocate 2.00 GiB"),
        ("RuntimeError", RuntimeError, "CUDA error: out of memory"),
        ("RuntimeError", RuntimeError, "cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        ("RuntimeError", RuntimeError, "DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes."),
    ],
)
def test_other_words_for_it_are_recognised(name, base, message):
    assert is_out_of_memory(type(name, (base,), {})(message))


@pytest.mark.parametrize(
    "error",
    [
        ValueError("expected 3; got: out of memory"),
        RuntimeError("CUDA error: an illegal memory access was encountered"),
        type("InternalError", (Exception,), {})("Blas GEMM launch failed"),
        caused_by(KeyError("memory")),
    ],
    ids=["another type", "another fault of a card", "another fault of TensorFlow", "another cause"],
)
def test_other_failures_are_not(error):
    assert not is_out_of_memory(error)


@pytest.mark.parametrize(
    ("backend", "libraries"), [("tensorflow", ["tensorflow"]), ("torch", ["torch"]), ("jax", ["jax", "jaxlib"])]
)
def test_a_runtime_knows_its_backend_and_the_versions_of_its_libraries(backend, libraries, monkeypatch):
    def installed(name):
        if name in ("jax", "jaxlib"):
            raise PackageNotFoundError
        return f"{name} 1.2"

    monkeypatch.setattr("raygrid.host.version", installed)
    _versions.cache_clear()
    versions = Runtime(backend=backend).versions()
    _versions.cache_clear()
    expected = {name: "unknown" if backend == "jax" else f"{name} 1.2" for name in libraries}
    assert versions["keras_backend"] == backend
    assert {name: versions[name] for name in libraries} == expected
    assert not {"tensorflow", "torch", "jax", "jaxlib"} & set(versions) - set(libraries)


def test_two_runtimes_that_round_otherwise_are_known_apart():
    runtimes = [Runtime(1), Runtime(2), Runtime(1, 0.5), *(Runtime(backend=name) for name in ("torch", "jax"))]
    known = [json.dumps(runtime.known()) for runtime in runtimes]
    assert len(set(known)) == len(known)
    assert Runtime(1, 0.5).known() == Runtime(1, 1.0).known()  # a share of a card computes as the card does


def test_the_library_of_products_is_the_same_whatever_else_is_loaded():
    """Inner products are kept under its name: a process that has loaded scipy must find those of one that has not."""
    code = "from raygrid import host; {}print(host.blas())"
    commands = [[sys.executable, "-c", code.format(more)] for more in ("", "import scipy.linalg, sklearn.svm; ")]
    bare, loaded = (subprocess.run(command, capture_output=True, text=True, check=True).stdout for command in commands)
    assert bare == loaded != ""
