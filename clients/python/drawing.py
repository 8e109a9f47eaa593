"""The commands of the command line about photos, clothes and drawn pictures."""

import argparse
from typing import Any

from clients.python.client import Vitrine
from clients.python.commands import print_body
from clients.python.errors import InvalidSetting
from clients.python.terminal import bar, printable


def label(vitrine: Vitrine, options: argparse.Namespace) -> None:
    """The name of each photo, and below it one line for each label."""
    answer = vitrine.images.label(options.pictures, top=options.top, model=options.model)
    if options.json:
        print_body(answer.body)
        return
    for name, labels in zip(options.pictures, answer.predictions, strict=True):
        print(printable(name))
        for each in labels:
            print(f"  {each.score:7.2%}  {bar(each.score)}  {printable(each.class_description)}")


def fashion(vitrine: Vitrine, options: argparse.Namespace) -> None:
    """One line for each picture."""
    if options.model is not None:
        raise InvalidSetting("fashion takes no --model: choose with --head dense or --head svm")
    answer = vitrine.fashion.classify(options.pictures, head=options.head)
    if options.json:
        print_body(answer.body)
        return
    for name, prediction in zip(options.pictures, answer.predictions, strict=True):
        score = prediction.scores[prediction.label_index]
        print(f"{printable(name)}  {printable(prediction.label)}  {score:.4f}")


def sample(vitrine: Vitrine, options: argparse.Namespace) -> None:
    """A grid of drawn pictures, written to a file; as JSON, the pictures and their latent vectors."""
    wanted = _wanted(options)
    vae = options.kind == "vae"
    if options.json:
        answer = vitrine.vae.sample(**wanted) if vae else vitrine.gan.sample(**wanted)
        print_body(answer.body)
        return
    grid = vitrine.vae.sample_grid(**wanted) if vae else vitrine.gan.sample_grid(**wanted)
    options.output.write_bytes(grid.png)
    print(f"{options.output}: {options.n} pictures, {len(grid.png):,} bytes")


def project(vitrine: Vitrine, options: argparse.Namespace) -> None:
    """The nearest picture that the GAN can draw, written to a file, and how near it is."""
    answer = vitrine.gan.project(
        options.picture, steps=options.steps, loss=options.loss, model=options.model
    )
    if options.json:
        print_body(answer.body)
        return
    options.output.write_bytes(answer.images[0])
    psnr = answer.psnr[0]
    near = "no difference" if psnr is None else f"PSNR {psnr:.1f} dB"
    print(f"{options.output}: loss {answer.losses[0]:.4g}, {near}")


def _wanted(options: argparse.Namespace) -> dict[str, Any]:
    of_vae, of_gan = ["scale"], ["digit", "truncation"]
    own, foreign = (of_gan, of_vae) if options.kind == "gan" else (of_vae, of_gan)
    for name in foreign:
        if getattr(options, name) is not None:
            raise InvalidSetting(f"sample {options.kind} takes no --{name}: leave it out")
    given = {name: getattr(options, name) for name in own if getattr(options, name) is not None}
    basics = {"n": options.n, "random_seed": options.random_seed, "model": options.model}
    return basics | given
