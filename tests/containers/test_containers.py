"""What Dockerfile and docker-compose.yml promise and a text can show; run_stages.py executes them."""

import json
import re
from pathlib import Path

import pytest
import yaml

from service.settings import PREFIX, Settings
from tests.containers import dockerfile
from tests.containers.dockerfile import ROOT

STAGES = dockerfile.read()
LOCKS = ("service.lock", "serve-onnx.lock", "cluster.lock")
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
IGNORED = (ROOT / ".dockerignore").read_text().splitlines()


def copies(stage):
    """Sources of the COPY lines that read from this repository."""
    return [s for c in stage.every("COPY") if "from" not in c.flags for s in c.words[:-1]]


def healthcheck():
    return json.loads(STAGES["service"].last("HEALTHCHECK").text.removeprefix("CMD "))


def uid(stage):
    return int(stage.last("USER").text.split(":")[0])


def test_the_default_target_is_the_service():
    assert list(STAGES) == ["runtime", "training", "load", "service"]


def test_the_base_is_a_slim_python_that_the_project_supports():
    assert STAGES["runtime"].base == "python:3.12-slim-bookworm"


@pytest.mark.parametrize("name", ["service", "training"])
def test_containers_run_as_a_numeric_user_who_is_not_root(name):
    user, group = STAGES[name].last("USER").text.split(":")
    assert int(user) > 0
    assert int(group) > 0


def test_models_belong_to_the_trainer_so_the_service_cannot_write_them():
    copied = next(c for c in STAGES["service"].every("COPY") if "from" in c.flags)
    assert copied.flags == {"from": "training", "chown": STAGES["training"].last("USER").text}
    assert uid(STAGES["service"]) != uid(STAGES["training"])


def test_training_has_what_it_imports_of_the_service():
    source = "".join(path.read_text() for path in (ROOT / "training").rglob("*.py"))
    assert re.search(r"^from service\b", source, re.MULTILINE)
    assert "service/" in copies(STAGES["training"])  # all of it, with what those modules import


def test_signals_reach_python_because_no_shell_stands_between():
    for command in (STAGES["service"].last("CMD"), STAGES["training"].last("ENTRYPOINT")):
        assert command.is_exec_form
        assert command.words[:2] == ["python", "-m"]


def test_the_service_copies_neither_training_nor_tests_nor_data():
    shown = [
        "docs/course.md",
        "docs/beta-sweep.png",
        "docs/seven.png",
        "docs/trousers.png",
    ]  # by the page
    assert copies(STAGES["service"]) == ["service/", "clients/web/", *shown]
    assert copies(STAGES["runtime"]) == ["requirements/service.lock"]


def test_every_copied_file_exists_and_reaches_the_builder():
    assert "*" in IGNORED
    for stage in STAGES.values():
        for source in copies(stage):
            assert (ROOT / source).exists()
            path = Path(source)
            assert {f"!{place}" for place in (path, *path.parents)} & set(IGNORED)


def test_nothing_reaches_the_builder_that_is_not_copied():
    every = [STAGES, *(dockerfile.read(LOCK=lock) for lock in LOCKS)]
    sources = {
        s.rstrip("/") for stages in every for stage in stages.values() for s in copies(stage)
    }
    assert {line[1:] for line in IGNORED if line.startswith("!")} <= sources


def test_packages_come_from_the_locks_with_their_hashes():
    installs = [r for s in STAGES.values() for r in s.every("RUN") if "pip" in r.text]
    assert [r.words[-1] for r in installs] == ["requirements/service.lock", "requirements/run.lock"]
    assert all("--require-hashes" in r.words for r in installs)


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_is_a_build_argument(lock):
    stages = dockerfile.read(LOCK=lock)
    assert copies(stages["runtime"]) == [f"requirements/{lock}"]
    assert f"requirements/{lock}" in stages["runtime"].last("RUN").words
    assert stages["service"].base == "runtime"


def test_the_image_without_tensorflow_installs_none():
    assert "\ntensorflow" not in (ROOT / "requirements/serve-onnx.lock").read_text()


def test_the_health_check_is_valid_python_and_asks_the_ready_route():
    program, option, code = healthcheck()
    assert (program, option) == ("python", "-c")
    compile(code, "HEALTHCHECK", "exec")
    assert "'/v2/health/ready'" in code


def test_no_file_names_a_host_to_install_from():
    for name in ("Dockerfile", ".dockerignore", "docker-compose.yml"):
        text = (ROOT / name).read_text()
        assert set(re.findall(r"\w+://([\w.]+)", text)) <= {"127.0.0.1", "service"}


def test_the_port_is_published_to_this_machine_only():
    assert SERVICES["service"]["ports"] == ["127.0.0.1:8000:8000"]
    assert "ports" not in SERVICES["training"]


@pytest.mark.parametrize("name", SERVICES)
def test_containers_are_hardened_and_limited(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert [entry.split(":")[0] for entry in service["tmpfs"]] == ["/tmp"]
    assert {"mem_limit", "pids_limit"} <= set(service)
    assert service["ulimits"] == {"core": 0, "nofile": 8192}


@pytest.mark.parametrize("name", SERVICES)
def test_whatever_is_mounted_from_here_exists(name):
    mounted = [volume.split(":")[0] for volume in SERVICES[name].get("volumes", [])]
    assert all((ROOT / path).exists() for path in mounted if path.startswith("."))


def test_grafana_finds_prometheus_and_the_dashboard():
    folder = ROOT / "docs/deploy/monitoring"
    (source,) = yaml.safe_load((folder / "grafana/datasources/prometheus.yml").read_text())[
        "datasources"
    ]
    (provider,) = yaml.safe_load((folder / "grafana/dashboards/vitrine.yml").read_text())[
        "providers"
    ]
    (scraped,) = yaml.safe_load((folder / "prometheus.yml").read_text())["scrape_configs"]

    assert source["url"].split("/")[2].split(":")[0] in SERVICES
    assert scraped["static_configs"] == [{"targets": ["service:8000"]}]
    assert any(
        volume.startswith("./docs/deploy/monitoring/dashboard.json:" + provider["options"]["path"])
        for volume in SERVICES["grafana"]["volumes"]
    )


def test_the_service_reads_the_models_that_training_writes():
    assert SERVICES["service"]["volumes"] == ["models:/app/models:ro", "serving:/app/serving"]
    assert "models:/app/models" in SERVICES["training"]["volumes"]
    environment = dict(w.split("=") for e in STAGES["service"].every("ENV") for w in e.words)
    assert environment["VITRINE_MODELS"] == "/app/models"


@pytest.mark.parametrize("name", ["service", "training"])
def test_an_empty_models_volume_gets_the_trainer_as_its_owner_from_either_image(name):
    owner = uid(STAGES["training"])
    made = [r.text for r in STAGES[name].every("RUN") if "install -d" in r.text]
    assert [f"install -d -o {owner} -g {owner} models" in text for text in made] == [True]


def test_everything_but_the_service_starts_only_when_asked_for():
    profiles = {
        name: service["profiles"] for name, service in SERVICES.items() if name != "service"
    }
    assert profiles == {
        "training": ["train"],
        "load": ["load"],
        "prometheus": ["monitoring"],
        "grafana": ["monitoring"],
    }
    assert "profiles" not in SERVICES["service"]


def test_every_setting_but_those_of_the_image_is_passed_on():
    fixed = {"host", "port", "models", "serving_dir"}
    settings = {PREFIX + name.upper() for name in Settings.model_fields if name not in fixed}
    assert SERVICES["service"]["environment"] == dict.fromkeys(settings)
