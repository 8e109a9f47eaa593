"""The Kubernetes objects: valid for the API, consistent with each other and with the image."""

import importlib
import re

import pytest
import yaml

from service.metrics import Metrics, render
from tests.containers.dockerfile import ROOT

FOLDER = ROOT / "docs" / "deploy" / "kubernetes"
BASE = FOLDER / "base"
OWN_SCHEMA = {
    "ServiceMonitor",
    "Kustomization",
    "InferenceService",
    "RayService",
}  # not of the core API
API_VERSION = "1.34"


def objects():
    """Every object of every file, by its file and kind."""
    files = sorted(FOLDER.rglob("*.yaml"))
    return [
        pytest.param(one, id=f"{file.name}-{one['kind']}")
        for file in files
        for one in yaml.safe_load_all(file.read_text())
        if "kind" in one
    ]


def base(kind):
    """The base's only object of a kind."""
    (found,) = (p.values[0] for p in objects() if p.values[0]["kind"] == kind)
    return found


@pytest.mark.parametrize("thing", objects())
def test_every_object_is_valid_for_its_api(thing):
    if thing["kind"] in OWN_SCHEMA:
        assert "/" in thing["apiVersion"]
        return
    import kubernetes_validate

    kubernetes_validate.validate(thing, API_VERSION, strict=True)


def test_the_base_lists_every_file_that_is_there():
    listed = yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"]

    assert sorted(listed) == sorted(
        file.name for file in BASE.glob("*.yaml") if file.name != "kustomization.yaml"
    )


def test_every_selector_finds_the_pods():
    labels = base("Deployment")["spec"]["template"]["metadata"]["labels"]

    assert base("Deployment")["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert base("Service")["spec"]["selector"].items() <= labels.items()
    assert base("PodDisruptionBudget")["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert base("NetworkPolicy")["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    monitored = base("ServiceMonitor")["spec"]["selector"]["matchLabels"]
    assert monitored.items() <= base("Service")["metadata"]["labels"].items()


def test_pods_are_multiplied_by_a_metric_that_the_service_has():
    (rule,) = yaml.safe_load((FOLDER / "prometheus-adapter.yaml").read_text())["rules"]["custom"]
    (metric,) = base("HorizontalPodAutoscaler")["spec"]["metrics"]
    metrics = Metrics()
    metrics.queue_seconds.labels("digits").observe(0.01)
    exposed = set(re.findall(rb"^(\w+)\{", render(metrics.snapshot()), re.MULTILINE))

    assert metric["pods"]["metric"]["name"] == rule["name"]["as"]
    used = {rule["seriesQuery"].partition("{")[0], "vitrine_queue_seconds_count"}
    assert {name.encode() for name in used} <= exposed
    assert set(re.findall(r"vitrine_\w+", rule["metricsQuery"])) <= used


def test_the_ray_service_names_the_front():
    config = yaml.safe_load(base("RayService")["spec"]["serveConfigV2"])
    schema = pytest.importorskip("ray.serve.schema")
    (application,) = schema.ServeDeploySchema.model_validate(config).applications
    module, _, name = application.import_path.partition(":")

    assert callable(getattr(importlib.import_module(module), name))


def test_a_pod_drains_before_it_is_killed():
    spec = base("Deployment")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    environment = {one["name"]: one.get("value") for one in container["env"]}
    waits = container["lifecycle"]["preStop"]["sleep"]["seconds"]

    assert spec["terminationGracePeriodSeconds"] > waits + float(
        environment["VITRINE_DRAIN_SECONDS"]
    )
    assert base("Deployment")["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_probes_ask_the_routes_that_need_no_key():
    (container,) = base("Deployment")["spec"]["template"]["spec"]["containers"]
    paths = {
        name: container[name]["httpGet"]["path"] for name in container if name.endswith("Probe")
    }

    assert paths == {
        "startupProbe": "/v2/health/live",
        "livenessProbe": "/v2/health/live",
        "readinessProbe": "/v2/health/ready",
    }


def test_pods_run_as_the_images_user_without_rights():
    spec = base("Deployment")["spec"]["template"]["spec"]
    (container,) = spec["containers"]

    assert spec["securityContext"]["runAsUser"] == 10001
    assert spec["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
