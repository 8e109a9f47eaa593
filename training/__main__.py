"""`python -m training`: train a job, export released weights, serve a model of your own, describe."""

import argparse
import ast
import pkgutil
import sys
from pathlib import Path
from typing import NamedTuple, cast

from training import jobs
from training.cli import config_options, import_model, parallel, pretrained
from training.cli.released import export_released, load_job
from training.export import release
from training.native_stderr import import_keras


class Task(NamedTuple):
    """How a person deals with the jobs of one task: the option that names the data, and a request."""

    option: str
    type: type
    help: str
    route: str
    body: str  # of curl

    def add_data_option(self, parser: argparse.ArgumentParser) -> None:
        """Offer the option; what it is given becomes `data`."""
        metavar = self.option.strip("-").upper()
        parser.add_argument(
            self.option, dest="data", type=self.type, help=self.help, metavar=metavar
        )


TASKS = {
    "classify_digit": Task(
        "--data-dir",
        Path,
        "folder with the data set (IDX, gzip or not)",
        "/v1/digits/classify",
        "--data-binary @docs/seven.png",
    ),
    "autoencode_image": Task(
        "--data-dir",
        Path,
        "folder with the data set (IDX, gzip or not)",
        "/v1/vae/reconstruct",
        "--data-binary @docs/seven.png",
    ),
    "generate_image": Task(
        "--data-dir",
        Path,
        "folder with the data set (IDX, gzip or not)",
        "/v1/gan/sample",
        """-d '{"n": 4, "digit": 3}'""",
    ),
    "classify_image": Task(
        "--data-dir",
        Path,
        "folder with Fashion-MNIST (IDX, gzip or not), or with one subfolder of pictures a class",
        "/v1/images/label",
        "--data-binary @photo.jpg",
    ),
    "generate_text": Task(
        "--text",
        str,
        "the text to learn: a file in any encoding, or the address of a web page",
        "/v1/text/generate",
        """-d '{"seed": "What is ", "diversity": 0.5}'""",
    ),
}


def job_names() -> list[str]:
    """Every module of `training.jobs`, by the name its model has."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(jobs.__path__))


def job_summary(name: str) -> str:
    """The first line of a job's docstring, without importing the job."""
    path = Path(jobs.__path__[0]) / f"{name.replace('-', '_')}.py"
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]


def main(arguments: list[str], prog: str = "python -m training") -> int:
    """Run one command; return the exit status."""
    parser = _parser(arguments, prog)
    options = parser.parse_args(import_model.joined(arguments))
    try:
        return cast(int, options.run(options))
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser(arguments: list[str], prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog, description="Train a job, export released weights, import a model of your own."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train a job and export the result")
    trainings = train.add_subparsers(required=True, metavar="JOB", dest="job")
    for name in job_names():
        one = trainings.add_parser(name, help=job_summary(name).replace("%", "%%"))
        one.add_argument("--workdir", type=Path, help="checkpoints and logs (default: runs/NAME)")
        one.add_argument("--models", type=Path, default=Path("models"), help="where to export to")
        one.add_argument("--name", help="export under this name instead of the job's own")
        if arguments[:2] == ["train", name]:
            job = load_job(name)
            TASKS[job.TASK].add_data_option(one)
            config_options.add_arguments(one, job.Config)
    train.set_defaults(run=_train)

    listing = commands.add_parser("jobs", help="list the jobs that can be trained")
    listing.set_defaults(run=_jobs)

    saved_model = commands.add_parser("export", help="build SavedModels from the released weights")
    saved_model.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of: {', '.join(release.NAMES)}"
    )
    saved_model.add_argument(
        "--models", type=Path, default=Path("models"), help="where to export to"
    )
    saved_model.add_argument("--missing", action="store_true", help="only what is not exported yet")
    pretrained.add_export_options(saved_model)
    saved_model.set_defaults(run=_export)

    import_model.add_arguments(commands)

    choose = commands.add_parser(
        "release", help="take the best of several trainings, by validation, as the released one"
    )
    choose.add_argument("name", help="of the released model")
    choose.add_argument("workdirs", nargs="+", type=Path, metavar="WORKDIR", help="one a seed")
    choose.set_defaults(run=_release)

    sweep = commands.add_parser("sweep-beta", help="train a small VAE with several β, and compare")
    sweep.add_argument("--data-dir", type=Path, help="folder with MNIST (IDX, gzip or not)")
    sweep.add_argument("--workdir", type=Path, default=Path("runs/beta-sweep"))
    sweep.add_argument("--card", type=Path, help="card.json to put the table into")
    sweep.add_argument("--sheet", type=Path, help="PNG to show what each gives back and draws")
    sweep.set_defaults(run=_sweep_beta)

    describe = commands.add_parser(
        "describe", help="print a card, or what a layer makes of a shape"
    )
    describe.add_argument("name", nargs="?", help="a released model")
    describe.add_argument("--input", type=config_options.parse_shape, metavar="HxWxC")
    describe.add_argument(
        "--conv", type=config_options.parse_shape, metavar="HxWxC", help="one filter"
    )
    describe.add_argument("--pool", type=int, metavar="SIZE", help="max pooling window")
    describe.add_argument("--padding", type=int, default=0)
    describe.add_argument("--stride", type=int, default=1)
    describe.add_argument("--batch", type=int, default=1)
    pretrained.add_describe_options(describe)
    describe.set_defaults(run=_describe)
    pretrained.add_class_index(commands)
    return parser


