"""Classifiers of photos and of clothing that one can compute in one's head.

A photo's class is that of its strongest colour (red, green, blue; a fourth for none), a piece of
clothing's the number of its lit pixels (> 127) modulo 10; the features are the mean of each channel.
"""

import numpy as np

from tests.fakes import write_files

COLOURS = [["n01", "red"], ["n02", "green"], ["n03", "blue"], ["n04", "none"]]
CLOTHES = [[name, name] for name in ("T-shirt", "Trouser", "Pullover", "Dress", "Coat")]
CLOTHES += [[name, name] for name in ("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")]


class FakePhotoEngine:
    """Looks at colours; remembers the shapes it ran and the last images."""

    name = "tensorflow"
    is_thread_free = False

    def __init__(self):
        self.runs = []
        self.images = None

    def run(self, signature, inputs):
        images = self.images = inputs["images"]
        self.runs.append((signature, images.shape))
        means = images.mean(axis=(1, 2)).astype(np.float32)
        outputs = {}
        if signature != "serving_default":
            outputs["features"] = means
        if signature != "features":
            rest = np.full((len(means), 1), 1.0, np.float32)
            total = np.concatenate([means, rest], axis=1)
            outputs["probabilities"] = total / total.sum(axis=1, keepdims=True)
        return outputs


class FakeClothesEngine:
    """Counts lit pixels; `offset` moves its answer, so that two heads can disagree.

    More than 400 lit pixels are an outlier, where it has a score for that.
    """

    name = "tensorflow"
    is_thread_free = False

    def __init__(self, offset=0, has_score=True):
        self.offset, self.has_score = offset, has_score

    def run(self, signature, inputs):
        lit = (inputs["images"] > 127).sum(axis=(1, 2, 3))
        scores = np.eye(10, dtype=np.float32)[(lit + self.offset) % 10]
        outlier = {"outlier_score": (lit > 400).astype(np.float32)} if self.has_score else {}
        return {"scores": scores, **outlier}


def clothes_engine(name):
    """The engine of a fashion model; `my-fashion` is of a time before outlier scores."""
    return FakeClothesEngine("svm" in name, has_score=name != "my-fashion")


def fake_engine(name):
    """The engine that fits a model's name."""
    return FakePhotoEngine() if "fashion" not in name else clothes_engine(name)


def write_photo_version(root, name="labels", *, size=(16, 16), crop=0.875, labels=COLOURS):
    """Write `root/name/1`, which takes photos and has features."""
    height, width = size
    tensor = {"images": f"uint8 [B,{height},{width},3]"}
    probabilities = {"probabilities": f"float32 [B,{len(labels)}]"}
    features = {"features": "float32 [B,3]"}
    signatures = {
        "serving_default": {"inputs": tensor, "outputs": probabilities},
        "features": {"inputs": tensor, "outputs": features},
        "features_and_probabilities": {"inputs": tensor, "outputs": {**features, **probabilities}},
    }
    images = np.zeros((2, height, width, 3), np.uint8)
    images[1, ..., 0] = 200
    spec = {"height": height, "width": width, "channels": 3, "resize": "bilinear", "crop": crop}
    fields = {"name": name, "input": spec, "labels": labels, "signatures": signatures}
    return _write(root, FakePhotoEngine(), images, **fields)


def write_clothes_version(root, name="fashion-dense"):
    """Write `root/name/1`, which takes 28 × 28 grey pixels."""
    signatures = {
        "serving_default": {
            "inputs": {"images": "uint8 [B,28,28,1]"},
            "outputs": {
                "scores": "float32 [B,10]",
                **({} if name == "my-fashion" else {"outlier_score": "float32 [B]"}),
            },
        }
    }
    spec = {"height": 28, "width": 28, "channels": 1}
    engine, images = clothes_engine(name), np.zeros((2, 28, 28, 1), np.uint8)
    fields = {"name": name, "input": spec, "labels": CLOTHES, "signatures": signatures}
    return _write(root, engine, images, **fields)


def _write(root, engine, images, **fields):
    golden, signatures = {}, fields["signatures"]
    for key in signatures:
        golden[f"{key}/inputs/images"] = images
        outputs = engine.run(key, {"images": images})
        golden |= {f"{key}/outputs/{output}": array for output, array in outputs.items()}
    manifest = {**fields, "version": 1, "task": "classify_image", "max_batch_size": 8}
    return write_files(root, manifest, golden, {"summary": "looks at colours", "layers": []})
