"""An image of clothing → the format of Fashion-MNIST.

As for Fashion-MNIST, edges that look like the corner are trimmed, the longest side is scaled
to 28 and the rest filled, light on black. Only a wrong size with `normalize=off` is refused.
"""

import numpy as np

from service.image_files.raster import Pixels
from service.preprocessing.components import find_extent
from service.preprocessing.digit import SIDE, PreparedImage, set_into_square, take_as_it_is
from service.preprocessing.ink import border, to_grey

_LIKE_THE_BACKGROUND = 13  # greys: five hundredths of the scale, as for Fashion-MNIST


def normalize_clothing(pixels: Pixels, *, normalize: bool) -> PreparedImage:
    """Make a light background dark, crop to the foreground, scale the longest side to 28.

    Args:
        pixels: uint8 [H, W, 1] or [H, W, 3].
        normalize: False takes a 28 × 28 image as it is (colour turns grey). True takes one with a
            dark border as it is.

    Raises:
        InvalidImage: without `normalize`, the image is not 28 × 28.
    """
    if not normalize:
        return take_as_it_is(pixels)
    grey, steps = to_grey(pixels), []
    level = int(np.median(border(grey)))
    if level >= 128:
        grey, level, steps = 255 - grey, 255 - level, ["inverted"]
    if grey.shape != (SIDE, SIDE):
        cut = _standing_out(grey, level)
        steps = [*steps, "cropped"] if cut.shape != grey.shape else steps
        grey = cut - np.minimum(cut, np.uint8(level))  # black is where nothing is
    return set_into_square(grey, steps)


def _standing_out(grey: Pixels, level: int) -> Pixels:
    """Crop the edges of uint8 [H, W] that look like the background; a blank image is not cropped."""
    is_other = np.abs(grey.astype(np.int16) - level) > _LIKE_THE_BACKGROUND
    extent = find_extent(is_other)
    return grey[extent.box] if extent.rows.size else grey