def _jobs(_: argparse.Namespace) -> int:
    for name in job_names():
        print(f"{name:<15}{job_summary(name)}")
    return 0


def _train(options: argparse.Namespace) -> int:
    job = load_job(options.job)
    from training import run

    name = release.check_name(options.name or job.NAME)
    version = run.train(
        job,
        config_options.apply(job.Config(), options),
        data=options.data,
        workdir=options.workdir or Path("runs") / name,
        models=options.models,
        name=name,
    )
    task = TASKS[job.TASK]
    url = f"http://127.0.0.1:8000{task.route}?model={name}"
    print(f"\nexported {version}\ntry it: curl {task.body} '{url}'")
    return 0


def _export(options: argparse.Namespace) -> int:
    """Export each name on its own: one that fails does not stop the others."""
    if options.arch or options.weights or options.name:
        return pretrained.export(load_job("labels"), options)
    unknown = [name for name in options.names if name not in release.NAMES]
    if unknown:
        raise ValueError(
            f"nothing released as {', '.join(unknown)}; there are {', '.join(release.NAMES)}"
        )
    wanted = [
        name
        for name in options.names or release.NAMES
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


def _sweep_beta(options: argparse.Namespace) -> int:
    import_keras()
    from training.data import mnist
    from training.experiments import beta_sweep

    splits = mnist.load_digits(beta_sweep.SMALL, options.data_dir)
    table, sheet = beta_sweep.sweep(splits, options.workdir)
    beta_sweep.save(table, sheet, options.card, options.sheet)
    return 0


def _describe(options: argparse.Namespace) -> int:
    if pretrained.is_asked(options):
        return pretrained.describe(options)
    if options.name:
        from training.export import card_text

        if options.name not in release.NAMES:
            raise ValueError(
                f"nothing released as {options.name}; there are {', '.join(release.NAMES)}"
            )
        print(card_text.render(release.read(release.RELEASED / options.name).card))
        return 0
    if not options.input or bool(options.conv) == bool(options.pool):
        raise ValueError("describe needs a model's name, or --input with either --conv or --pool")
    print("\n".join(_describe_layer(options)))
    return 0


def _describe_layer(options: argparse.Namespace) -> list[str]:
    from training.cli import layer_shapes

    if options.pool:
        return layer_shapes.describe_pooling(
            options.input, options.pool, options.stride, options.batch
        )
    return layer_shapes.describe_convolution(
        options.input, options.conv, options.padding, options.stride, options.batch
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
