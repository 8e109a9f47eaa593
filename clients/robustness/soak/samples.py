"""Requests that are fine."""

import io

from PIL import Image, ImageDraw


def digit() -> bytes:
    """A PNG of 28 × 28 pixels with a drawn 7."""
    image = Image.new("L", (28, 28))
    ImageDraw.Draw(image).line([(7, 7), (20, 7), (12, 22)], fill=255, width=3)
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()
