"""Pretrained image networks by name: EfficientNet-Lite0 and -Lite2, and every family of keras.applications.

One interface for all: `make(arch, …)` with Keras' own arguments, and `preprocess(arch, pixels)`, which
converts grey levels 0..255 to the network's training scale.
"""

import functools
import importlib
import inspect
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import keras
import tensorflow as tf

from training.pretrained import efficientnet_lite

LITE0 = "EfficientNetLite0"
LITES = {variant.name: variant for variant in efficientnet_lite.VARIANTS}
Weights = Literal["imagenet", "none"] | str  # or the path of a file of Keras weights


@functools.cache
def architectures() -> dict[str, Callable[..., keras.Model]]:
    """All networks by the name of their function."""
    found = {
        name: function
        for name, function in vars(keras.applications).items()
        if inspect.isfunction(function) and "include_top" in inspect.signature(function).parameters
    }
    lites = {
        name: functools.partial(efficientnet_lite.create, variant)
        for name, variant in LITES.items()
    }
    return {**lites, **dict(sorted(found.items()))}


def full_name(arch: str) -> str:
    """Return the name in its family's spelling: `efficientnet-lite2` is EfficientNetLite2."""
    plain = {name.lower(): name for name in architectures()}
    return plain.get(arch.lower().replace("-", "").replace("_", ""), arch)


def find(arch: str) -> Callable[..., keras.Model]:
    """Return the function that creates the network; ValueError lists all names."""
    known = architectures()
    if arch not in known:
        raise ValueError(f"--arch must be one of {', '.join(known)}, got {arch!r}")
    return known[arch]


def make(
    arch: str = LITE0,
    *,
    include_top: bool = True,
    weights: Weights = "imagenet",
    input_shape: tuple[int, int, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> keras.Model:
    """Create a network; the arguments are those of keras.applications.

    weights: "imagenet" (Lite: from its package; others: Keras' download), "none", or a file.
    """
    function = find(arch)
    given: str | None = None if weights == "none" else weights
    if given not in (None, "imagenet") and not Path(str(given)).is_file():
        raise ValueError(
            f"--weights must be imagenet, none or a file, got {given}, which does not exist"
        )
    try:
        with warnings.catch_warnings():
            # Keras would leave missing weights random, with only a warning.
            warnings.filterwarnings("error", ".*freshly-initialized weights")
            return function(
                include_top=include_top,
                weights=given,
                input_shape=input_shape,
                pooling=pooling,
                classes=classes,
            )
    except Exception as error:
        why = " ".join(str(error).split())[:300]
        if given not in (None, "imagenet"):
            raise ValueError(
                f"{arch} cannot be made with the weights of {given}: a file fits the network it was saved "
                f"from, with the same top and classes, and its name ends with .weights.h5 ({why})"
            ) from error
        if isinstance(error, ValueError):
            raise
        raise ValueError(
            f"{arch} with weights {weights} cannot be made: {why}. Where there is no network, give "
            "a file of its weights, or none"
        ) from error


def preprocess(arch: str, pixels: Any) -> Any:
    """Greys 0..255 [B, H, W, 3] in RGB, of any dtype → float32 as the network wants them."""
    return _preprocessor(arch)(tf.cast(pixels, tf.float32))


@functools.cache
def _preprocessor(arch: str) -> Callable[[Any], Any]:
    function = find(arch)
    if arch in LITES:
        return efficientnet_lite.preprocess_input
    # The function and its preprocess_input are in one module of keras.src.applications.
    return importlib.import_module(inspect.unwrap(function).__module__).preprocess_input
