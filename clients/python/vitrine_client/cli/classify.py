"""`classify`, `label` and `fashion`: what images show."""

import argparse

from vitrine_client.cli.options import (
    Commands,
    add_choice,
    add_pictures,
    choice,
    print_body,
    read_images,
)
from vitrine_client.cli.terminal import bar, printable
from vitrine_client.client import Vitrine
from vitrine_client.digits import DigitPrediction
from vitrine_client.fashion import FashionPrediction


def add_classify(commands: Commands) -> argparse.ArgumentParser:
    """Add the command that reads digits."""
    command = commands.add_parser("classify", help="read the digit in each image")
    add_pictures(command)
    add_choice(command)
    command.add_argument(
        "--normalize",
        choices=("auto", "off"),
        default="auto",
        help="off: send 28×28 images as they are",
    )
    command.set_defaults(run=classify)
    return command


def classify(vitrine: Vitrine, options: argparse.Namespace) -> None:
    """One line for each image."""
    answer = vitrine.digits.classify(
        read_images(options.pictures), normalize=options.normalize, **choice(options)
    )
    if options.json:
        print_body(answer)
        return
    names = [printable(name) for name in options.pictures]
    width = max(len(name) for name in names)
    for name, prediction in zip(names, answer.predictions, strict=True):
        print(f"{name:<{width}}  {_digit(prediction)}")


def add_label(commands: Commands) -> argparse.ArgumentParser:
    """Add the command that names photos."""
    command = commands.add_parser("label", help="label photos with ImageNet's classes")
    add_pictures(command, "photo")
    add_choice(command)
    command.add_argument("--top", type=int, help="labels for each (default 5)")
    command.set_defaults(run=label)
    return command


def label(vitrine: Vitrine, options: argparse.Namespace) -> None:
    """The name of each photo, and below it one line for each label."""
    answer = vitrine.images.label(read_images(options.pictures), top=options.top, **choice(options))
    if options.json:
        print_body(answer)
        return
    for name, labels in zip(options.pictures, answer.predictions, strict=True):
        print(printable(name))
        for each in labels:
            print(f"  {each.score:7.2%}  {bar(each.score)}  {printable(each.class_description)}")


def add_fashion(commands: Commands) -> argparse.ArgumentParser:
    """Add the command that names clothes."""
    command = commands.add_parser("fashion", help="classify the garment in each image")
    add_pictures(command)
    add_choice(command)
    command.add_argument(
        "--head", choices=("dense", "svm", "both"), help="what decides (default dense)"
    )
    command.set_defaults(run=fashion)
    return command


def fashion(vitrine: Vitrine, options: argparse.Namespace) -> None:
    """One line for each image; with both heads, what either says."""
    if options.head == "both":
        _compare(vitrine, options)
        return
    answer = vitrine.fashion.classify(
        read_images(options.pictures), head=options.head, **choice(options)
    )
    if options.json:
        print_body(answer)
        return
    for name, prediction in zip(options.pictures, answer.predictions, strict=True):
        print(f"{printable(name)}  {_clothing(prediction)}")


def _compare(vitrine: Vitrine, options: argparse.Namespace) -> None:
    answer = vitrine.fashion.classify_both(read_images(options.pictures), **choice(options))
    if options.json:
        print_body(answer)
        return
    for name, pair in zip(options.pictures, answer.predictions, strict=True):
        heads = f"dense {_clothing(pair.dense)}  svm {_clothing(pair.svm)}"
        print(f"{printable(name)}  {heads}{'' if pair.agree else '   they differ'}")


def _clothing(prediction: FashionPrediction) -> str:
    return f"{printable(prediction.label)}  {prediction.scores[prediction.label_index]:.4f}"


def _digit(prediction: DigitPrediction) -> str:
    hint = "   probably no digit" if prediction.outlier else ""
    return f"{prediction.digit}  {prediction.probability:7.2%}  {bar(prediction.probability)}{hint}"
