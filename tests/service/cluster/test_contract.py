"""The tests of the contract, run as they are against a cluster that serves every model."""

import os
import subprocess
import sys

import pytest

from tests.service.cluster.running import ROOT, copy_models, running_cluster

pytest.importorskip("ray")
pytestmark = [pytest.mark.tensorflow, pytest.mark.nightly, pytest.mark.timeout(2400)]
# Those that ask a service of all released models, wherever it is.
SHARED = (
    "test_openapi.py",
    "test_client_page.py",
    "test_pages.py",
    "test_task_pages.py",
    "test_export_to_service.py::test_the_curl_lines_of_the_docs_run_as_they_stand",
    "test_export_to_service.py::test_the_client_commands_of_the_course_run_as_they_stand",
)
# Those that start a service of models of their own.
OWN = ("test_any_model.py", "test_earlier_exports.py", "test_text.py")


def run(names, **environment):
    result = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *(f"tests/contract/{name}" for name in names),
        ],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout[-5000:]


def test_the_contract_holds_on_a_cluster(models, tmp_path):
    copy_models(models, tmp_path, [folder.name for folder in models.iterdir()])
    (tmp_path / "digits" / "serving.json").write_text('{"labels": {"stable": 1}}')
    with running_cluster(tmp_path, VITRINE_CLUSTER_FRONTS="1") as url:
        run(SHARED, TESTED_URL=url)


def test_models_of_other_kinds_hold_it_too():
    run(OWN, TESTED_MODULE="service.cluster")
