"""`vitrine export` and `release`: builds SavedModels from released weights, and selects those weights."""

import argparse
from pathlib import Path
from typing import Any

from training import jobs
from training.cli import parallel, pretrained
from training.export import release
from training.export.quiet_import import import_keras


def add_arguments(commands: Any) -> None:
    """Add the commands to the others."""
    export = commands.add_parser("export", help="build SavedModels from the released weights")
    export.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(release.NAMES)}")
    export.add_argument(
        "--models", type=Path, default=Path("models"), help="models folder to export to"
    )
    export.add_argument(
        "--missing", action="store_true", help="only models that are not exported yet"
    )
    pretrained.add_export_options(export)
    export.set_defaults(run=_export)

    choose = commands.add_parser(
        "release", help="release the training with the best validation metric"
    )
    choose.add_argument("name", help="name of the released model")
    choose.add_argument(
        "workdirs",
        nargs="+",
        type=Path,
        metavar="WORKDIR",
        help="working directories, one per seed",
    )
    choose.set_defaults(run=_release)


def export_released(name: str, models: Path) -> Path:
    """Export the released weights of one name, in a worker process; return the version directory."""
    import_keras()
    from training.export import saved_model

    released = release.read(release.RELEASED / name)
    return saved_model.export(jobs.load(released.card["job"]), released, models, name, "released")


def check_released(names: list[str]) -> None:
    """Raise ValueError for a name that is not released."""
    unknown = [name for name in names if name not in release.NAMES]
    if unknown:
        raise ValueError(
            f"the name must be one of {', '.join(release.NAMES)}, got {', '.join(unknown)}"
        )


def _export(options: argparse.Namespace) -> int:
    """Export each name separately: a failure does not stop the others."""
    if options.arch or options.weights or options.name:
        return pretrained.export(options)
    check_released(options.names)
    wanted = [
        name
        for name in options.names or release.usual_names()
        if not (
            options.missing
            and release.is_exported(release.read(release.RELEASED / name), options.models, name)
        )
    ]
    return 1 if parallel.run_each(export_released, wanted, options.models) else 0


def _release(options: argparse.Namespace) -> int:
    folders = [workdir / "release" for workdir in options.workdirs]
    target = release.RELEASED / release.check_name(options.name)
    chosen = release.choose(folders, target)
    print(f"released seed {chosen.card['configuration']['seed']} as {target}")
    return 0
