"""Commands for networks pretrained on ImageNet: export, and description of their shapes."""

import argparse
import os
from pathlib import Path
from typing import Any

from training.cli import config_options
from training.export import release
from training.export.quiet_import import import_keras


def add_export_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for another network for labels."""
    parser.add_argument("--arch", help="another network for labels, such as efficientnet-lite2")
    parser.add_argument("--weights", help="its weights: imagenet, none or a file")
    parser.add_argument("--name", help="name of the exported model (default: the network's name)")


def export(options: argparse.Namespace) -> int:
    """Export labels with the selected network, as a user's model."""
    import_keras()
    from training.export import saved_model as exporting
    from training.jobs import labels
    from training.pretrained import backbone

    if options.names != ["labels"]:
        raise ValueError(
            "--arch, --weights and --name must be used with labels: export labels --arch …"
        )
    given = {key: vars(options)[key] for key in ("arch", "weights") if vars(options)[key]}
    if options.arch:
        given["arch"] = backbone.full_name(options.arch)
    config = config_options.apply(labels.Config(), argparse.Namespace(**given))
    name = release.check_name(options.name or (options.arch or config.arch).lower())
    prepared = labels.prepare(config, Path("runs") / name / "release")
    version = exporting.export(labels.JOB, prepared, options.models, name, "trained")
    print(f"exported {version}", flush=True)
    return 0


def add_class_index(commands: Any) -> None:
    """Add the command that makes Keras' `decode_predictions` work without a download."""
    index = commands.add_parser(
        "class-index", help="write ImageNet's class names where Keras looks for them"
    )
    index.add_argument("--folder", type=Path, help="default: models/ in $KERAS_HOME or ~/.keras")
    index.set_defaults(run=_write_class_index)


def _write_class_index(options: argparse.Namespace) -> int:
    from training.pretrained import imagenet_classes

    home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    print(f"wrote {imagenet_classes.write(options.folder or home / 'models')}")
    return 0


def add_describe_options(parser: argparse.ArgumentParser) -> None:
    """Add Keras' own arguments of a network."""
    group = parser.add_argument_group(
        "a network", "describe labels --arch NAME: shapes, as Keras' own arguments decide them"
    )
    group.add_argument(
        "--arch", help="EfficientNetLite0, EfficientNetLite2 or a network of keras.applications"
    )
    group.add_argument("--include-top", action=argparse.BooleanOptionalAction, default=True)
    group.add_argument("--weights", help="imagenet, none or a file (default: none)")
    group.add_argument("--input-shape", type=config_options.parse_shape, metavar="HxWxC")
    group.add_argument("--pooling", choices=("avg", "max"))
    group.add_argument("--classes", type=int, default=1000)


def is_asked(options: argparse.Namespace) -> bool:
    """Whether any of those arguments is given."""
    given = (options.arch, options.weights, options.input_shape, options.pooling)
    return any(given) or not options.include_top or options.classes != 1000


def describe(options: argparse.Namespace) -> int:
    """Build the requested network, and print its input and output shapes."""
    import_keras()
    from training.pretrained import backbone

    if options.name != "labels":
        raise ValueError("--arch must be used with labels: describe labels --arch …")
    arch, weights = backbone.full_name(options.arch or backbone.LITE0), options.weights or "none"
    model = backbone.make(
        arch,
        include_top=options.include_top,
        weights=weights,
        input_shape=options.input_shape,
        pooling=options.pooling,
        classes=options.classes,
    )
    print(f"{arch}, weights {weights}")
    print(f"input       {_shape(model.input_shape)}  (input_shape; B is the batch)")
    for maps in _last_maps(model):
        print(f"maps        {_shape(maps)}  (of the last convolution)")
    print(f"output      {_shape(model.output_shape)}  {_meaning(options)}")
    print(f"parameters  {model.count_params():,}")
    return 0


def _meaning(options: argparse.Namespace) -> str:
    if options.include_top:
        return f"(include_top: a probability for each of {options.classes} classes)"
    pooled = {"avg": "pooling: the mean of each map", "max": "pooling: the largest of each map"}
    kept = "no pooling: the maps as they are, for layers of your own"
    return f"(no top, so that classes has no meaning; {pooled.get(options.pooling, kept)})"


def _last_maps(model: Any) -> list[tuple[int | None, ...]]:
    """The shape of the last layer whose output still has height and width, if there is one."""
    shapes: list[Any] = [tuple(layer.output.shape) for layer in model.layers]
    wide = [shape for shape in shapes if len(shape) == 4 and shape[1:3] != (1, 1)]
    return wide[-1:]


def _shape(shape: tuple[int | None, ...]) -> str:
    return " × ".join("B" if size is None else str(size) for size in shape)
