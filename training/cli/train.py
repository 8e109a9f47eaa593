"""`vitrine train`, `jobs` and `sweep-beta`. TensorFlow is loaded when a job is named, not for the help."""

import argparse
from pathlib import Path
from typing import Any, NamedTuple

from training import jobs
from training.cli import config_options
from training.export import release
from training.export.quiet_import import import_keras


class Task(NamedTuple):
    """Command-line details of the jobs of one task: the data option, and an example request."""

    option: str
    type: type
    help: str
    route: str
    body: str  # of curl

    def add_data_option(self, parser: argparse.ArgumentParser) -> None:
        """Add the option; its value becomes `data`."""
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
        "folder with Fashion-MNIST (IDX, gzip or not), or with one subfolder of images a class",
        "/v1/images/label",
        "--data-binary @photo.jpg",
    ),
    "generate_text": Task(
        "--text",
        str,
        "the text to learn: a file, or the address of a web page",
        "/v1/text/generate",
        """-d '{"seed": "What is ", "diversity": 0.5}'""",
    ),
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
            TASKS[job.task].add_data_option(one)
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
    task = TASKS[job.task]
    url = f"http://127.0.0.1:8000{task.route}?model={name}"
    print(f"\nexported {version}\ntry it: curl {task.body} '{url}'")
    return 0


def _sweep_beta(options: argparse.Namespace) -> int:
    import_keras()
    from training.experiments import beta_sweep

    beta_sweep.run(options.data_dir, options.workdir, options.card, options.sheet)
    return 0
