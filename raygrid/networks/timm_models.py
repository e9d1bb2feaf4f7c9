"""Networks of timm (PyTorch Image Models), frozen: from images to the vectors that their classifiers get."""

from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from raygrid.activity import counted
from raygrid.errors import UsageError, WeightsError
from raygrid.mixtures.mixing import Indexed, blocks
from raygrid.networks.keras_backend import runtime_in_force

_BATCH_SIZE = 32

Named = Literal["pretrained", "none"]


def require(model: str) -> None:
    """Raise a UsageError if timm is not installed."""
    if find_spec("timm") is None or find_spec("torch") is None:
        raise UsageError(f"backbone timm:{model}: timm is not installed; pip install 'raygrid[timm]'")


def is_downloaded(model: str) -> bool:
    """Whether the weights that timm names for a network are in the cache of huggingface_hub."""
    from huggingface_hub import try_to_load_from_cache
    from timm.models import get_pretrained_cfg

    settings = get_pretrained_cfg(model)
    repository = getattr(settings, "hf_hub_id", None)
    files = ("model.safetensors", "pytorch_model.bin")
    return bool(repository) and any(isinstance(try_to_load_from_cache(repository, file), str) for file in files)


def vectors(model: str, weights: Named | Path, X: Indexed, *, input_size: int | None, seed: int) -> NDArray[np.float32]:
    """Return what the network gives to its classifier, pooled as the network does it, (n_samples, n_features).

    Parameters
    ----------
    model : str
        Its name in timm, with or without a tag of weights.
    weights : "pretrained", "none" or Path
        As of `network`.
    X : array of shape (n_samples, size, size, 3), uint8
        Resized, cropped and normalised as the network's own settings say.
    input_size : int or None
        Side in pixels of what the network gets; None is its own.
    seed : int
        Of random weights.
    """
    require(model)
    import torch
    from PIL import Image
    from timm.data import create_transform, resolve_data_config

    net = network(model, weights, input_size=input_size, seed=seed)
    size = {} if input_size is None else {"input_size": (3, input_size, input_size)}
    prepare = create_transform(**resolve_data_config(size, model=net), is_training=False)
    device = "cuda" if _has_card() else "cpu"
    net = net.to(device)
    found = []
    with torch.inference_mode():
        for rows in counted(blocks(X.shape[0], _BATCH_SIZE), -(-X.shape[0] // _BATCH_SIZE), "features"):
            batch = torch.stack([prepare(Image.fromarray(image)) for image in np.asarray(X[rows])])
            found.append(net(batch.to(device)).flatten(1).float().cpu().numpy())
    return np.concatenate(found)


def network(model: str, weights: Named | Path, *, input_size: int | None = None, seed: int = 0) -> Any:
    """Return the network without its classifier, ready to predict.

    Parameters
    ----------
    weights : "pretrained", "none" or Path
        timm's, which it downloads; random ones; or a file of safetensors, or of PyTorch without code.

    Raises
    ------
    UsageError
        timm has no such network, or none with these weights.
    WeightsError
        The weights cannot be read or downloaded, or do not fit.
    """
    require(model)
    import timm
    import torch

    if not timm.is_model(model):
        similar = timm.list_models(f"*{model.partition('.')[0]}*")[:3] or timm.list_models("vit_small*")[:3]
        raise UsageError(f"backbone timm:{model}: got no network of timm; expected one such as {', '.join(similar)}")
    runtime = runtime_in_force()
    torch.set_num_threads(runtime.threads if runtime else 1)
    create = partial(timm.create_model, model, num_classes=0, pretrained=weights == "pretrained")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            net = _of_size(create, input_size)
        except Exception as error:  # timm and the clients that download raise many kinds of errors
            raise WeightsError(f"backbone timm:{model}: weights {weights}: {_reason(error)}") from error
    if isinstance(weights, Path):
        _load(net, weights, model)
    return net.eval()


def _of_size(create: Any, input_size: int | None) -> Any:
    """Return the network for images of a size; those that take any size are not told it."""
    if input_size is None:
        return create()
    try:
        return create(img_size=input_size)
    except TypeError:
        return create()


def _load(net: Any, path: Path, model: str) -> None:
    """Load weights of a file, but for those of its classifier; code in it is never run."""
    from timm.models import load_checkpoint

    try:
        unfit = load_checkpoint(net, str(path), strict=False, weights_only=True)
    except Exception as error:  # torch and safetensors raise many kinds of errors
        raise WeightsError(f"weights {path}: got a file that does not fit timm:{model} ({_reason(error)})") from error
    if unfit is None:  # timm loads some files of NumPy by other means
        raise WeightsError(f"weights {path}: got {path.suffix}; expected a safetensors file or one of torch")
    classifier = net.pretrained_cfg.get("classifier") or ()
    heads = (classifier,) if isinstance(classifier, str) else tuple(classifier)
    foreign = [name for name in unfit.unexpected_keys if not name.startswith(heads)]
    if wrong := [*unfit.missing_keys, *foreign]:
        raise WeightsError(f"weights {path}: got a file that does not fit timm:{model} (it lacks or adds {wrong[0]})")


def _has_card() -> bool:
    import torch

    runtime = runtime_in_force()
    return bool(runtime and runtime.gpus and torch.cuda.is_available())


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
