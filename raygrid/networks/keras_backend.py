"""Keras set up once a process: its backend, its threads, its determinism, its share of a GPU.

Every use of Keras comes through here.
"""

import ctypes
import os
from functools import cache
from types import ModuleType

# Of its share of a card, what a trial may allocate: the rest is for CUDA's own context and libraries, some 500 MB.
_ALLOCATED = 0.9


@cache
def load_keras() -> ModuleType:
    """Import Keras on the backend that KERAS_BACKEND names (tensorflow by default) and return it.

    Operations are made deterministic, and a share of a GPU is kept to (`gpu_fraction`).
    """
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # or a file in the user's home would choose
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    fraction = gpu_fraction()
    if fraction and not {"XLA_CLIENT_MEM_FRACTION", "XLA_PYTHON_CLIENT_MEM_FRACTION"} & set(os.environ):
        os.environ["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{fraction:.4f}"  # JAX reads it when it starts
    import keras

    if keras.backend.backend() == "tensorflow":
        _set_up_tensorflow(fraction)
    elif keras.backend.backend() == "torch":
        _set_up_torch(fraction)
    return keras  # type: ignore[no-any-return]


def gpu_fraction() -> float | None:
    """Return which fraction of its card's memory this process may allocate; nothing where it has no share of one.

    The engine says in RAYGRID_GPU_SHARE what a trial asked for (0.25, say), before Keras is imported. Ray itself only
    sets CUDA_VISIBLE_DEVICES; without a limit the first of four trials would take the whole card. TensorFlow and JAX
    allocate their part at once, torch as it needs it; more is an out-of-memory error of that trial alone. No backend
    was run on a card with these limits, only what they are set to was tested.
    """
    share = float(os.environ.get("RAYGRID_GPU_SHARE") or 1)
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    return _ALLOCATED * share if 0 < share < 1 and not hidden else None


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


def _set_up_tensorflow(fraction: float | None) -> None:
    """Set threads, determinism and GPU memory, which must happen before TensorFlow's first operation.

    TensorFlow takes every core it sees unless told otherwise, so its thread pools follow OMP_NUM_THREADS, which both
    engines set to the trial's CPUs and which every other library obeys.
    """
    import tensorflow as tf

    threads = int(os.environ.get("OMP_NUM_THREADS", "0"))
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.config.experimental.enable_op_determinism()
    for ordinal, gpu in enumerate(tf.config.list_physical_devices("GPU")):
        card_mb = card_memory_mb(ordinal) if fraction else None
        if fraction and card_mb:
            limit = tf.config.LogicalDeviceConfiguration(memory_limit=int(fraction * card_mb))
            tf.config.set_logical_device_configuration(gpu, [limit])
        else:
            tf.config.experimental.set_memory_growth(gpu, True)  # or the first trial would take the whole card


def _set_up_torch(fraction: float | None) -> None:
    import torch

    torch.use_deterministic_algorithms(True, warn_only=True)
    if fraction and torch.cuda.is_available():
        torch.cuda.set_per_process_memory_fraction(fraction)


def gpus() -> list[str]:
    """Return the names of the GPUs that the backend sees."""
    backend = load_keras().backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return [device.name for device in tf.config.list_physical_devices("GPU")]
    if backend == "jax":
        import jax

        return [str(device) for device in jax.devices() if device.platform == "gpu"]
    import torch

    return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
