"""Features of a photo network, for evaluations that do not depend on a digit network.

EfficientNet-Lite0 with its ImageNet weights was not trained on digits. A digit network may have learned to
ignore defects of generated digits.
"""

import keras

from training.pretrained import frozen_features

SIZE = 1280  # features per image


def make_network() -> keras.Model:
    """Map float32 [B, 28, 28, 1] in 0..255, seen at 96×96, to the means of the last maps [B, 1280].

    Some ten milliseconds an image on a slow core. ValueError if the package of the weights is missing.
    """
    maps = frozen_features.backbone(frozen_features.TransferConfig())
    return keras.Model(maps.inputs, keras.layers.GlobalAveragePooling2D()(maps.output))
