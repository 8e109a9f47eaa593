"""Labelled images for transfer learning: Fashion-MNIST, or a folder with one subfolder per class."""

import dataclasses
from pathlib import Path
from typing import Any

from training.data import image_folder
from training.data.mnist import load_fashion_mnist
from training.job import Split, Splits


@dataclasses.dataclass(frozen=True)
class LabelledImages:
    """A data set in three parts, and the names of its classes in the order of their numbers."""

    train: Split
    validation: Split
    test: Split
    source: str
    labels: tuple[str, ...]

    def complete_config(self, config: Any) -> Any:
        """Return `config` with the images' size and the number of classes."""
        height, width, channels = self.train.images.shape[1:]
        return dataclasses.replace(
            config, height=height, width=width, channels=channels, classes=len(self.labels)
        )

    def describe(self) -> dict[str, Any]:
        """Return the card's section on the data."""
        parts = Splits(self.train, self.validation, self.test, self.source)
        return {**parts.describe(), "labels": list(self.labels)}


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


def load(config: Any, data: Path | None) -> LabelledImages:
    """Read a folder of class folders; IDX files, or no folder at all, are Fashion-MNIST."""
    if data is None or any(data.glob("*-idx?-ubyte*")):
        return LabelledImages(*load_fashion_mnist(data, config.seed), FASHION_LABELS)
    splits, labels = image_folder.read(data, config.seed)
    return LabelledImages(*splits, labels)
