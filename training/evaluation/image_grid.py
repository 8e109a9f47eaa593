"""A grid of small images as one PNG data URI, for model cards."""

import base64
import io

import numpy as np
from PIL import Image


def grid(images: np.ndarray, columns: int) -> str:
    """Images uint8 [rows · columns, H, W, 1], row by row → one, as a data URI."""
    rows = images[..., 0].reshape(-1, columns, *images.shape[1:3])
    whole = rows.transpose(0, 2, 1, 3).reshape(rows.shape[0] * rows.shape[2], -1)
    file = io.BytesIO()
    Image.fromarray(whole).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
