"""Layers that use one kernel of the backend where Keras uses several; results are equal up to rounding.

Keras' batch normalisation takes a third of the time of a training step of MobileNet on CPUs, and a convolution of 1 x 1
pixels is faster as the matrix product that it is (experiments/benchmarks/image_arm.py). JAX's compiler fuses by itself.
"""

from functools import cache
from typing import Any

from raygrid.networks.keras_backend import load_keras


def fused(model: Any) -> Any:
    """Return a copy of a Keras model, with the same weights, that uses the layers below where possible."""
    keras = load_keras()
    if keras.backend.backend() == "jax":
        return model

    def copied(layer: Any) -> Any:
        return _stand_in(layer).from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=copied)
    copy.set_weights(model.get_weights())
    return copy


def _stand_in(layer: Any) -> Any:
    """Return the faster class that can replace a layer's class, or the layer's class if there is none."""
    layers, kind = load_keras().layers, type(layer)
    if kind is layers.BatchNormalization and layer.axis in (-1, 3) and layer.scale and layer.center:
        return kind if layer.renorm or layer.synchronized else _batch_normalization()
    if kind is layers.Conv2D and layer.kernel_size == layer.strides == (1, 1) and layer.groups == 1:
        return _pointwise_convolution() if layer.data_format == "channels_last" else kind
    return kind


@cache
def _pointwise_convolution() -> Any:
    keras = load_keras()

    class PointwiseConvolution(keras.layers.Conv2D):  # type: ignore[name-defined,misc]
        def convolution_op(self, inputs: Any, kernel: Any) -> Any:
            return keras.ops.tensordot(inputs, keras.ops.reshape(kernel, kernel.shape[2:]), axes=1)

    return PointwiseConvolution


@cache
def _batch_normalization() -> Any:
    keras = load_keras()
    kernel = {"tensorflow": _tensorflow_kernel, "torch": _torch_kernel}[keras.backend.backend()]()

    class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[name-defined,misc]
        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            is_plain = len(inputs.shape) == 4 and mask is None and self.compute_dtype == "float32"
            if not (is_plain and training and self.trainable):
                return super().call(inputs, training=training, mask=mask)
            outputs, mean, variance = kernel(inputs, self.gamma.value, self.beta.value, self.epsilon)
            for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving.assign(moving * self.momentum + new * (1.0 - self.momentum))
            return outputs

    return FusedBatchNormalization


def _tensorflow_kernel() -> Any:
    import tensorflow as tf

    def normalized(x: Any, gamma: Any, beta: Any, epsilon: float) -> Any:
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(x, gamma, beta, epsilon=epsilon, is_training=True)
        # The kernel returns the sum of squares over n - 1; Keras' moving average uses the sum over n.
        n = tf.cast(tf.size(x) // tf.size(mean), variance.dtype)
        return outputs, mean, variance * (n - 1) / n

    return normalized


def _torch_kernel() -> Any:
    import torch

    def normalized(x: Any, gamma: Any, beta: Any, epsilon: float) -> Any:
        channels_first = x.permute(0, 3, 1, 2)
        outputs, mean, deviation = torch.native_batch_norm(
            channels_first, gamma, beta, None, None, True, 0.0, epsilon
        )  # the last is 1 / sqrt(variance + epsilon)
        return outputs.permute(0, 2, 3, 1), mean.detach(), deviation.detach().pow(-2) - epsilon

    return normalized
