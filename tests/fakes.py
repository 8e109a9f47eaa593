"""A model one can compute in one's head, and version directories that hold it.

The digit of an image is its number of lit pixels (> 127) modulo 10.
"""

import hashlib
import json
import threading
from pathlib import Path

import numpy as np

SIGNATURES = {
    "serving_default": {
        "inputs": {"images": "uint8 [B,28,28,1]"},
        "outputs": {"probabilities": "float32 [B,10]", "outlier_score": "float32 [B]"},
    },
    "activations": {
        "inputs": {"images": "uint8 [B,28,28,1]"},
        "outputs": {"conv1": "float32 [B,28,28,2]", "logits": "float32 [B,10]"},
    },
}


FILTERS = {  # a window of one pixel and the weight 1: each map is the image itself
    "conv1/kernel": np.ones((1, 1, 1, 2), np.float32),
    "conv1/bias": np.zeros(2, np.float32),
    "about": np.array(
        json.dumps(
            {
                "conv1": {
                    "kind": "convolution",
                    "below": "input",
                    "size": [1, 1],
                    "strides": [1, 1],
                    "padding": [0, 0],
                    "relu": True,
                    "range": [0.0, 255.0],
                }
            }
        )
    ),
}


def every(engine):
    """The engines of a version, each signature's the same: for `create_app` and `load_model`."""
    return lambda _, manifest: dict.fromkeys(manifest.signatures, engine)


def renew(engine):
    """Give an engine that tests share the attributes of a new one."""
    vars(engine).clear()
    engine.__init__()


class FakeEngine:
    """Counts lit pixels; can be told to fail, to wait, and remembers the batch sizes it ran."""

    name = "tensorflow"
    is_thread_free = False

    def __init__(self):
        self.batch_sizes = []
        self.gate = threading.Event()
        self.gate.set()
        self.fail_on_digit = None
        self.running = False

    def run(self, signature, inputs):
        self.running = True
        self.gate.wait(120)
        self.running = False
        images = inputs["images"]
        self.batch_sizes.append(len(images))
        digits = (images > 127).sum(axis=(1, 2, 3)) % 10
        if self.fail_on_digit is not None and self.fail_on_digit in digits:
            raise RuntimeError("an image this engine cannot run")
        one_hot = np.eye(10, dtype=np.float32)[digits]
        if signature == "activations":
            maps = np.repeat(images.astype(np.float32), 2, axis=3)
            return {"conv1": maps, "logits": one_hot}
        return {"probabilities": one_hot, "outlier_score": np.zeros(len(images), np.float32)}


class NumberedEngine(FakeEngine):
    """Gives its version as the outlier score of an image whose last pixel is lit."""

    def __init__(self, number):
        super().__init__()
        self.number = number

    def run(self, signature, inputs):
        outputs = super().run(signature, inputs)
        if signature == "serving_default":
            lit = inputs["images"][:, -1, -1, 0] == 255
            outputs["outlier_score"] = (lit * self.number).astype(np.float32)
        return outputs


def write_version(root, name="digits", version=1, *, task="classify_digit", max_batch_size=8):
    """Write `root/name/version` with goldens that FakeEngine meets; return the directory."""
    images = np.zeros((3, 28, 28, 1), np.uint8)
    images[1, 0, :4] = images[2, 0, :7] = 255
    golden = {}
    for signature in SIGNATURES:
        golden[f"{signature}/inputs/images"] = images
        for key, array in FakeEngine().run(signature, {"images": images}).items():
            golden[f"{signature}/outputs/{key}"] = array
    manifest = {
        "name": name,
        "version": version,
        "task": task,
        "framework": "fake 1.0",
        "input": {"height": 28, "width": 28, "channels": 1},
        "labels": [[str(digit), str(digit)] for digit in range(10)],
        "signatures": SIGNATURES,
        "max_batch_size": max_batch_size,
        "tolerance": {"probabilities": 1e-4},
    }
    card = {"summary": "counts lit pixels", "layers": []}
    return write_files(root, manifest, golden, card, FILTERS)


def write_files(root, manifest, golden, card, filters=None):
    """Write a version directory: an empty shell of a SavedModel, goldens, card, manifest with digests."""
    name, version = manifest["name"], manifest["version"]
    directory = Path(root) / name / str(version)
    extra = directory / "assets.extra"
    extra.mkdir(parents=True)
    (directory / "saved_model.pb").write_bytes(f"{name} {version}".encode())
    np.savez(extra / "golden.npz", **golden)
    (extra / "card.json").write_text(json.dumps(card))
    if filters:
        np.savez(extra / "filters.npz", **filters)
    files = {
        path.relative_to(directory).as_posix(): "sha256:"
        + hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.rglob("*")
        if path.is_file()
    }
    whole = {**manifest, "card": "card.json", "files": files}
    (extra / "manifest.json").write_text(json.dumps(whole))
    return directory
