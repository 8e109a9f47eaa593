"""What the monitoring files ask for is what the service counts."""

import re
from pathlib import Path

import pytest

from service.metrics import Metrics

MONITORING = Path(__file__).parents[2] / "docs" / "deploy" / "monitoring"
OPERATIONS = MONITORING.parents[1] / "operations.md"


@pytest.mark.parametrize(
    "file",
    [MONITORING / "alerts.yml", MONITORING / "dashboard.json", OPERATIONS],
    ids=lambda f: f.name,
)
def test_every_metric_that_is_named_exists(file):
    text = Metrics().render().decode()
    known = set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))
    named = set(re.findall(r"\b(?:vitrine|process)_[a-z_]+\b", file.read_text()))

    assert named
    for name in named:
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        assert {name, base} & known, name


def test_a_model_that_is_gone_leaves_no_series():
    metrics = Metrics()
    for model in ("gone", "here"):
        metrics.run_seconds.labels(model).observe(1)
        metrics.loads.labels(model, "ok").inc()
        metrics.versions.labels(model, "1", "AVAILABLE").set(1)

    metrics.forget_model("gone")

    text = metrics.render().decode()
    assert "gone" not in text
    assert 'vitrine_run_seconds_count{model="here"} 1.0' in text
