"""Enlarges a PNG of the service by an integer factor, with Pillow."""

import io

from vitrine_client.errors import InvalidSetting


def enlarge_png(png: bytes, scale: int) -> bytes:
    """Repeat each pixel of a PNG `scale` times (at least 1) across and down.

    Raises:
        InvalidSetting: Pillow is not installed.
    """
    if scale == 1:
        return png
    try:
        from PIL import Image
    except ImportError as error:
        raise InvalidSetting("--scale needs the package Pillow: pip install pillow") from error
    image = Image.open(io.BytesIO(png), formats=("PNG",))
    size = image.width * scale, image.height * scale
    file = io.BytesIO()
    image.resize(size, Image.Resampling.NEAREST).save(file, "PNG")
    return file.getvalue()
