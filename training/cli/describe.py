"""`vitrine describe`: a card, the output shape of a layer, or the shapes of a pretrained network."""

import argparse
from typing import Any

from training.cli import config_options, layer_shapes, pretrained
from training.cli.released import check_released
from training.export import card_text, release


def add_arguments(commands: Any) -> None:
    """Add the command to the others."""
    describe = commands.add_parser(
        "describe", help="print a model card, or the output shape of a layer"
    )
    describe.add_argument("name", nargs="?", help="a released model")
    describe.add_argument("--input", type=config_options.parse_shape, metavar="HxWxC")
    describe.add_argument(
        "--conv", type=config_options.parse_shape, metavar="HxWxC", help="filter of a convolution"
    )
    describe.add_argument("--pool", type=int, metavar="SIZE", help="max pooling window")
    describe.add_argument("--padding", type=int, default=0)
    describe.add_argument("--stride", type=int, default=1)
    describe.add_argument("--batch", type=int, default=1)
    pretrained.add_describe_options(describe)
    describe.set_defaults(run=_describe)


def _describe(options: argparse.Namespace) -> int:
    if pretrained.is_asked(options):
        return pretrained.describe(options)
    if options.name:
        check_released([options.name])
        print(card_text.render(release.read(release.RELEASED / options.name).card))
        return 0
    if not options.input or bool(options.conv) == bool(options.pool):
        raise ValueError(
            "describe must have a model's name, or --input with either --conv or --pool"
        )
    print("\n".join(_describe_layer(options)))
    return 0


def _describe_layer(options: argparse.Namespace) -> list[str]:
    if options.pool:
        return layer_shapes.describe_pooling(
            options.input, options.pool, options.stride, options.batch
        )
    return layer_shapes.describe_convolution(
        options.input, options.conv, options.padding, options.stride, options.batch
    )
