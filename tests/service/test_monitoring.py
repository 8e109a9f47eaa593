"""The rules and the dashboard of docs/deploy/monitoring ask for metrics that there are."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from service.metrics import Metrics, render

FOLDER = Path(__file__).parents[2] / "docs" / "deploy" / "monitoring"
NAME = re.compile(r"\b(?:vitrine|process)_\w+")


def exported_names():
    families = re.findall(
        r"^# TYPE (\S+) (\w+)$", render(Metrics().snapshot()).decode(), re.MULTILINE
    )
    names = set()
    for name, kind in families:
        suffixes = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        names |= {name + suffix for suffix in suffixes}
    return names


def queries():
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    shown = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert len(shown) > 10
    return [*shown, (FOLDER / "alerts.yml").read_text()]


def test_every_query_asks_for_a_metric_that_is_exported():
    exported = exported_names()

    asked = {name for query in queries() for name in NAME.findall(query)}

    assert asked - exported == set()
    assert "vitrine_requests_total" in asked


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool (Debian: prometheus) is missing")
def test_promtool_accepts_the_rules():
    command = ["promtool", "check", "rules", str(FOLDER / "alerts.yml")]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "6 rules found" in checked.stdout
