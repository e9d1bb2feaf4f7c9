"""Keras set up once a process: its backend, its threads, its determinism, its share of a GPU.

Every use of Keras comes through here.
"""

import ctypes
import os
from functools import cache
from types import ModuleType

from raygrid.host import Runtime

# Of its share of a card, what a trial may allocate: the rest is for CUDA's own context and libraries, some 500 MB.
_ALLOCATED = 0.9

_asked_for: Runtime | None = None
_in_force: Runtime | None = None


def set_up(runtime: Runtime) -> None:
    """Say what Keras computes with in this process; to be called before anything uses Keras.

    Raises
    ------
    RuntimeError
        Keras computes with something else already. No backend can change its threads and its cards after its first
        operation, and a record would say what is not true: such a trial needs another process.
    """
    global _asked_for
    if runtime_in_force() not in (None, runtime):
        raise RuntimeError(f"Keras: got {runtime}; expected {_in_force}, as this process began; start another process")
    _asked_for = runtime


def runtime_in_force() -> Runtime | None:
    """Return what Keras computes with in this process, for as long as it lives; nothing before Keras is used."""
    return _in_force


@cache
def load_keras() -> ModuleType:
    """Import Keras, set up as `set_up` was told (otherwise for `Runtime()`), and return it.

    Operations are made deterministic, a share of a GPU is kept to, and without a share no GPU is used.
    """
    global _in_force
    _in_force = runtime = _asked_for or Runtime()
    os.environ["KERAS_BACKEND"] = runtime.backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return {"tensorflow": _on_tensorflow, "torch": _on_torch, "jax": _on_jax}.get(runtime.backend, _keras)(runtime)


def gpu_fraction(gpus: float) -> float | None:
    """Return which fraction of its card's memory a process may allocate; nothing where it has no share of one.

    Ray itself only sets CUDA_VISIBLE_DEVICES; without a limit the first of four trials would take the whole card.
    TensorFlow and JAX allocate their part at once, torch as it needs it; more is an out-of-memory error of that trial
    alone. No backend was run on a card with these limits, only what they are set to was tested.

    Parameters
    ----------
    gpus : float
        What a trial asked for: 0.25, say.
    """
    return _ALLOCATED * gpus if 0 < gpus < 1 else None


def card_memory_mb(ordinal: int) -> int | None:
    """Return the memory in MB (2^20 bytes) of the card that is this process' `ordinal`-th, if CUDA's driver tells.

    The driver itself resolves CUDA_VISIBLE_DEVICES (numbers, UUIDs, MIG) and the order of cards, as NVML does not.
    """
    device, n_bytes = ctypes.c_int(), ctypes.c_size_t()
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
        failed = (
            cuda.cuInit(0)
            or cuda.cuDeviceGet(ctypes.byref(device), ordinal)
            or cuda.cuDeviceTotalMem_v2(ctypes.byref(n_bytes), device)
        )
    except (OSError, AttributeError):  # no driver, or one without these
        return None
    return None if failed else n_bytes.value // 2**20


def _keras(runtime: Runtime) -> ModuleType:
    import keras

    return keras  # type: ignore[no-any-return]


def _on_tensorflow(runtime: Runtime) -> ModuleType:
    """Set threads, determinism and GPUs before TensorFlow's first operation: later it refuses."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(runtime.threads)  # it would take every core
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
            tf.config.experimental.set_memory_growth(gpu, True)  # or the first trial would take the whole card
    return _keras(runtime)


def _on_torch(runtime: Runtime) -> ModuleType:
    import torch

    torch.set_num_threads(runtime.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
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
    fraction = gpu_fraction(runtime.gpus)
    if fraction and not {"XLA_CLIENT_MEM_FRACTION", "XLA_PYTHON_CLIENT_MEM_FRACTION"} & set(os.environ):
        os.environ["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{fraction:.4f}"  # JAX reads it when it starts
    import jax

    if not runtime.gpus:
        jax.config.update("jax_platforms", "cpu")
    return _keras(runtime)


def gpus() -> list[str]:
    """Return the names of the GPUs that the backend sees in this process, which may use them all."""
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
