"""Valid requests."""

import io

from PIL import Image, ImageDraw


def digit() -> bytes:
    """A PNG of 28 × 28 pixels with a drawn 7."""
    image = Image.new("L", (28, 28))
    ImageDraw.Draw(image).line([(7, 7), (20, 7), (12, 22)], fill=255, width=3)
    return _file(image, "PNG")


def photo() -> bytes:
    """A JPEG of 256 × 256 pixels of noise."""
    return _file(Image.effect_noise((256, 256), 60).convert("RGB"), "JPEG")


def _file(image: Image.Image, kind: str) -> bytes:
    content = io.BytesIO()
    image.save(content, kind)
    return content.getvalue()
