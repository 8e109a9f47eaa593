"""The model card: what was trained, on what, how well, and what each layer is. Plain data, and its text."""

import dataclasses
import platform
from importlib.metadata import version
from typing import Any

from training.job import Job, JobConfig, Splits
from training.layers import layer_table


def make_card(
    job: Job,
    config: JobConfig,
    splits: Splits,
    model: Any,
    measured: dict[str, Any],
    fitted: dict[str, Any],
) -> dict[str, Any]:
    """Gather everything a reader or an export needs; JSON types only.

    measured: the job's `evaluate`; fitted: the history of its `train` and the seconds it took.
    """
    summary, _, rest = (job.__doc__ or "").partition("\n")
    return {
        "job": job.NAME,
        "task": job.TASK,
        "summary": summary,
        "description": " ".join(rest.split()),
        "data": {
            "source": splits.source,
            "train": len(splits.train.labels),
            "validation": len(splits.validation.labels),
            "test": len(splits.test.labels),
        },
        "configuration": dataclasses.asdict(config),
        "metrics": measured["metrics"],
        "calibration": measured["calibration"],
        "parameters": model.count_params(),
        "layers": layer_table(model),
        "history": fitted["history"],
        "training": {
            "seconds": round(fitted["seconds"], 1),
            "machine": f"{platform.system()} {platform.machine()}",
            "versions": {name: version(name) for name in ("keras", "numpy")},
        },
    }


def render(card: dict[str, Any]) -> str:
    """The card as text for a terminal, 100 columns."""
    data, lines = card["data"], [f"{card['job']}: {card['summary']}", ""]
    lines += [f"  {card['description']}", ""] if card["description"] else []
    lines.append(f"data           {data['source']}")
    lines.append(
        f"split          {data['train']} train, {data['validation']} validation, {data['test']} test"
    )
    settings = ", ".join(f"{name} {value}" for name, value in card["configuration"].items())
    lines.append(f"configuration  {settings}")
    lines += ["", "metrics"]
    lines += [
        f"  {name:<34} {_metric(value)}"
        for name, value in card["metrics"].items()
        if not isinstance(value, list)
    ]
    lines += ["", f"{'layer':<10} {'type':<14} {'output shape':<14} {'parameters':>10}  formula"]
    for row in card["layers"]:
        shape = "×".join(str(size) for size in row["shape"])
        lines.append(
            f"{row['name']:<10} {row['type']:<14} {shape:<14} {row['parameters']:>10,}  {row['formula']}"
        )
    lines.append(f"{'total':<40} {card['parameters']:>10,}")
    return "\n".join(lines)


def _metric(value: Any) -> str:
    if isinstance(value, dict):
        low, high = value["interval_95"]
        return f"{value['value']:.2%}  (95 % interval {low:.2%} to {high:.2%}, {value['count']} examples)"
    return f"{value:.4f}"
