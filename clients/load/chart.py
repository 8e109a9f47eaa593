"""Draws latency and throughput over load as one PNG.

Two panels for each scenario: latency (logarithmic; median and 99th percentile) and correct answers
per second, with the diagonal on which they equal the due requests. One colour per
target; the knee is a dotted vertical line.
"""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from clients.load.ladder import knee
from clients.load.step_summary import Step

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANEL_INCHES = (4.0, 2.1)  # width, height
Curves = Mapping[str, Sequence[Step]]  # by target


def draw(charts: Mapping[str, Curves]) -> bytes:
    """Scenario → target → steps, as a PNG."""
    width, height = PANEL_INCHES
    figure = new_figure(2 * width, height * len(charts))
    panels = figure.subplots(len(charts), 2, squeeze=False)
    for (latency, throughput), (scenario, curves) in zip(panels, charts.items(), strict=True):
        _draw_latency(latency, f"{scenario}: latency, ms", curves)
        _draw_throughput(throughput, f"{scenario}: right answers/s", curves)
    return as_png(figure)


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure; inches of 100 pixels."""
    from matplotlib.figure import Figure  # half a second to import, for this alone

    return Figure((width, height), dpi=100, layout="constrained")


def as_png(figure: "Figure") -> bytes:
    """Its file."""
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return content.getvalue()


def _draw_latency(panel: Any, title: str, curves: Curves) -> None:
    panel.set_yscale("log")
    for number, (name, steps) in enumerate(curves.items()):
        answered = [step for step in steps if step.latency_ms]
        rates = [step.rate for step in answered]
        for key, style in (("p50", "o-"), ("p99", "--")):
            values = [step.latency_ms[key] for step in answered]
            panel.plot(rates, values, style, color=f"C{number}", label=f"{name} {key}")
    _finish(panel, title, curves)


def _draw_throughput(panel: Any, title: str, curves: Curves) -> None:
    highest = max(step.rate for steps in curves.values() for step in steps)
    panel.plot([0, highest], [0, highest], color="lightgrey")
    for number, (name, steps) in enumerate(curves.items()):
        right = [step.right_per_s for step in steps]
        panel.plot([step.rate for step in steps], right, "o-", color=f"C{number}", label=name)
    _finish(panel, title, curves)


def _finish(panel: Any, title: str, curves: Curves) -> None:
    for number, steps in enumerate(curves.values()):
        bend = knee(steps)
        if bend is not None:
            panel.axvline(bend.rate, color=f"C{number}", linestyle=":")
    panel.set_title(title, fontsize="small")
    panel.set_xlabel("requests due per second", fontsize="small")
    panel.tick_params(labelsize="small")
    panel.legend(fontsize="x-small")
