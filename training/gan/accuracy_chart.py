"""The discriminator's accuracy over a training as a small image.

It has two curves, for real and generated images, and a dashed line at one half, the accuracy of the best
discriminator against a perfect generator.
"""

import base64
import io
from collections.abc import Sequence

PERFECT = 0.5


def draw(real: Sequence[float], generated: Sequence[float]) -> str:
    """Accuracies 0..1 after each epoch, as many of both → a PNG as a data URI."""
    from matplotlib.figure import Figure  # half a second to import, for this alone

    figure = Figure((5.0, 2.2), dpi=100, layout="constrained")
    axes = figure.subplots()
    epochs = range(1, len(real) + 1)
    axes.axhline(PERFECT, color="grey", linestyle="--", label="against a perfect generator")
    axes.plot(epochs, real, "o-", markersize=2, label="on real images")
    axes.plot(epochs, generated, "o-", markersize=2, label="on generated images")
    axes.set(xlabel="epochs", ylim=(0, 1))
    axes.legend(fontsize="x-small")
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
