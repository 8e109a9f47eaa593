"""A GAN one can compute in one's head: w is (z·truncation, digit), an image is one grey: 10 · its digit.

Two numbers in z; three in w, of which the last is the fine one. Projection moves w a tenth a step.
"""

import time

import numpy as np

from tests.fakes import write_files

IMAGES, W, INT = "uint8 [B,28,28,1]", "float32 [B,3]", "int32 [B]"
SIGNATURES = {
    "sample": {
        "inputs": {"z": "float32 [B,2]", "digit": INT, "truncation": "float32 [B]"},
        "outputs": {"images": IMAGES, "w": W},
    },
    "synthesize": {"inputs": {"w": W}, "outputs": {"images": IMAGES}},
    "encode": {"inputs": {"images": IMAGES}, "outputs": {"w": W}},
    "discriminate": {"inputs": {"images": IMAGES}, "outputs": {"probability_real": "float32 [B]"}},
    "project": {
        "inputs": {
            "images": IMAGES,
            **dict.fromkeys("wmv", W),
            **dict.fromkeys(("step", "steps", "total_steps", "loss"), INT),
        },
        "outputs": {**dict.fromkeys("wmv", W), "images": IMAGES, "losses": "float32 [B]"},
    },
}


class FakeGanEngine:
    """Remembers what it ran; every step of a projection adds 1/10 to each number of w, 1 to m."""

    name = "tensorflow"
    is_thread_free = False

    def __init__(self):
        self.runs = []
        self.seconds_each_run = 0.0

    def run(self, signature, inputs):
        rows = len(next(iter(inputs.values())))
        self.runs.append((signature, rows))
        time.sleep(self.seconds_each_run)
        if signature == "sample":
            w = np.column_stack([inputs["z"] * inputs["truncation"][:, None], inputs["digit"]])
            return {"images": _images(w), "w": w.astype(np.float32)}
        if signature == "synthesize":
            return {"images": _images(inputs["w"])}
        light = inputs["images"].mean(axis=(1, 2, 3), dtype=np.float32) / 255
        if signature == "encode":
            return {"w": np.repeat(light[:, None], 3, axis=1)}
        if signature == "discriminate":
            return {"probability_real": light}
        steps = inputs["steps"].astype(np.float32)[:, None]
        w, m = inputs["w"] + steps / 10, inputs["m"] + steps
        losses = 1 / (1 + m[:, 0])
        return {"w": w, "m": m, "v": inputs["v"], "images": _images(w), "losses": losses}


def _images(w):
    greys = np.clip(10 * w[:, 2], 0, 255).astype(np.uint8)
    return np.broadcast_to(greys[:, None, None, None], (len(w), 28, 28, 1)).copy()


def write_gan_version(root, name="gan", version=1, *, without=(), **changes):
    """Write `root/name/version` with goldens that FakeGanEngine meets."""
    signatures = {key: value for key, value in SIGNATURES.items() if key not in without}
    golden, dtypes = {}, {"uint8": np.uint8, "int32": np.int32, "float32": np.float32}
    for key, signature in signatures.items():
        inputs = {}
        for tensor, text in signature["inputs"].items():
            dtype, shape = text.split(" ")
            sizes = [2 if n == "B" else int(n) for n in shape.strip("[]").split(",")]
            inputs[tensor] = np.zeros(sizes, dtypes[dtype])
        outputs = FakeGanEngine().run(key, inputs)
        golden |= {f"{key}/inputs/{tensor}": array for tensor, array in inputs.items()}
        golden |= {f"{key}/outputs/{tensor}": array for tensor, array in outputs.items()}
    manifest = {
        "name": name,
        "version": version,
        "task": "generate_image",
        "input": {"height": 28, "width": 28, "channels": 1},
        "labels": [[str(digit), str(digit)] for digit in range(10)],
        "signatures": signatures,
        "max_batch_size": 8,
        "batch_limits": {"project": 4},
        "latents": {"z": 2, "w": 3, "coarse": [0, 2], "fine": [2, 3]},
        "w_mean": [0.0, 0.0, 5.0],
        "directions": {"grey": {"vector": [0.0, 0.0, 1.0], "sigma": 2.0, "rho": 1.0}},
    } | changes
    return write_files(root, manifest, golden, {"summary": "greys", "layers": []})
