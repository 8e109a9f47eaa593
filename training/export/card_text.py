"""The model card as text for a terminal. Does not need Keras."""

import statistics
from typing import Any


def render(card: dict[str, Any]) -> str:
    """The card as text for a terminal, 100 columns."""
    data, lines = card["data"], [f"{card['job']}: {card['summary']}", ""]
    lines += [f"  {card['description']}", ""] if card["description"] else []
    lines.append(f"data           {data['source']}")
    parts = [f"{data[p]:,} {p}" for p in ("train", "validation", "test") if p in data]
    lines += [f"split          {', '.join(parts)}"] if parts else []
    lines += [f"               {data['note']}"] if "note" in data else []
    lines += [f"{name:<14} {text}" for name, text in card.get("provenance", {}).items()]
    settings = ", ".join(f"{name} {value!r}" for name, value in card["configuration"].items())
    lines.append(f"configuration  {settings}")
    lines += [f"command        {card['command']}"] if "command" in card else []
    for name, shape in card["history"].get("shapes", {}).items():
        lines.append(f"  {name:<12} {shape}")
    lines += ["", "metrics"]
    lines += [
        f"  {name:<42} {_metric(value)}"
        for name, value in card["metrics"].items()
        if not isinstance(value, list)
    ]
    lines += _seeds(card.get("seeds", [])) + _sweep(card.get("beta_sweep", []))
    lines += _comparison(card.get("comparison", []))
    lines += ["", f"{'layer':<10} {'type':<14} {'output shape':<14} {'parameters':>10}  formula"]
    for row in card["layers"]:
        shape = "×".join("T" if size is None else str(size) for size in row["shape"])
        lines.append(
            f"{row['name']:<10} {row['type']:<14} {shape:<14} {row['parameters']:>10,}  {row['formula']}"
        )
    lines.append(f"{'total':<40} {card['parameters']:>10,}")
    lines += _samples(card["history"].get("samples", []))
    return "\n".join(lines)


def _samples(samples: list[dict[str, Any]]) -> list[str]:
    """A character model's samples during training, at the middle diversity, one line each."""
    lines = ["", "written at diversity 0.5, after"] if samples else []
    return lines + [f"  {one['when']:<10} {one['0.5'][:86]!r}" for one in samples]


def _seeds(seeds: list[dict[str, float]]) -> list[str]:
    """Mean and standard deviation of each metric over trainings with other seeds."""
    names = [name for name in (seeds[0] if seeds else {}) if name != "seed"]
    lines = ["", f"the same recipe with {len(seeds)} seeds"] if names else []
    for name in names:
        values = [seed[name] for seed in seeds]
        spread = f"± {statistics.stdev(values):.5f}" if len(values) > 1 else ""
        lines.append(f"  {name:<34} {statistics.mean(values):.5f} {spread}")
    return lines


def _sweep(rows: list[dict[str, float]]) -> list[str]:
    """Results of a small autoencoder for each β, one line each."""
    lines = ["", "a small one with each β, validation split"] if rows else []
    for row in rows:
        numbers = (f"{name} {number:g}" for name, number in row.items() if name != "beta")
        lines.append(f"  β {row['beta']:<4g} {', '.join(numbers)}")
    return lines


def _comparison(rows: list[dict[str, Any]]) -> list[str]:
    """Results of alternative classifiers, one line each."""
    lines = ["", "beside other ways: test accuracy, size, one image"] if rows else []
    for row in rows:
        size, took = f"{row['kilobytes']:,.0f} kB", f"{row['milliseconds_a_picture']:.1f} ms"
        lines.append(f"  {row['way']:<42} {row['test_accuracy']['value']:.2%} {size:>10} {took:>9}")
    return lines


def _metric(value: Any) -> str:
    if isinstance(value, dict):
        low, high = value["interval_95"]
        return f"{value['value']:.2%}  (95 % interval {low:.2%} to {high:.2%}, {value['count']} examples)"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
