"""`sample`, `interpolate`, `edit`, `mix` and `project`: images that a VAE or the GAN generates."""

import argparse
import re
import sys
from collections.abc import Callable
from contextlib import closing
from typing import Any

from vitrine_client._transport.response import Grid
from vitrine_client.cli.enlarge import enlarge_png
from vitrine_client.cli.options import Commands, add_choice, add_output, choice, print_body, tell
from vitrine_client.cli.terminal import printable
from vitrine_client.client import Vitrine
from vitrine_client.errors import InvalidSetting, UnexpectedAnswer
from vitrine_client.latents import LatentSource
from vitrine_client.projection import ProjectionAnswer, ProjectionStep

MAX_SCALE = 32
POINT = "an image file, a random seed such as 7, or 7:3 for its digit 3"


def add_sample(commands: Commands) -> argparse.ArgumentParser:
    """Add the command that samples images."""
    command = commands.add_parser("sample", help="sample images from the VAE or the GAN")
    command.add_argument("kind", choices=("vae", "gan"), help="the model")
    add_output(command, "samples.png")
    add_choice(command)
    command.add_argument("--n", type=int, default=16, help="number of images (default 16)")
    command.add_argument("--random-seed", type=int, help="the same seed gives the same images")
    command.add_argument(
        "--scale",
        type=float,
        help="vae: standard deviation; below 1: more typical images (default 1)",
    )
    command.add_argument("--digit", type=int, help="gan: only this digit (default: any)")
    command.add_argument(
        "--truncation", type=float, help="gan: lower values give more typical images (default 0.7)"
    )
    command.set_defaults(run=sample)
    return command


def sample(vitrine: Vitrine, options: argparse.Namespace) -> None:
    """Write a grid of generated images to a file; with --json, print images and latent vectors."""
    group = vitrine.vae if options.kind == "vae" else vitrine.gan
    _draw(group.sample, group.sample_grid, options, **_wanted(options))


def add_interpolate(commands: Commands) -> argparse.ArgumentParser:
    """Add the command that interpolates between two points."""
    command = commands.add_parser(
        "interpolate", help="interpolate between two images or latent vectors"
    )
    command.add_argument("kind", choices=("vae", "gan"), help="the model")
    command.add_argument("start", type=_point, help=POINT + " (a GAN's)")
    command.add_argument("end", type=_point, help="the other end, likewise")
    add_output(command, "way.png")
    add_choice(command)
    command.add_argument(
        "--steps", type=int, help="number of images, including both ends (default 9)"
    )
    command.add_argument(
        "--path", choices=("lerp", "slerp"), help="straight line or arc (default lerp)"
    )
    command.set_defaults(run=interpolate)
    return command


def interpolate(vitrine: Vitrine, options: argparse.Namespace) -> None:
    """Write the images between the points as one file."""
    group: Any = vitrine.vae if options.kind == "vae" else vitrine.gan
    ends, path = (options.start, options.end), {"steps": options.steps, "path": options.path}
    _draw(group.interpolate, group.interpolate_grid, options, *ends, **path, **choice(options))


def add_edit(commands: Commands) -> argparse.ArgumentParser:
    """Add the command that moves an image along a direction."""
    command = commands.add_parser("edit", help="make a digit thicker, wider or more slanted")
    command.add_argument("point", type=_point, help=POINT)
    command.add_argument("direction", help="thickness, slant, width, …")
    command.add_argument(
        "strength",
        nargs="+",
        type=float,
        help="in standard deviations; one image for each value: -2 0 2",
    )
    add_output(command, "edited.png")
    _add_scale(command)
    add_choice(command)
    command.set_defaults(run=edit)
    return command


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


def add_mix(commands: Commands) -> argparse.ArgumentParser:
    """Add the command that mixes two images."""
    command = commands.add_parser("mix", help="mix the coarse and the fine style of two digits")
    command.add_argument("coarse", type=_point, help=POINT)
    command.add_argument("fine", type=_point, help="the fine style, likewise")
    add_output(command, "mixed.png")
    _add_scale(command)
    add_choice(command)
    command.set_defaults(run=mix)
    return command


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


def add_project(commands: Commands) -> argparse.ArgumentParser:
    """Add the command that finds an image in the GAN's latent space."""
    command = commands.add_parser("project", help="find a digit in the GAN's latent space")
    command.add_argument("image", help="a PNG, JPEG, WebP, …")
    command.add_argument(
        "--steps", type=int, default=100, help="steps of gradient descent (default 100)"
    )
    command.add_argument(
        "--loss", choices=("perceptual", "pixel"), help="loss to minimize (default perceptual)"
    )
    add_output(command, "projected.png")
    _add_scale(command)
    add_choice(command)
    command.set_defaults(run=project)
    return command


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


def _add_scale(command: argparse.ArgumentParser) -> None:
    command.add_argument("--scale", type=_scale, default=1, help="enlargement factor, 1 to 32 (1)")


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


def _wanted(options: argparse.Namespace) -> dict[str, Any]:
    of_vae, of_gan = ["scale"], ["digit", "truncation"]
    own, foreign = (of_gan, of_vae) if options.kind == "gan" else (of_vae, of_gan)
    for name in foreign:
        if getattr(options, name) is not None:
            raise InvalidSetting(f"sample {options.kind} has no option --{name}: omit it")
    basics = {"n": options.n, "random_seed": options.random_seed, **choice(options)}
    return basics | {name: getattr(options, name) for name in own}
