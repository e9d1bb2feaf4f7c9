"""Training steps of a Keras network, many in one call of the backend.

Keras' `fit` reads batches through a pipeline of its own and calls the backend for every step. Here the backend gets
arrays: on CPUs that takes a fifth less (experiments/benchmarks/image_arm.py). Images stay where the network is, if they
have room there, and a step needs only the numbers of the images that it mixes.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raygrid.networks.keras_backend import load_keras

Arrays = tuple[NDArray[Any], ...]
# Takes kept images, inputs and targets of steps.
Run = Callable[[Any, Arrays, Arrays], None]


@dataclass(frozen=True)
class Steps:
    """Some steps that follow each other, whose batches are equally large.

    Attributes
    ----------
    inputs : tuple of arrays of shape (n_steps, batch_size, ...)
        Images in [-1, 1]; or, of images that are kept where the network is, what `mixed` takes of each step.
    targets : tuple of arrays of shape (n_steps, batch_size, ...)
        What the loss compares, and weights of samples if there are any.
    """

    inputs: Arrays
    targets: Arrays


class Trainer:
    """Trains a compiled Keras network by its `train_step`.

    What is traced or compiled for a network serves all trainings of it.

    Parameters
    ----------
    n_classes : int
        Of its output, which a model of the user's own class may not tell.
    """

    def __init__(self, model: Any, n_classes: int) -> None:
        self.model, self.n_classes, self._is_built = model, n_classes, False
        backend = load_keras().backend.backend()
        self._run = {"tensorflow": _on_tensorflow, "jax": _on_jax}.get(backend, _on_torch)(model)
        self._seed: Callable[[int], object] = _seed_torch if backend == "torch" else lambda seed: None

    def epoch(self, batches: Iterator[Steps], images: Any = None, *, seed: int) -> float:
        """Train on batches, the next of which are made meanwhile; return the mean loss.

        Parameters
        ----------
        images : tensor of shape (n, size, size, 3), uint8, optional
            What rows are of.
        seed : int
            Of what torch draws, for dropout; on other backends the state of that is a part of the model.
        """
        self._seed(seed)
        self.model.reset_metrics()
        for steps in _ahead(batches):
            self._build(steps.targets)
            self._run(images, steps.inputs, _single_precision(steps.targets))
        return float(self.model.get_metrics_result()["loss"])

    def _build(self, targets: Arrays) -> None:
        """Let the loss and the metrics create their variables, which `fit` does otherwise."""
        if not self._is_built:
            ops = load_keras().ops
            y, *weights = (ops.convert_to_tensor(each[0]) for each in _single_precision(targets))
            p = ops.ones((len(y), self.n_classes)) / self.n_classes
            self.model.compute_loss(None, y, p, *weights)
            self.model.compute_metrics(None, y, p, *weights)
            self.model.reset_metrics()
            self._is_built = True


def kept(images: NDArray[np.uint8]) -> Any:
    """Return images as a tensor where the network is."""
    return load_keras().ops.convert_to_tensor(images)


def mixed(images: Any, rows: Any, shares: Any, half: Any) -> Any:
    """Return mixtures of images, in [-1, 1], as a tensor of shape (n_mixtures, size, size, 3), float32.

    Parameters
    ----------
    images : tensor of shape (n, size, size, 3), uint8
    rows, shares : tensor of shape (n_mixtures, n_mixed), int32 and float32
        A mixture is the sum of n_mixed images times their shares.
    half : tensor of shape (), float32
        127.5. It is an input because compilers turn a division by a constant into a product, which is rounded otherwise
        than where images are sent.
    """
    ops = load_keras().ops
    parts = ops.cast(ops.take(images, rows, axis=0), "float32") * shares[:, :, None, None, None]
    return ops.sum(parts, axis=1) / half - 1


def _ahead(items: Iterator[Steps]) -> Iterator[Steps]:
    """Yield the items; a thread makes the next one while one is used."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item


def _single_precision(arrays: Arrays) -> Arrays:
    return tuple(each.astype(np.float32) if each.dtype == np.float64 else each for each in arrays)


def _on_tensorflow(model: Any) -> Run:
    import tensorflow as tf

    def steps(images: Any, inputs: Any, targets: Any) -> None:
        def step(i: Any) -> Any:
            model.train_step(_step(i, images, inputs, targets))
            return i + 1

        tf.while_loop(lambda i: i < tf.shape(targets[0])[0], step, [0])

    def of_any_length(arrays: Any, n_open: int) -> Any:
        shapes = ([None] * min(n_open, each.ndim) + list(each.shape[n_open:]) for each in arrays)
        return [tf.TensorSpec(shape, each.dtype) for shape, each in zip(shapes, arrays, strict=True)]

    traced: dict[bool, Any] = {}

    def run(images: Any, inputs: Arrays, targets: Arrays) -> None:
        are_kept = images is not None
        if are_kept not in traced:  # once for all shapes, because each trace takes 2 s
            signature = [of_any_length(inputs, 3 if are_kept else 2), of_any_length(targets, 2)]
            of_images = of_any_length([images], 1)[0] if are_kept else None
            function = tf.function(steps, autograph=False)
            traced[are_kept] = function.get_concrete_function(of_images, *signature)
        traced[are_kept](images, [tf.constant(each) for each in inputs], [tf.constant(each) for each in targets])

    return run


def _on_jax(model: Any) -> Run:
    import jax

    @partial(jax.jit, donate_argnums=0)
    def steps(state: Any, images: Any, inputs: Any, targets: Any) -> Any:
        def step(state: Any, i: Any) -> Any:
            _, state = model.train_step(state, _step(i, images, inputs, targets))
            return state, None

        if len(targets[0]) == 1:  # in a loop, XLA's convolutions on CPUs are naive
            return step(state, 0)[0]
        return jax.lax.scan(step, state, jax.numpy.arange(len(targets[0])))[0]

    def run(images: Any, inputs: Arrays, targets: Arrays) -> None:
        of_model = (model.trainable_variables, model.non_trainable_variables)
        parts = (*of_model, model.optimizer.variables, model.metrics_variables)
        state = tuple([variable.value for variable in variables] for variables in parts)
        for variables, values in zip(parts, steps(state, images, inputs, targets), strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)

    return run


def _on_torch(model: Any) -> Run:
    to_tensor = load_keras().ops.convert_to_tensor

    def run(images: Any, inputs: Arrays, targets: Arrays) -> None:
        model.train()
        tensors = [[to_tensor(each) for each in arrays] for arrays in (inputs, targets)]
        for i in range(len(targets[0])):
            model.train_step(_step(i, images, *tensors))
        model.eval()

    return run


def _seed_torch(seed: int) -> None:
    import torch

    torch.manual_seed(seed)


def _step(i: Any, images: Any, inputs: Any, targets: Any) -> tuple[Any, ...]:
    """Return what `train_step` takes: the images of step i, and its targets."""
    own = [each[i] for each in inputs]
    return (own[0] if images is None else mixed(images, *own), *(each[i] for each in targets))
