"""`models`, `card` and `health`: the served models, their cards, readiness."""

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from vitrine_client.cli.command import VERSION, argument, command
from vitrine_client.cli.options import print_body
from vitrine_client.cli.terminal import printable
from vitrine_client.client import Vitrine
from vitrine_client.models import ListedModel, ModelCard


@command("list the served models")
def models(vitrine: Vitrine, options: argparse.Namespace) -> None:
    """One line for each model."""
    answer = vitrine.models.list()
    if options.json:
        print_body(answer)
        return
    width = max((len(model.id) for model in answer.data), default=0)
    for model in answer.data:
        print(f"{printable(model.id):<{width}}  {_state(model)}")


@command("print the card of a model", argument("model", help="name of the model"), *VERSION)
def card(vitrine: Vitrine, options: argparse.Namespace) -> None:
    """Print a card: the source of the model, its metrics and its layers."""
    answer = vitrine.models.card(
        options.model, version=options.version, version_label=options.version_label
    )
    if options.json:
        print_body(answer)
        return
    for line in _lines(answer):
        print(printable(line))


@command("report whether the service is ready (exit status 1: not ready)")
def health(vitrine: Vitrine, options: argparse.Namespace) -> int:
    """Print whether every model is ready, or the reasons."""
    answer = vitrine.health.ready()
    if options.json:
        print_body(answer)
    else:
        print("ready" if answer.ready else printable(answer.error))
    return 0 if answer.ready else 1


def _state(model: ListedModel) -> str:
    versions = ", ".join(map(str, model.versions))
    readiness = "ready" if model.ready else "not ready"
    return f"{readiness:<9}  {model.task or '?':<16}  versions {versions}"


def _lines(answer: ModelCard) -> Iterator[str]:
    contents = answer.contents
    yield f"{answer.model}  {answer.task}, {answer.framework}"
    yield from (str(contents[name]) for name in ("summary", "description") if contents.get(name))
    data: Mapping[str, Any] = contents.get("data") or {}
    if data:
        split = (
            f"{data[part]:,} {part}" for part in ("train", "validation", "test") if part in data
        )
        yield f"data     {data.get('source', '')}: {', '.join(split)}"
    metrics: Mapping[str, Any] = contents.get("metrics") or {}
    if metrics:
        yield "metrics"
    for name, value in metrics.items():
        if not isinstance(value, list):
            yield f"  {name:<44} {_metric(value)}"
    layers = contents.get("layers") or ()
    if layers:
        yield "layers"
    for row in layers:
        shape = "×".join("?" if size is None else str(size) for size in row["shape"])
        yield f"  {row['name']:<20} {row['type']:<20} {shape:<14} {row['parameters']:>10,}"
    if "parameters" in contents:
        yield f"  {'parameters':<56} {contents['parameters']:>10,}"


def _metric(value: Any) -> str:
    if isinstance(value, dict) and "interval_95" in value:
        low, high = value["interval_95"]
        return f"{value['value']:.2%} (95 % interval {low:.2%} to {high:.2%}, {value['count']:,})"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
