"""An autoencoder one can compute in one's head: z is where the light is, an image is two greys.

Its images also depend a little on how many run together, as a real network's last bits do.
"""

import numpy as np

from tests.fakes import write_files

SIGNATURES = {
    "encode": {
        "inputs": {"images": "uint8 [B,28,28,1]"},
        "outputs": {"z_mean": "float32 [B,Z]", "z_log_var": "float32 [B,Z]"},
    },
    "decode": {"inputs": {"z": "float32 [B,Z]"}, "outputs": {"images": "uint8 [B,28,28,1]"}},
    "reconstruct": {
        "inputs": {"images": "uint8 [B,28,28,1]", "noise": "float32 [B,Z]"},
        "outputs": {
            "images": "uint8 [B,28,28,1]",
            "reconstruction_loss": "float32 [B]",
            "kl": "float32 [B]",
        },
    },
}


class FakeVaeEngine:
    """z: the light of the left and of the right half, 0 to 1; variance 1/4 in each."""

    name = "tensorflow"
    is_thread_free = False

    def __init__(self):
        self.runs = []

    def run(self, signature, inputs):
        rows = len(next(iter(inputs.values())))
        self.runs.append((signature, rows))
        if signature == "decode":
            return {"images": _images(inputs["z"], rows)}
        size = inputs["noise"].shape[1] if signature == "reconstruct" else self.size
        halves = inputs["images"].reshape(rows, 28, 2, 14).mean(axis=(1, 3)) / 255
        mean = np.resize(halves, (rows, size)).astype(np.float32)
        log_var = np.full((rows, size), np.log(0.25), np.float32)
        if signature == "encode":
            return {"z_mean": mean, "z_log_var": log_var}
        return {
            "images": _images(mean + 0.5 * inputs["noise"], rows),
            "reconstruction_loss": 100 * halves.sum(axis=1).astype(np.float32),
            "kl": np.full(rows, 2.0, np.float32),
        }

    size = 2


def _images(z, rows):
    images = np.zeros((len(z), 28, 28, 1), np.uint8)
    greys = np.clip(128 + 40 * z[:, :2], 0, 255).astype(np.uint8)
    images[:, :, :14], images[:, :, 14:] = (
        greys[:, 0, None, None, None],
        greys[:, 1, None, None, None],
    )
    images[:, 0, 0, 0] = rows
    return images


def write_vae_version(root, name="vae-2d", version=1, *, size=2, without=()):
    """Write `root/name/version` with goldens that FakeVaeEngine meets."""
    text = {key: value for key, value in SIGNATURES.items() if key not in without}
    signatures = {
        key: {
            side: {k: v.replace("Z", str(size)) for k, v in tensors.items()}
            for side, tensors in signature.items()
        }
        for key, signature in text.items()
    }
    inputs = {
        "images": np.zeros((4, 28, 28, 1), np.uint8),
        "z": np.zeros((4, size), np.float32),
        "noise": np.zeros((4, size), np.float32),
    }
    engine, golden = FakeVaeEngine(), {}
    engine.size = size
    for key, signature in signatures.items():
        given = {name: inputs[name] for name in signature["inputs"]}
        golden |= {f"{key}/inputs/{name}": array for name, array in given.items()}
        outputs = engine.run(key, given)
        golden |= {f"{key}/outputs/{name}": array for name, array in outputs.items()}
    manifest = {
        "name": name,
        "version": version,
        "task": "autoencode_image",
        "input": {"height": 28, "width": 28, "channels": 1},
        "signatures": signatures,
        "max_batch_size": 8,
    }
    return write_files(root, manifest, golden, {"summary": "halves", "layers": []})
