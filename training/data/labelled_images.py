"""Labelled images for transfer learning: Fashion-MNIST, or a folder with one subfolder per class."""

from pathlib import Path
from typing import Any

from training.data import image_folder
from training.data.mnist import load_fashion_mnist
from training.job import Splits

FASHION_LABELS = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def load(config: Any, data: Path | None) -> Splits:
    """Read a folder of class folders; IDX files, or no folder at all, are Fashion-MNIST."""
    if data is None or any(data.glob("*-idx?-ubyte*")):
        return load_fashion_mnist(data, config.seed)._replace(labels=FASHION_LABELS)
    return image_folder.read(data, config.seed)
