"""`classify`, `label` and `fashion`: classify images."""

import argparse
from collections.abc import Sequence
from functools import partial

from vitrine_client.cli.command import CHOICE, argument, command, images
from vitrine_client.cli.options import report_predictions
from vitrine_client.cli.terminal import bar, printable
from vitrine_client.client import Vitrine
from vitrine_client.digits import DigitPrediction
from vitrine_client.fashion import FashionPair, FashionPrediction
from vitrine_client.images import Label


@command(
    "classify the digit in each image",
    images(),
    *CHOICE,
    argument(
        "--normalize",
        choices=("auto", "off"),
        default="auto",
        help="off: use 28×28 images unchanged",
    ),
)
def classify(vitrine: Vitrine, options: argparse.Namespace) -> int:
    """Print one line per image."""
    width = max(len(printable(name)) for name in options.images)

    def show(name: str, prediction: DigitPrediction) -> None:
        print(f"{name:<{width}}  {_digit(prediction)}")

    ask = partial(vitrine.digits.classify, normalize=options.normalize)
    return report_predictions(options, ask, show)


@command(
    "label photos with ImageNet's classes",
    images("photo"),
    *CHOICE,
    argument("--top", type=int, help="labels per image (default 5)"),
)
def label(vitrine: Vitrine, options: argparse.Namespace) -> int:
    """Print the name of each photo with one line per label."""
    ask = partial(vitrine.images.label, top=options.top)
    return report_predictions(options, ask, _print_labels)


@command(
    "classify the clothing in each image",
    images(),
    *CHOICE,
    argument("--head", choices=("dense", "svm", "both"), help="classifier (default dense)"),
)
def fashion(vitrine: Vitrine, options: argparse.Namespace) -> int:
    """Print one line per image, for one head or both."""
    if options.head == "both":
        return report_predictions(options, vitrine.fashion.classify_both, _print_pair)
    ask = partial(vitrine.fashion.classify, head=options.head)
    return report_predictions(options, ask, lambda name, one: print(f"{name}  {_clothing(one)}"))


def _print_labels(name: str, labels: Sequence[Label]) -> None:
    print(name)
    for each in labels:
        print(f"  {each.score:7.2%}  {bar(each.score)}  {printable(each.class_description)}")


def _print_pair(name: str, pair: FashionPair) -> None:
    heads = f"dense {_clothing(pair.dense)}  svm {_clothing(pair.svm)}"
    print(f"{name}  {heads}{'' if pair.agree else '   they differ'}")


def _clothing(prediction: FashionPrediction) -> str:
    return f"{printable(prediction.label)}  {prediction.scores[prediction.label_index]:.4f}"


def _digit(prediction: DigitPrediction) -> str:
    hint = "   probably no digit" if prediction.outlier else ""
    return f"{prediction.digit}  {prediction.probability:7.2%}  {bar(prediction.probability)}{hint}"
