"""ResNet-32 for images of 32 pixels, as studies on long-tailed CIFAR use it."""

from typing import Any

from raygrid.networks.keras_backend import load_keras

_WIDTHS = (16, 32, 64)
_BLOCKS = 5  # of two convolutions each: 3 * 5 * 2, the first convolution and the classifier are 32 layers


def resnet32(input_tensor: Any, **settings: Any) -> Any:
    """Return the network without its top, a Keras model from images to activations of 64 channels.

    Shortcuts have no parameters (option A of the paper): where the side is halved they take every second pixel, and
    new channels are 0, as many before the old ones as after. With pooling and ten classes it has 464,154 trained
    parameters. Batch normalisation and initialisation are those of the usual implementations in PyTorch, momentum 0.9
    and He's normal distribution, because the published numbers are theirs.

    References
    ----------
    He et al. (2016), Deep residual learning for image recognition, CVPR, section 4.2; Cao et al. (2019), Learning
    imbalanced datasets with label-distribution-aware margin loss, NeurIPS, appendix (the shortcuts).
    """
    layers = load_keras().layers
    x = layers.ReLU()(_convolution(input_tensor, _WIDTHS[0], strides=1))
    for width in _WIDTHS:
        for block in range(_BLOCKS):
            x = _block(x, width, strides=2 if block == 0 and width > _WIDTHS[0] else 1)
    return load_keras().Model(input_tensor, x)


def _block(x: Any, width: int, *, strides: int) -> Any:
    layers = load_keras().layers
    inner = layers.ReLU()(_convolution(x, width, strides=strides))
    return layers.ReLU()(layers.Add()([_convolution(inner, width, strides=1), _shortcut(x, width, strides=strides)]))


def _convolution(x: Any, width: int, *, strides: int) -> Any:
    layers = load_keras().layers
    if strides == 2:  # Keras' own padding would shift even sides by a pixel
        x = layers.ZeroPadding2D(1)(x)
    convolution = layers.Conv2D(
        width,
        3,
        strides=strides,
        padding="valid" if strides == 2 else "same",
        use_bias=False,
        kernel_initializer="he_normal",
    )
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(convolution(x))


def _shortcut(x: Any, width: int, *, strides: int) -> Any:
    if strides == 1:
        return x
    missing = (width - x.shape[-1]) // 2
    every_second = load_keras().layers.MaxPooling2D(1, strides=2)(x)
    return load_keras().ops.pad(every_second, ((0, 0), (0, 0), (0, 0), (missing, missing)))
