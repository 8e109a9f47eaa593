"""`classify`, `label` and `fashion`: classify images."""

import argparse
from collections.abc import Sequence

from vitrine_client.cli.options import (
    Commands,
    add_choice,
    add_images,
    choice,
    read_images,
    report,
    report_json,
)
from vitrine_client.cli.terminal import bar, printable
from vitrine_client.client import Vitrine
from vitrine_client.digits import DigitPrediction
from vitrine_client.fashion import FashionPair, FashionPrediction
from vitrine_client.images import Label


def add_classify(commands: Commands) -> argparse.ArgumentParser:
    """Add the command that classifies digits."""
    command = commands.add_parser("classify", help="classify the digit in each image")
    add_images(command)
    add_choice(command)
    command.add_argument(
        "--normalize",
        choices=("auto", "off"),
        default="auto",
        help="off: use 28×28 images unchanged",
    )
    command.set_defaults(run=classify)
    return command


def classify(vitrine: Vitrine, options: argparse.Namespace) -> int:
    """Print one line per image; return the exit status."""
    answer = vitrine.digits.classify(
        read_images(options.images),
        normalize=options.normalize,
        on_error="report",
        **choice(options),
    )
    if options.json:
        return report_json(options.images, answer)
    width = max(len(printable(name)) for name in options.images)

    def show(name: str, prediction: DigitPrediction) -> None:
        print(f"{name:<{width}}  {_digit(prediction)}")

    return report(options.images, answer, answer.predictions, show)


def add_label(commands: Commands) -> argparse.ArgumentParser:
    """Add the command that labels photos."""
    command = commands.add_parser("label", help="label photos with ImageNet's classes")
    add_images(command, "photo")
    add_choice(command)
    command.add_argument("--top", type=int, help="labels per image (default 5)")
    command.set_defaults(run=label)
    return command


def label(vitrine: Vitrine, options: argparse.Namespace) -> int:
    """Print the name of each photo with one line per label; return the exit status."""
    answer = vitrine.images.label(
        read_images(options.images), top=options.top, on_error="report", **choice(options)
    )
    if options.json:
        return report_json(options.images, answer)
    return report(options.images, answer, answer.predictions, _print_labels)


def _print_labels(name: str, labels: Sequence[Label]) -> None:
    print(name)
    for each in labels:
        print(f"  {each.score:7.2%}  {bar(each.score)}  {printable(each.class_description)}")


def add_fashion(commands: Commands) -> argparse.ArgumentParser:
    """Add the command that classifies clothing."""
    command = commands.add_parser("fashion", help="classify the clothing in each image")
    add_images(command)
    add_choice(command)
    command.add_argument(
        "--head", choices=("dense", "svm", "both"), help="classifier (default dense)"
    )
    command.set_defaults(run=fashion)
    return command


def fashion(vitrine: Vitrine, options: argparse.Namespace) -> int:
    """Print one line per image, for one head or both; return the exit status."""
    images = read_images(options.images)
    if options.head == "both":
        pairs = vitrine.fashion.classify_both(images, on_error="report", **choice(options))
        if options.json:
            return report_json(options.images, pairs)
        return report(options.images, pairs, pairs.predictions, _print_pair)
    answer = vitrine.fashion.classify(
        images, head=options.head, on_error="report", **choice(options)
    )
    if options.json:
        return report_json(options.images, answer)
    return report(
        options.images,
        answer,
        answer.predictions,
        lambda name, prediction: print(f"{name}  {_clothing(prediction)}"),
    )


def _print_pair(name: str, pair: FashionPair) -> None:
    heads = f"dense {_clothing(pair.dense)}  svm {_clothing(pair.svm)}"
    print(f"{name}  {heads}{'' if pair.agree else '   they differ'}")


def _clothing(prediction: FashionPrediction) -> str:
    return f"{printable(prediction.label)}  {prediction.scores[prediction.label_index]:.4f}"


def _digit(prediction: DigitPrediction) -> str:
    hint = "   probably no digit" if prediction.outlier else ""
    return f"{prediction.digit}  {prediction.probability:7.2%}  {bar(prediction.probability)}{hint}"
