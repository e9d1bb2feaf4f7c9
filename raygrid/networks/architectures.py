"""Architectures: the networks that a level can start from, most of keras.applications, and the files of their weights.

Here all take images in [-1, 1]; a network that expects other values begins with a layer that converts them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from raygrid.networks.keras_backend import load_keras
from raygrid.networks.resnet32 import resnet32

# The folder from which keras.applications downloads weights.
PUBLISHED = "https://storage.googleapis.com/tensorflow/keras-applications"


def _as_it_is(x: Any) -> Any:
    return x


def _to_pixels(x: Any) -> Any:
    """Return values 0 .. 255, for a network that does the rest of the preprocessing itself."""
    return load_keras().layers.Rescaling(127.5, offset=127.5)(x)


def _to_centred_bgr(x: Any) -> Any:
    """Return values 0 .. 255 minus ImageNet's means, channels in the order blue, green, red, as in Caffe."""
    return load_keras().applications.resnet.preprocess_input(_to_pixels(x))


@dataclass(frozen=True)
class Architecture:
    """A network without its top.

    Attributes
    ----------
    builder : str or callable
        Its function in keras.applications, by name, or one that takes the same arguments.
    channels : int
        Channels of the last activations, for alpha 1.
    file : str
        Path of the published weights below `PUBLISHED`; its last part is the file name in Keras' cache. Empty if there
        are none.
    megabytes : int
        Largest size of such a file.
    stride : int
        How many times smaller than an image's side that of the last activations is.
    least_channels : int
        The smallest number of these channels for any alpha.
    alphas : mapping
        Width multiplier -> its spelling in `file`, for those with published weights; empty if there is only one width.
    sizes : tuple of int
        Image sizes with published weights of their own; all other sizes use those for 224 pixels.
    options : mapping
        Further arguments of the builder.
    adapt : callable
        Converts images in [-1, 1] to what the network expects.
    """

    builder: str | Callable[..., Any]
    channels: int
    file: str = ""
    megabytes: int = 0
    stride: int = 32
    least_channels: int = 0
    alphas: Mapping[float, str] = field(default_factory=dict)
    sizes: tuple[int, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    adapt: Callable[[Any], Any] = _as_it_is

    def published(self, alpha: float, image_size: int) -> str:
        """Return the file of the published weights for a width, below `PUBLISHED`."""
        size = image_size if image_size in self.sizes else 224
        return self.file.format(alpha=self.alphas.get(alpha), size=size)

    def build(self, alpha: float, image_size: int) -> tuple[Any, Any]:
        """Return the network from images in [-1, 1] to its last activations, and the Keras model its weights fit."""
        keras = load_keras()
        width = {"alpha": alpha} if self.alphas else {}
        images = keras.Input((image_size, image_size, 3))
        builder = getattr(keras.applications, self.builder) if isinstance(self.builder, str) else self.builder
        model = builder(
            input_tensor=self.adapt(images),
            input_shape=images.shape[1:],
            include_top=False,
            weights=None,
            **width,
            **self.options,
        )
        return keras.Model(images, model.output), model


ARCHITECTURES = {
    "mobilenet": Architecture(
        "MobileNet",
        file="mobilenet/mobilenet_{alpha}_{size}_tf_no_top.h5",
        megabytes=17,
        channels=1024,
        alphas={0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"},
        sizes=(128, 160, 192, 224),
    ),
    "mobilenet_v2": Architecture(
        "MobileNetV2",
        file="mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_{size}_no_top.h5",
        megabytes=19,
        channels=1280,
        least_channels=1280,
        alphas={0.35: "0.35", 0.5: "0.5", 0.75: "0.75", 1.0: "1.0", 1.3: "1.3", 1.4: "1.4"},
        sizes=(96, 128, 160, 192, 224),
    ),
    "mobilenet_v3_small": Architecture(
        "MobileNetV3Small",
        file="mobilenet_v3/weights_mobilenet_v3_small_224_{alpha}_float_no_top_v2.h5",
        megabytes=5,
        channels=576,
        alphas={0.75: "0.75", 1.0: "1.0"},
        options={"include_preprocessing": False},
    ),
    "efficientnet_v2_b0": Architecture(
        "EfficientNetV2B0",
        file="efficientnet_v2/efficientnetv2-b0_notop.h5",
        megabytes=25,
        channels=1280,
        adapt=_to_pixels,
    ),
    "resnet50": Architecture(
        "ResNet50",
        file="resnet/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
        megabytes=95,
        channels=2048,
        adapt=_to_centred_bgr,
    ),
    "resnet32": Architecture(resnet32, channels=64, stride=4),
}
