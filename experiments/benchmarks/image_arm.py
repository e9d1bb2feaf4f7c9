"""How fast the image arm trains, beside stock Keras and what else could be tried.

    python experiments/benchmarks/image_arm.py [VARIANT...] [--rounds 3]

Each variant trains the paper's network (MobileNet alpha 1, 64x64, batch 32, RMSprop) in a process of its own with one
thread for every CPU; they take turns. Printed are the medians of images a second, as a ratio to stock Keras' `fit` on
TensorFlow, and of seconds of CPU time an image, which say more where others use the machine.

Predicted, before the first run, as ratios: `train_on_batch` 1.05; no oneDNN 0.7; steps per execution 1.0;
XLA 0.5; no determinism 1.1.
Measured (2 cores without a GPU, five times overbooked by others, 2 rounds), images a second and CPU time, as ratios,
raygrid's variants with batch normalisation by TensorFlow's one kernel instead of Keras' ten: raygrid 1.8, 1.3;
`train_on_batch` 2.3, 1.5 (`fit` sets up its input in 0.1 s, here for every 128 images; a training does so once); no
oneDNN 0.5, 0.4; 8 steps per execution 1.9, 1.2; 32 steps 1.4, 1.3; XLA 0.2, 0.2. torch 0.8, 0.1 and jax 0.3, 0.3 spin
while they wait, and say little on such a machine. That kernel was taken out again: with random weights a step was 3e-2
from one in float64 where stock Keras' was 2e-6, and why was not found out.
"""

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

N_IMAGES, BATCH_SIZE, IMAGE_SIZE = 128, 32, 64

# Name -> the environment, what `compile` is given, and how the batches are fed.
VARIANTS: dict[str, tuple[dict[str, str], dict[str, Any], str]] = {
    "stock": ({}, {}, "stock"),
    "raygrid": ({}, {}, "fit"),
    "train_on_batch": ({}, {}, "train_on_batch"),
    "no-onednn": ({"TF_ENABLE_ONEDNN_OPTS": "0"}, {}, "fit"),
    "steps-8": ({}, {"steps_per_execution": 8}, "fit"),
    "steps-32": ({}, {"steps_per_execution": 32}, "fit"),
    "xla": ({}, {"jit_compile": True}, "stock"),
    "torch": ({"KERAS_BACKEND": "torch"}, {}, "fit"),
    "jax": ({"KERAS_BACKEND": "jax"}, {}, "fit"),
}


def stock(X: Any, y: Any, settings: dict[str, Any]) -> Callable[[], object]:
    """Return what trains for an epoch as Keras does by itself: no determinism, the images in memory as float32."""
    import keras

    backbone = keras.applications.MobileNet(input_shape=X.shape[1:], include_top=False, weights=None)
    x = keras.layers.GlobalAveragePooling2D()(backbone.output)
    x = keras.layers.Dense(1024, activation="relu")(x)
    model = keras.Model(backbone.input, keras.layers.Dense(10, activation="softmax")(x))
    model.compile(keras.optimizers.RMSprop(1e-4), "sparse_categorical_crossentropy", **settings)
    scaled = X.astype(np.float32) / np.float32(127.5) - np.float32(1)
    return lambda: model.fit(scaled, y, batch_size=BATCH_SIZE, verbose=0)


def ours(X: Any, y: Any, settings: dict[str, Any], feed: str) -> Callable[[], object]:
    """Return what trains for an epoch as raygrid does, but for what the variant changes."""
    from scipy.sparse import eye_array

    from raygrid.classifiers.cnn import Cnn, _batches, _compiled

    cnn = Cnn(weights="none", batch_size=BATCH_SIZE)
    model, _ = _compiled(cnn, IMAGE_SIZE, 10)
    if settings:
        model.compile(model.optimizer, model.loss, **settings)
    batches = _batches(cnn, X, eye_array(len(y), format="csr"), y, seed=0)
    if feed == "fit":
        return lambda: model.fit(batches, shuffle=False, verbose=0)
    return lambda: [model.train_on_batch(*batches[i]) for i in range(len(batches))]


def images_per_s(name: str) -> tuple[float, float]:
    """Return images a second and CPU seconds an image of one variant, in this process."""
    _, settings, feed = VARIANTS[name]
    X = np.random.default_rng(0).integers(0, 256, (N_IMAGES, IMAGE_SIZE, IMAGE_SIZE, 3)).astype(np.uint8)
    y = np.arange(N_IMAGES) % 10
    epoch = stock(X, y, settings) if feed == "stock" else ours(X, y, settings, feed)
    epoch()
    start, start_cpu = time.perf_counter(), time.process_time()
    for _ in range(2):
        epoch()
    n = 2 * N_IMAGES
    return n / (time.perf_counter() - start), (time.process_time() - start_cpu) / n


def in_a_process(name: str) -> tuple[float, float]:
    """Return the same, measured in a process of its own."""
    threads = str(len(os.sched_getaffinity(0)))
    env = os.environ | {"OMP_NUM_THREADS": threads, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, __file__, "--measure", name]
    printed = subprocess.check_output(command, env=env | VARIANTS[name][0], stderr=subprocess.DEVNULL)  # noqa: S603
    speed, cpu_s = (float(number) for number in printed.split()[-2:])
    return speed, cpu_s


def main() -> None:
    """Measure the variants in turn and print them side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variants", nargs="*", help=f"of {', '.join(VARIANTS)}; all of them by default")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(*images_per_s(arguments.measure))
        return
    backends = {"torch", "jax"}
    names = arguments.variants or [n for n in VARIANTS if n not in backends or importlib.util.find_spec(n)]
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in dict.fromkeys(["stock", *names])}
    for _ in range(arguments.rounds):
        for name, found in measured.items():
            found.append(in_a_process(name))
    stock_speed, stock_cpu_s = (statistics.median(column) for column in zip(*measured["stock"], strict=True))
    print(f"{'':16}{'images/s':>10}{'ratio':>8}{'CPU ms/image':>15}{'ratio':>8}")
    for name, found in measured.items():
        speed, cpu_s = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"{name:16}{speed:10.1f}{speed / stock_speed:8.2f}{1000 * cpu_s:15.1f}{stock_cpu_s / cpu_s:8.2f}")


if __name__ == "__main__":
    main()
