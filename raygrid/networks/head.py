"""The last layer of a network, which is its classifier; what is before it are its features."""

from functools import cache
from typing import Any

from raygrid.errors import UsageError
from raygrid.networks.keras_backend import load_keras


def classifier_of(model: Any) -> Any:
    """Return the last layer of a Keras model, a linear one with softmax.

    Raises
    ------
    UsageError
        It is another one.
    """
    keras, layer = load_keras(), model.layers[-1]
    if not isinstance(layer, keras.layers.Dense) or layer.activation is not keras.activations.softmax:
        ends_in = getattr(getattr(layer, "activation", None), "__name__", "no activation")
        raise UsageError(
            f"network: got {type(layer).__name__} as its last layer, with {ends_in}; expected Dense with softmax, on "
            "which second stages and loss ldam work; end it in keras.layers.Dense(n_classes, activation='softmax')"
        )
    return layer


def with_normalised_classifier(model: Any, scale: float) -> Any:
    """Return the network with a last layer that gives the softmax of `scale` times cosines, its weights drawn anew."""
    layer = classifier_of(model)
    head = _normalised_dense()(layer.units, scale=scale, activation="softmax", use_bias=False, dtype="float32")
    return load_keras().Model(model.input, head(layer.input))


@cache
def _normalised_dense() -> Any:
    keras = load_keras()

    class NormalisedDense(keras.layers.Dense):  # type: ignore[name-defined,misc]
        """A dense layer whose inputs and whose weights for each output have length 1."""

        def __init__(self, units: int, *, scale: float, **settings: Any) -> None:
            super().__init__(units, **settings)
            self.scale = scale

        def call(self, inputs: Any, training: Any = None) -> Any:
            ops = keras.ops
            cosines = ops.matmul(ops.normalize(inputs, axis=-1), ops.normalize(self.kernel, axis=0))
            return self.activation(self.scale * cosines)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "scale": self.scale}

    return NormalisedDense


def normalise(model: Any, tau: float) -> None:
    """Divide the weights of each class in the last layer by their length to the power of tau; set its bias to 0."""
    layer, ops = classifier_of(model), load_keras().ops
    layer.kernel.assign(layer.kernel / ops.power(ops.norm(layer.kernel, axis=0), tau))
    if layer.use_bias:
        layer.bias.assign(ops.zeros_like(layer.bias))
