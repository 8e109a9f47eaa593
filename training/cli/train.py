"""`vitrine train`, `jobs` and `sweep-beta`. TensorFlow is loaded when a job is named, not for the help."""

import argparse
from pathlib import Path
from typing import Any

from training import jobs
from training.cli import config_options
from training.cli.example_request import example_request
from training.export import release
from training.export.quiet_import import import_keras

MNIST = ("--data-dir", Path, "folder with the data set (IDX, gzip or not)")
DATA = {  # task → option for the data, its type and its help
    "classify_image": (
        "--data-dir",
        Path,
        "folder with Fashion-MNIST (IDX, gzip or not), or with one subfolder of images a class",
    ),
    "generate_text": ("--text", str, "the text to learn: a file, or the address of a web page"),
}


def add_arguments(commands: Any, arguments: list[str]) -> None:
    """Add the commands; only the job named in `arguments` is imported, for its options."""
    train = commands.add_parser("train", help="train a job and export the result")
    trainings = train.add_subparsers(required=True, metavar="JOB", dest="job")
    for name in jobs.names():
        one = trainings.add_parser(name, help=jobs.summary(name).replace("%", "%%"))
        one.add_argument("--workdir", type=Path, help="checkpoints and logs (default: runs/NAME)")
        one.add_argument(
            "--models", type=Path, default=Path("models"), help="models folder to export to"
        )
        one.add_argument("--name", help="name of the exported model (default: the job's name)")
        if arguments[:2] == ["train", name]:
            job = jobs.load(name)
            option, kind, text = DATA.get(job.task, MNIST)
            metavar = option.strip("-").upper()
            one.add_argument(option, dest="data", type=kind, help=text, metavar=metavar)
            if job.task == "generate_text":
                one.add_argument(
                    "--encoding",
                    metavar="NAME",
                    help="encoding of the text, such as koi8-r (default: its byte order mark, its declaration, or UTF-8)",
                )
            config_options.add_arguments(one, job.config)
    train.set_defaults(run=_train)

    listing = commands.add_parser("jobs", help="list the training jobs")
    listing.set_defaults(run=_list)

    sweep = commands.add_parser(
        "sweep-beta", help="train a small VAE with several values of β and compare them"
    )
    sweep.add_argument("--data-dir", type=Path, help="folder with MNIST (IDX, gzip or not)")
    sweep.add_argument("--workdir", type=Path, default=Path("runs/beta-sweep"))
    sweep.add_argument("--card", type=Path, help="card.json to write the table into")
    sweep.add_argument(
        "--sheet", type=Path, help="PNG of the reconstructions and samples for each β"
    )
    sweep.set_defaults(run=_sweep_beta)


def _list(_: argparse.Namespace) -> int:
    for name in jobs.names():
        print(f"{name:<15}{jobs.summary(name)}")
    return 0


def _train(options: argparse.Namespace) -> int:
    job = jobs.load(options.job)
    from training import run
    from training.text.corpus import TextSource

    data = options.data
    if data and getattr(options, "encoding", None):
        data = TextSource(data, options.encoding)
    name = release.check_name(options.name or job.name)
    version = run.train(
        job,
        config_options.apply(job.config(), options),
        data=data,
        workdir=options.workdir or Path("runs") / name,
        models=options.models,
        name=name,
    )
    print(f"\nexported {version}\ntry it: {example_request(job.task, name)}")
    return 0


def _sweep_beta(options: argparse.Namespace) -> int:
    import_keras()
    from training.experiments import beta_sweep

    beta_sweep.run(options.data_dir, options.workdir, options.card, options.sheet)
    return 0
