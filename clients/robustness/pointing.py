"""`python -m clients.robustness.pointing`: whether a class activation map points at the object.

The pointing game (Zhang et al., 2016) on composed images with a known position: a small photograph
on a background of clouds. The class is the network's label for the photograph alone. A hit is a map
whose maximum is inside the photograph's box or, as in the paper, within 15 pixels of it. If the network
labels the whole image with another class, the map may point anywhere; images with the same label are also
counted separately.
"""

import argparse
import asyncio
import itertools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clients.load.images import encoded
from clients.robustness.measures import proportion
from clients.robustness.plasma import plasma

SIDE = 224  # of the network's input: the map then covers all of the image
SIDES = (72, 92, 112)  # of a pasted photograph
MARGIN = 15  # pixels, the paper's tolerance
PLACES = 4  # a side of the grid of places
PHOTOS = Path(__file__).parents[1] / "web"
IN_FLIGHT = 2

Pixels = NDArray[np.uint8]
Box = tuple[int, int, int, int]  # top, left, bottom, right; ends excluded
Explain = Callable[
    [Pixels, str], Any
]  # image, class → awaitable heat map [h, w], class that is read


class Composed(NamedTuple):
    """A photograph on a background."""

    name: str
    image: Pixels  # uint8 [224, 224, 3]
    box: Box


class Result(NamedTuple):
    """Whether a map is a hit, and how likely that is by chance; near: within 15 pixels."""

    name: str
    is_read: bool
    is_hit: bool
    is_near: bool
    chance: float
    chance_near: float


def photographs() -> dict[str, Pixels]:
    """The middle squares of the page's photographs and of scikit-learn's, by name."""
    from sklearn.datasets import load_sample_images

    samples = load_sample_images()
    found = {path.stem: np.asarray(Image.open(path)) for path in sorted(PHOTOS.glob("*.jpg"))}
    found |= {Path(n).stem: i for n, i in zip(samples.filenames, samples.images, strict=True)}
    return {name: _middle(image) for name, image in found.items()}


def compose(name: str, photo: Pixels) -> Iterator[Composed]:
    """A square photograph at each size and place of a grid, each on clouds of its own."""
    clouds = np.random.default_rng(0)
    for side, row, column in itertools.product(SIDES, range(PLACES), range(PLACES)):
        heights = plasma(1, 2.2, clouds)[0, :SIDE, :SIDE, np.newaxis]
        low, high = clouds.integers(40, 216, (2, 3))
        image = np.rint(low + (high - low) * heights).astype(np.uint8)
        top, left = ((SIDE - side) * place // (PLACES - 1) for place in (row, column))
        small = np.asarray(Image.fromarray(photo).resize((side, side), Image.Resampling.BOX))
        image[top : top + side, left : left + side] = small
        yield Composed(name, image, (top, left, top + side, left + side))


def points_at(heatmap: Any, box: Box, margin: int = 0) -> bool:
    """Whether the highest pixel of a map, enlarged to the image like an overlay, is at most `margin` from the box."""
    heat = Image.fromarray(np.asarray(heatmap, np.float32))
    enlarged = np.asarray(heat.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    row, column = np.unravel_index(int(enlarged.argmax()), enlarged.shape)
    rows, columns = _near(enlarged.shape, box, margin)
    return bool(rows[row] and columns[column])


def chance(shape: tuple[int, ...], box: Box, margin: int = 0) -> float:
    """The share of places of such a map that would be hits."""
    rows, columns = _near(shape, box, margin)
    return float(rows.sum() * columns.sum() / (shape[0] * shape[1]))


def _near(shape: tuple[int, ...], box: Box, margin: int) -> tuple[Any, Any]:
    """Which rows and which columns of such a map lie in the box, bool [height], bool [width]."""
    y, x = ((np.arange(count) + 0.5) * SIDE / count for count in shape)
    top, left, bottom, right = box
    return (
        (top - margin <= y) & (y < bottom + margin),
        (left - margin <= x) & (x < right + margin),
    )


async def play(
    photos: dict[str, Pixels], classes: dict[str, str], explain: Explain
) -> list[Result]:
    """Ask for the map of each composed image."""
    gate = asyncio.Semaphore(IN_FLIGHT)

    async def result(one: Composed) -> Result:
        async with gate:
            heatmap, read = await explain(one.image, classes[one.name])
        return Result(
            one.name,
            read == classes[one.name],
            points_at(heatmap, one.box),
            points_at(heatmap, one.box, MARGIN),
            chance((SIDE, SIDE), one.box),
            chance((SIDE, SIDE), one.box, MARGIN),
        )

    composed = [one for name, photo in photos.items() for one in compose(name, photo)]
    return list(await asyncio.gather(*map(result, composed)))


def table(results: Sequence[Result]) -> list[str]:
    """The shares in lines: of each photograph, of all, and of those that the network reads."""
    groups = {
        name: [one for one in results if one.name == name] for name in {r.name for r in results}
    }
    groups = dict(sorted(groups.items())) | {"all": list(results)}
    groups["all read"] = [one for one in results if one.is_read]
    lines = [f"{'':8} {'images':>6}  {'in the box':28} within {MARGIN} pixels"]
    for name, group in groups.items():
        exact = _share([one.is_hit for one in group])
        near = _share([one.is_near for one in group])
        lines.append(f"{name:8} {len(group):6}  {exact:28} {near}")
    exact, near = (np.mean([one[-2:] for one in results], axis=0)).tolist()
    return [*lines, f"{'chance':8} {'':6}  {exact:<28.1%} {near:.1%}"]


def _share(hits: list[bool]) -> str:
    if not hits:
        return "none"
    share = proportion(sum(hits), len(hits))
    low, high = share["interval_95"]
    return f"{share['value']:.1%} ({low:.1%} to {high:.1%})"


async def measure(url: str, model: str) -> list[Result]:
    """Label the photographs with a running service, print the labels, and play the game."""
    photos = photographs()
    query = {"model": model, "normalize": "off"}
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:

        async def ask(route: str, image: Pixels, **more: str) -> Any:
            response = await client.post(
                route, params={**query, **more}, content=encoded(Image.fromarray(image))
            )
            response.raise_for_status()
            return response.json()

        classes = {}
        for name, photo in photos.items():
            [[best]] = (await ask("/v1/images/label", _resized(photo), top="1"))["predictions"]
            classes[name] = best["class_name"]
            print(f"{name}: {best['class_description']}, {best['score']:.0%}")

        async def explain(image: Pixels, wanted: str) -> Any:
            answer = await ask("/v1/images/explain", image, method="cam", **{"class": wanted})
            [[best]] = (await ask("/v1/images/label", image, top="1"))["predictions"]
            return answer["explanations"][0][0]["heatmap"], best["class_name"]

        return await play(photos, classes, explain)


def _middle(image: Pixels) -> Pixels:
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side, :3]


def _resized(photo: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(photo).resize((SIDE, SIDE), Image.Resampling.BOX))


def main(arguments: list[str]) -> int:
    """Measure and print; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m clients.robustness.pointing", description=__doc__
    )
    default = os.environ.get("VITRINE_URL", "http://127.0.0.1:8000")
    parser.add_argument("--url", default=default, help="the service (default: VITRINE_URL)")
    parser.add_argument("--model", default="labels", help="a model with class activation maps")
    options = parser.parse_args(arguments)
    try:
        print("\n".join(table(asyncio.run(measure(options.url, options.model)))))
    except (httpx.HTTPError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
