"""The model card as data: training data, configuration, metrics and layers."""

import dataclasses
import platform
import re
from importlib.metadata import version
from typing import Any

import numpy as np

from training.export.layer_table import layer_table
from training.job import Job, JobConfig

_WORD = re.compile(r"[A-Za-z0-9_.+-]+")


def make_card(
    job: Job,
    config: JobConfig,
    data: dict[str, Any],
    model: Any,
    measured: dict[str, Any],
    fitted: dict[str, Any],
) -> dict[str, Any]:
    """The content of a card, in JSON types.

    data: what the data set says of itself; measured: the job's `evaluate`; fitted: the history of its `train` and the seconds it took.
    """
    summary, _, rest = job.description.partition("\n")
    return {
        "job": job.name,
        "task": job.task,
        "summary": summary,
        "description": " ".join(rest.split()),
        "data": data,
        "configuration": dataclasses.asdict(config),
        "command": training_command(job, config),
        "metrics": measured["metrics"],
        "calibration": {
            k: v for k, v in measured["calibration"].items() if not isinstance(v, np.ndarray)
        },
        **({"pictures": measured["pictures"]} if "pictures" in measured else {}),
        "parameters": model.count_params(),
        "layers": layer_table(model),
        "history": fitted["history"],
        "training": {
            "seconds": round(sum(fitted["history"].get("seconds", [fitted["seconds"]])), 1),
            "machine": f"{platform.system()} {platform.machine()}",
            "versions": {name: version(name) for name in ("keras", "numpy")},
        },
    }


def training_command(job: Job, config: JobConfig) -> str:
    """The command that repeats a training: the job, its data, and options that differ from the defaults.

    The vocabulary follows from the data and is not an option.
    """
    data = "--text FILE" if job.task == "generate_text" else "--data-dir FOLDER"
    given = {
        field.name.replace("_", "-"): str(getattr(config, field.name))
        for field in dataclasses.fields(config)
        if getattr(config, field.name) != field.default
    }
    options = [f"--{name} {value}" for name, value in given.items() if _WORD.fullmatch(value)]
    return " ".join(["vitrine train", job.name, data, *options])
