"""Set up Keras once in each process: backend, threads, determinism, share of a GPU.

All other modules get Keras from `load_keras`.
"""

import ctypes
import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

from raygrid.errors import UsageError
from raygrid.host import Runtime
from raygrid.host.output import quiet

# A trial may allocate this much of its share of a card; CUDA's context and libraries need the rest, about 500 MB.
_ALLOCATED = 0.9

# TensorFlow takes up to three times as much while it copies them, so that more would double what a trial takes. More
# images are read from the memory that all trials share.
_ROOM_IN_MEMORY = 2**27

_asked_for: Runtime | None = None
_in_force: Runtime | None = None


def set_up(runtime: Runtime) -> None:
    """Choose what Keras computes with in this process; call it before Keras is used.

    Raises
    ------
    RuntimeError
        Keras already computes with something else. No backend can change its threads and cards after its first
        operation, and a record would name the wrong ones, so such a trial needs another process.
    """
    global _asked_for
    if runtime_in_force() not in (None, runtime):
        raise RuntimeError(f"Keras: got {runtime}; expected {_in_force}, as this process began; start another process")
    _asked_for = runtime


def runtime_in_force() -> Runtime | None:
    """Return what Keras computes with in this process until it ends; None before Keras is used."""
    return _in_force


@cache
def load_keras() -> ModuleType:
    """Import Keras, set up for the runtime that `set_up` got (by default for `Runtime()`), and return it.

    Operations are deterministic, memory is limited to the trial's share of a GPU, and without a share no GPU is used.
    """
    global _in_force
    _in_force = runtime = _asked_for or Runtime()
    os.environ["KERAS_BACKEND"] = runtime.backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    load = {"tensorflow": _on_tensorflow, "torch": _on_torch, "jax": _on_jax}.get(runtime.backend, _keras)
    with quiet():  # TensorFlow says which instructions it uses, and that it finds no card
        keras = load(runtime)
    gc.freeze()  # modules stay until the process ends; a collection after each cell need not look at them for 0.3 s
    return keras


@contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Let layers that are made meanwhile compute in a precision, a dtype policy of Keras, such as *mixed_bfloat16*.

    Raises
    ------
    UsageError
        The backend cannot compute in it here, as TensorFlow on processors without AVX-512.
    """
    config, ops = load_keras().config, load_keras().ops
    if precision != "float32":
        dtype = precision.removeprefix("mixed_")
        try:
            ops.convert_to_numpy(ops.conv(ops.ones((1, 8, 8, 3), dtype), ops.ones((3, 3, 3, 8), dtype)))
        except Exception as error:  # each backend has its own
            expected = "a card, or a processor that can, with TensorFlow one with AVX-512; write precision: float32"
            message = f"precision {precision}: got a device on which {config.backend()} cannot compute in {dtype}"
            raise UsageError(f"{message}; expected {expected}") from error
    before = config.dtype_policy()
    config.set_dtype_policy(precision)
    try:
        yield
    finally:
        config.set_dtype_policy(before)


def gpu_fraction(gpus: float) -> float | None:
    """Return the fraction of a card's memory that a process may allocate; None if it has whole cards or none.

    Ray only sets CUDA_VISIBLE_DEVICES; without a limit the first of four trials would take all memory of the card.
    TensorFlow and JAX allocate their part at once, torch when it needs it; a trial that needs more ends with an
    out-of-memory error and the others go on. The settings were tested, but no backend was run on a card with them.

    Parameters
    ----------
    gpus : float
        The number of GPUs that a trial asks for, for example 0.25.
    """
    return _ALLOCATED * gpus if 0 < gpus < 1 else None


def card_memory_mb(ordinal: int) -> int | None:
    """Return the memory in MB (2^20 bytes) of card number `ordinal` of this process; None if CUDA cannot tell it."""
    n_bytes = ctypes.c_size_t()
    known = _ask_driver(ordinal, lambda cuda, device: cuda.cuDeviceTotalMem_v2(ctypes.byref(n_bytes), device))
    return n_bytes.value // 2**20 if known else None


def card_name(ordinal: int = 0) -> str:
    """Return the name of card number `ordinal` of this process, such as *NVIDIA H100 80GB HBM3*."""
    name = ctypes.create_string_buffer(256)
    known = _ask_driver(ordinal, lambda cuda, device: cuda.cuDeviceGetName(name, len(name), device))
    return name.value.decode(errors="replace") if known else "unknown card"


def card_share() -> float:
    """Return the largest part of the first card's memory that this process has allocated, of 1; 0 if nobody knows it.

    Allocations that a backend keeps for later are not counted; those of CUDA itself are added.
    """
    n_bytes, total_mb = _allocated_bytes(), card_memory_mb(0)
    return round(min(1.0, n_bytes / (_ALLOCATED * total_mb * 2**20)), 4) if n_bytes and total_mb else 0.0


def room_for_images() -> int:
    """Return how many bytes of images a network may keep: a quarter of its share of a card, or 128 MB of memory."""
    gpus = _in_force.gpus if _in_force else 0.0
    return int(min(1.0, gpus) * _ALLOCATED * (card_memory_mb(0) or 0) * 2**20 / 4) if gpus else _ROOM_IN_MEMORY


def _allocated_bytes() -> int:
    """Return the most that the backend has allocated at once on the first card, in this process."""
    backend = _in_force.backend if _in_force else ""
    try:
        if backend == "tensorflow":
            import tensorflow as tf

            return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])
        if backend == "torch":
            import torch

            return int(torch.cuda.max_memory_allocated())
        if backend == "jax":
            import jax

            return int((jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use", 0))
    except (RuntimeError, ValueError):  # no card, or one that does not count
        pass
    return 0


def _ask_driver(ordinal: int, ask: Callable[[Any, Any], int]) -> bool:
    """Call `ask` with CUDA's driver and a card; return whether both could.

    The driver itself is asked: unlike NVML it applies CUDA_VISIBLE_DEVICES (numbers, UUIDs, MIG) and its own order.
    """
    device = ctypes.c_int()
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
        return not (cuda.cuInit(0) or cuda.cuDeviceGet(ctypes.byref(device), ordinal) or ask(cuda, device))
    except (OSError, AttributeError):  # no driver, or one without these functions
        return False


def _keras(runtime: Runtime) -> ModuleType:
    import keras

    return keras  # type: ignore[no-any-return]


def _on_tensorflow(runtime: Runtime) -> ModuleType:
    """Set threads, determinism and GPUs before TensorFlow's first operation, because later it refuses."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(runtime.threads)  # by default it uses every core
    tf.config.threading.set_inter_op_parallelism_threads(runtime.threads)
    tf.config.experimental.enable_op_determinism()
    if not runtime.gpus:
        tf.config.set_visible_devices([], "GPU")
    fraction = gpu_fraction(runtime.gpus)
    for ordinal, gpu in enumerate(tf.config.get_visible_devices("GPU")):
        card_mb = card_memory_mb(ordinal) if fraction else None
        if fraction and card_mb:
            limit = tf.config.LogicalDeviceConfiguration(memory_limit=int(fraction * card_mb))
            tf.config.set_logical_device_configuration(gpu, [limit])
        else:
            tf.config.experimental.set_memory_growth(gpu, True)  # by default it allocates all memory of the card
    return _keras(runtime)


def _on_torch(runtime: Runtime) -> ModuleType:
    import torch

    torch.set_num_threads(runtime.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    if runtime.gpus:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it, products on cards differ by run
    if not runtime.gpus:
        os.environ["KERAS_TORCH_DEVICE"] = "cpu"  # Keras reads it when it is imported
    keras = _keras(runtime)
    if not runtime.gpus:
        del os.environ["KERAS_TORCH_DEVICE"]  # processes that this one starts may use cards
    fraction = gpu_fraction(runtime.gpus)
    if fraction and torch.cuda.is_available():
        torch.cuda.set_per_process_memory_fraction(fraction)
    return keras


def _on_jax(runtime: Runtime) -> ModuleType:
    if runtime.gpus:
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_gpu_deterministic_ops=true".strip()
    fraction = gpu_fraction(runtime.gpus)
    if fraction and not {"XLA_CLIENT_MEM_FRACTION", "XLA_PYTHON_CLIENT_MEM_FRACTION"} & set(os.environ):
        os.environ["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{fraction:.4f}"  # JAX reads it when it starts
    import jax

    if not runtime.gpus:
        jax.config.update("jax_platforms", "cpu")
    return _keras(runtime)


def gpus() -> list[str]:
    """Return the names of the GPUs that the backend sees; afterwards this process may use them all."""
    set_up(Runtime(gpus=1.0))
    backend = load_keras().backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return [device.name for device in tf.config.list_physical_devices("GPU")]
    if backend == "jax":
        import jax

        return [str(device) for device in jax.devices() if device.platform == "gpu"]
    import torch

    return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
