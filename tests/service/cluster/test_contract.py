"""The tests of the contract, run as they are against a cluster that serves every model."""

import os
import subprocess
import sys

import pytest

from tests.service.cluster.running import ROOT, running_cluster

pytest.importorskip("ray")
pytestmark = [pytest.mark.tensorflow, pytest.mark.nightly, pytest.mark.timeout(2400)]
# Those that ask the service at the fixture's address; the others start one with settings of their own.
TESTS = (
    "test_client_page.py",
    "test_pages.py",
    "test_task_pages.py",
    "test_export_to_service.py::test_the_curl_lines_of_the_docs_run_as_they_stand",
    "test_export_to_service.py::test_the_client_commands_of_the_course_run_as_they_stand",
)


def test_the_contract_holds_on_a_cluster(models):
    with running_cluster(models, VITRINE_CLUSTER_FRONTS="1") as url:
        result = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
                *(f"tests/contract/{name}" for name in TESTS),
            ],
            cwd=ROOT,
            env={**os.environ, "TESTED_URL": url},
            capture_output=True,
            text=True,
        )

    assert result.returncode == 0, result.stdout[-5000:]
