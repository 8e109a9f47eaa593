"""One training from start to end."""

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from training.export import card, card_text, release, saved_model
from training.job import Job, JobConfig

NOTE = "run.json"  # file in the working directory: configuration and data of its training


def train(
    job: Job, config: JobConfig, *, data: Path | str | None, workdir: Path, models: Path, name: str
) -> Path:
    """Train `job` and export it as the next version of `name`; return the version's directory."""
    started = time.monotonic()
    workdir.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(config.seed)
    splits = job.load_data(config, data)
    described = splits.describe()
    print(f"data: {splits.source}; {described['train']:,} to train on", flush=True)
    config = splits.complete_config(config).resolve(_started_with(workdir))
    check_resume_config(workdir, config, splits.source)
    model = job.build_model(config)
    history = job.train(model, splits, config, workdir)
    release.round_weights(model)
    measured = job.evaluate(model, splits)
    fitted = {"history": history, "seconds": time.monotonic() - started}
    made = card.make_card(job, config, described, model, measured, fitted)
    print(card_text.render(made), flush=True)
    finished = release.write(
        workdir / "release",
        model,
        made,
        {k: v for k, v in measured["calibration"].items() if isinstance(v, np.ndarray)},
    )
    return saved_model.export(job, finished, models, name, origin="trained")


def check_resume_config(workdir: Path, config: JobConfig, source: str) -> None:
    """Record the training in `workdir`; ValueError if it has another configuration or other data.

    `epochs` may differ: a finished training resumes.
    """
    wanted = {**dataclasses.asdict(config), "data": source}
    started = _started_with(workdir) or wanted
    changed = [name for name in wanted if name != "epochs" and started.get(name) != wanted[name]]
    if changed:
        raise ValueError(
            f"{workdir} contains a training with another {changed[0]} ({started.get(changed[0])}, now "
            f"{wanted[changed[0]]}); delete it, or use another --workdir or --name"
        )
    (workdir / NOTE).write_text(json.dumps(wanted, indent=1))


def _started_with(workdir: Path) -> dict[str, Any]:
    """The configuration and data of the training in `workdir`; empty if there is none."""
    path = workdir / NOTE
    return json.loads(path.read_text()) if path.is_file() else {}
