"""`sample`, `interpolate`, `edit`, `mix` and `project`: images that a VAE or the GAN generates."""

import argparse
import re
import sys
from collections.abc import Callable
from contextlib import closing
from typing import Any

from vitrine_client._transport.response import Grid
from vitrine_client.cli.command import CHOICE, argument, command, output
from vitrine_client.cli.enlarge import enlarge_png
from vitrine_client.cli.options import choice, print_body, tell
from vitrine_client.cli.terminal import printable
from vitrine_client.client import Vitrine
from vitrine_client.errors import InvalidSetting, UnexpectedAnswer
from vitrine_client.latents import LatentSource
from vitrine_client.projection import ProjectionAnswer, ProjectionStep

MAX_SCALE = 32
POINT = "an image file, a random seed such as 7, or 7:3 for its digit 3"


def _scale(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_SCALE):
        raise argparse.ArgumentTypeError(
            f"scale must be a whole number from 1 to {MAX_SCALE}, got {text}"
        )
    return int(text)


def _point(text: str) -> int | LatentSource | str:
    """Parse a command-line argument as a point."""
    if match := re.fullmatch(r"(\d+):(\d)", text, re.ASCII):
        return LatentSource(random_seed=int(match[1]), digit=int(match[2]))
    return int(text) if text.isascii() and text.isdigit() else text


KIND = argument("kind", choices=("vae", "gan"), help="the model")
ENLARGED = argument("--scale", type=_scale, default=1, help="enlargement factor, 1 to 32 (1)")


@command(
    "sample images from the VAE or the GAN",
    KIND,
    output("samples.png"),
    *CHOICE,
    argument("--n", type=int, default=16, help="number of images (default 16)"),
    argument("--random-seed", type=int, help="the same seed gives the same images"),
    argument(
        "--scale",
        type=float,
        help="vae: standard deviation; below 1: more typical images (default 1)",
    ),
    argument("--digit", type=int, help="gan: only this digit (default: any)"),
    argument(
        "--truncation", type=float, help="gan: lower values give more typical images (default 0.7)"
    ),
)
def sample(vitrine: Vitrine, options: argparse.Namespace) -> None:
    """Write a grid of generated images to a file; with --json, print images and latent vectors."""
    group = vitrine.vae if options.kind == "vae" else vitrine.gan
    _draw(group.sample, group.sample_grid, options, **_wanted(options))


@command(
    "interpolate between two images or latent vectors",
    KIND,
    argument("start", type=_point, help=POINT + " (a GAN's)"),
    argument("end", type=_point, help="the other end, likewise"),
    output("way.png"),
    *CHOICE,
    argument("--steps", type=int, help="number of images, including both ends (default 9)"),
    argument("--path", choices=("lerp", "slerp"), help="straight line or arc (default lerp)"),
)
def interpolate(vitrine: Vitrine, options: argparse.Namespace) -> None:
    """Write the images between the points as one file."""
    group: Any = vitrine.vae if options.kind == "vae" else vitrine.gan
    ends, path = (options.start, options.end), {"steps": options.steps, "path": options.path}
    _draw(group.interpolate, group.interpolate_grid, options, *ends, **path, **choice(options))


@command(
    "make a digit thicker, wider or more slanted",
    argument("point", type=_point, help=POINT),
    argument("direction", help="thickness, slant, width, …"),
    argument(
        "strength",
        nargs="+",
        type=float,
        help="in standard deviations; one image for each value: -2 0 2",
    ),
    output("edited.png"),
    ENLARGED,
    *CHOICE,
)
def edit(vitrine: Vitrine, options: argparse.Namespace) -> None:
    """Write the digit at each strength as one file."""
    what = (options.point, options.direction, options.strength)
    _draw(
        vitrine.gan.edit,
        vitrine.gan.edit_grid,
        options,
        *what,
        enlarged=options.scale,
        **choice(options),
    )


@command(
    "mix the coarse and the fine style of two digits",
    argument("coarse", type=_point, help=POINT),
    argument("fine", type=_point, help="the fine style, likewise"),
    output("mixed.png"),
    ENLARGED,
    *CHOICE,
)
def mix(vitrine: Vitrine, options: argparse.Namespace) -> None:
    """Write the mixed image."""
    points = (options.coarse, options.fine)
    _draw(
        vitrine.gan.mix,
        vitrine.gan.mix_grid,
        options,
        *points,
        enlarged=options.scale,
        **choice(options),
    )


@command(
    "find a digit in the GAN's latent space",
    argument("image", help="a PNG, JPEG, WebP, …"),
    argument("--steps", type=int, default=100, help="steps of gradient descent (default 100)"),
    argument(
        "--loss", choices=("perceptual", "pixel"), help="loss to minimize (default perceptual)"
    ),
    output("projected.png"),
    ENLARGED,
    *CHOICE,
)
def project(vitrine: Vitrine, options: argparse.Namespace) -> None:
    """Write the GAN's nearest image to a file, and print the loss."""
    answer = _sought(vitrine, options)
    if options.json:
        print_body(answer)
        return
    options.output.write_bytes(enlarge_png(answer.images[0], options.scale))
    psnr = answer.psnr[0]
    near = "no difference" if psnr is None else f"PSNR {psnr:.1f} dB"
    print(f"{options.output}: loss {answer.losses[0]:.4g}, {near}")


def _sought(vitrine: Vitrine, options: argparse.Namespace) -> ProjectionAnswer:
    """Run the projection, with a progress line on a terminal."""
    how = {"steps": options.steps, "loss": options.loss}
    events = vitrine.gan.stream_projection(options.image, **how, **choice(options))
    try:
        with closing(events):
            for event in events:
                if isinstance(event, ProjectionAnswer):
                    return event
                _show_progress(_line(event, options.steps))
    finally:
        _show_progress("\n")
    raise UnexpectedAnswer("the stream ended without a result")


def _line(event: ProjectionStep, steps: int) -> str:
    return f"\rstep {event.step} of {steps}, loss {event.loss:.4g} "


def _show_progress(text: str) -> None:
    if sys.stderr.isatty():
        print(text, end="", file=sys.stderr, flush=True)


def _draw(
    ask: Callable[..., Any],
    ask_for_grid: Callable[..., Grid],
    options: argparse.Namespace,
    *what: Any,
    enlarged: int = 1,
    **how: Any,
) -> None:
    if options.json:
        print_body(ask(*what, **how))
        return
    grid = ask_for_grid(*what, **how)
    png = enlarge_png(grid.png, enlarged)
    options.output.write_bytes(png)
    print(f"{options.output}: drawn by {printable(str(grid.model))}, {len(png):,} bytes")
    if grid.random_seed is not None and options.random_seed is None:
        tell(f"(random seed {grid.random_seed})")


def _wanted(options: argparse.Namespace) -> dict[str, Any]:
    of_vae, of_gan = ["scale"], ["digit", "truncation"]
    own, foreign = (of_gan, of_vae) if options.kind == "gan" else (of_vae, of_gan)
    for name in foreign:
        if getattr(options, name) is not None:
            raise InvalidSetting(f"sample {options.kind} has no option --{name}: omit it")
    basics = {"n": options.n, "random_seed": options.random_seed, **choice(options)}
    return basics | {name: getattr(options, name) for name in own}
