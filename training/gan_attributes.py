"""What can be measured on a picture of a digit without a label: thickness, slant, width."""

import numpy as np

UNITS = {"thickness": "pixels", "slant": "pixels sideways per pixel up", "width": "pixels"}


def measure(images: np.ndarray) -> dict[str, np.ndarray]:
    """Pictures uint8 [B, 28, 28, 1] → each attribute [B]; an empty picture has 0 everywhere.

    thickness: twice the area over the perimeter of the stroke. slant: the shear that the second
    moments show, positive to the right. width: four standard deviations of the ink sideways, with
    the slant taken out.
    """
    ink = images[..., 0].astype(np.float64) / 255
    total = np.maximum(ink.sum(axis=(1, 2)), 1e-9)
    rows, columns = np.mgrid[: ink.shape[1], : ink.shape[2]]
    x = columns - (ink * columns).sum(axis=(1, 2), keepdims=True) / total[:, None, None]
    y = rows - (ink * rows).sum(axis=(1, 2), keepdims=True) / total[:, None, None]
    across, down, both = ((ink * m).sum(axis=(1, 2)) / total for m in (x * x, y * y, x * y))
    shear = -both / np.maximum(down, 1e-9)
    return {
        "thickness": thickness(ink),
        "slant": np.where(down > 1e-6, shear, 0.0),
        "width": 4 * np.sqrt(np.maximum(across - shear**2 * down, 0)),
    }


def thickness(ink: np.ndarray) -> np.ndarray:
    """Twice area over perimeter of ink [B, H, W] in 0..1, both without a threshold's steps.

    The area is the ink; the perimeter its total variation, the sum of the lengths of its slopes.
    """
    padded = np.pad(ink, ((0, 0), (1, 1), (1, 1)))
    along_y = np.diff(padded, axis=1)[:, :, :-1]
    along_x = np.diff(padded, axis=2)[:, :-1, :]
    perimeter = np.hypot(along_x, along_y).sum(axis=(1, 2))
    return 2 * ink.sum(axis=(1, 2)) / np.maximum(perimeter, 1e-9) * (perimeter > 0)
