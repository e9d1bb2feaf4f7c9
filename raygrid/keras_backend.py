"""Keras set up once a process: its backend, its threads, its determinism. Every use of Keras comes through here."""

import os
from functools import cache
from types import ModuleType


@cache
def load_keras() -> ModuleType:
    """Import Keras on the backend that KERAS_BACKEND names (tensorflow by default) and return it.

    Operations are made deterministic. TensorFlow takes every core it sees unless told otherwise, so its thread pools
    follow OMP_NUM_THREADS, which both engines set to the trial's CPUs and which every other library obeys; this must
    happen before TensorFlow's first operation, hence once a process.
    """
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # or a file in the user's home would choose
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        threads = int(os.environ.get("OMP_NUM_THREADS", "0"))
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        tf.config.experimental.enable_op_determinism()
        for gpu in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)  # or the first trial would take the whole card
    elif keras.backend.backend() == "torch":
        import torch

        torch.use_deterministic_algorithms(True, warn_only=True)
    return keras  # type: ignore[no-any-return]
