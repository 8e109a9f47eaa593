"""The compared servers: how each is started, and its request for each task.

The service with one and with two workers, a plain FastAPI endpoint that calls TensorFlow once per request (`signature`),
one without a network (`decode-only`), and other servers that are installed for the interpreter in `--peers`.
"""

import contextlib
import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from clients.benchmark.engines import newest_version
from clients.benchmark.peer_formats import as_form, as_form_of_several, as_inference
from clients.load.scenario import Scenario, ask_once, has_rows, scenarios
from clients.load.server_process import Server, free_target, passed_on
from clients.load.target import Target

MODEL = "digits-course"  # the network that every server runs for digits
REFERENCE = "signature"
DECODE_ONLY = "decode-only"
OURS = "vitrine"
DRAWING = "280×280"
DIGITS = ("28×28", DRAWING)
IMAGES = (*DIGITS, "photo", "clothing")
# Job → scenario, and the model that it needs.
JOBS = {
    "28×28": ("digit", MODEL),
    "280×280": ("drawing", MODEL),
    "photo": ("photo", "labels"),
    "clothing": ("clothing", "fashion-dense"),
    "text": ("paragraph", "text"),
    "vae": ("vae", "vae"),
    "gan": ("gan", "gan"),
}
MODULE = "clients.benchmark.peer_servers"


class Peer(NamedTuple):
    """How another server is started and asked."""

    engines: tuple[str, ...]
    command: tuple[str, ...]  # the interpreter's arguments, before the port
    path: str = "/predict"
    adapt: Callable[[Scenario], Scenario] = lambda scenario: scenario


PEERS = {
    "mosec": Peer(("tensorflow", "onnx"), ("-m", f"{MODULE}.mosec_server", "--port"), "/inference"),
    "litserve": Peer(("onnx",), ("-m", f"{MODULE}.litserve_server"), adapt=as_form),
    "ray": Peer(("onnx",), ("-m", f"{MODULE}.ray_server")),
    "bentoml": Peer(
        ("onnx",),
        (
            "-m",
            "bentoml",
            "serve",
            f"{MODULE}.bentoml_server:Digit",
            "--host",
            "127.0.0.1",
            "--port",
        ),
        adapt=as_form_of_several,
    ),
    "mlserver": Peer(
        ("onnx",), ("-m", f"{MODULE}.mlserver_server"), "/v2/models/digit/infer", as_inference
    ),
}


class Contestant(NamedTuple):
    """A server: its command for a port, its path for each task, and its environment."""

    name: str
    command: Callable[[int], list[str]]
    paths: Mapping[str, str]  # job → path; it does no other jobs
    environ: dict[str, str]
    adapt: Callable[[Scenario], Scenario] = lambda scenario: scenario  # its format of an image

    def asked(self, job: str, all_scenarios: Mapping[str, Scenario]) -> Scenario:
        """The scenario of a task in this server's format."""
        scenario = all_scenarios[JOBS[job][0]]
        if (
            job == DRAWING and not self.is_ours
        ):  # others see no seven, as they do not look for the ink
            scenario = scenario._replace(is_right=has_rows("predictions", 1))
        return self.adapt(scenario)._replace(path=self.paths[job])

    @property
    def is_ours(self) -> bool:
        """Whether it is this project's service."""
        return self.name.startswith(OURS)

    @property
    def is_peer(self) -> bool:
        """Whether it is another project's server that performs the whole task."""
        return not self.is_ours and self.name not in (REFERENCE, DECODE_ONLY)


def contestants(models: Path, pythons: Sequence[str]) -> list[Contestant]:
    """Those that can start here; pythons: interpreters that have other servers."""
    jobs = [job for job, (_, model) in JOBS.items() if (models / model).is_dir()]
    found = [ours(jobs, MODEL, n) for n in (1, 2)] + [_signature(jobs), decode_only(jobs)]
    version = {"BENCHMARK_MODEL": str(newest_version(models, MODEL).resolve())}
    for python, package in itertools.product(pythons, PEERS):
        for engine in PEERS[package].engines:
            needed = "onnxruntime" if engine == "onnx" else engine
            if _has(python, package, needed):
                found.append(_peer(python, package, engine, version))
    return found


def ours(jobs: Sequence[str], model: str = "", workers: int = 0) -> Contestant:
    """The service; without a model and workers as its settings are."""
    paths = {job: scenario.path for job, scenario in _scenarios_of(jobs).items()}
    paths |= {job: f"{paths[job]}?model={model}" for job in DIGITS if model and job in paths}
    environ = {"VITRINE_LOG_LEVEL": "warning"}
    environ |= {"VITRINE_WORKERS": str(workers)} if workers else {}
    name = f"{OURS}, {workers} worker{'s' if workers > 1 else ''}" if workers else OURS
    return Contestant(name, lambda _: [sys.executable, "-m", "service"], paths, environ)


def decode_only(jobs: Sequence[str]) -> Contestant:
    """The server without a model, which only decodes images."""
    paths = {job: scenario.path for job, scenario in _scenarios_of(jobs).items() if job in IMAGES}
    command = [sys.executable, "-m", "clients.benchmark.decode_only_server"]
    return Contestant(DECODE_ONLY, lambda port: [*command, str(port)], paths, {})


def _scenarios_of(jobs: Sequence[str]) -> dict[str, Scenario]:
    every = scenarios()
    return {job: every[JOBS[job][0]] for job in jobs}


def _signature(jobs: list[str]) -> Contestant:
    paths = {job: "/predict" if job in DIGITS else f"/{job}" for job in jobs}
    command = [sys.executable, "-m", "clients.benchmark.peer_servers.signature"]
    return Contestant(REFERENCE, lambda port: [*command, str(port)], paths, {})


def _peer(python: str, package: str, engine: str, version: dict[str, str]) -> Contestant:
    peer = PEERS[package]
    command = [python, *peer.command]
    return Contestant(
        f"{package} ({engine})",
        lambda port: [*command, str(port)],
        dict.fromkeys(DIGITS, peer.path),
        version | {"BENCHMARK_ENGINE": engine},
        peer.adapt,
    )


def _has(python: str, *modules: str) -> bool:
    find = "import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, sys.argv[1:])))"
    return subprocess.run([python, "-c", find, *modules], check=False).returncode == 0


def start(stack: contextlib.ExitStack, one: Contestant) -> Server:
    """Start a server and wait for its first right answer."""
    target = free_target()
    environ = {"VITRINE_PORT": str(target.port), "PYTHONPATH": str(Path.cwd()), **one.environ}
    asked = one.asked(DIGITS[0], scenarios())

    def is_ready() -> bool:
        with contextlib.suppress(OSError, ValueError):
            check_answer(asked, target)
            return True
        return False

    command = one.command(target.port)
    return stack.enter_context(Server(command, passed_on() | environ, target, is_ready))


def check_answer(scenario: Scenario, target: Target, patience_s: float = 0.0) -> None:
    """ValueError if a scenario is answered wrongly, or its model still loads after `patience_s`."""
    give_up = time.monotonic() + patience_s
    while (answer := ask_once(scenario, target)).status == 503 and time.monotonic() < give_up:
        time.sleep(0.05)
    if answer.status != 200 or not scenario.is_right(answer.body):
        text = answer.body[:300].decode(errors="replace")
        raise ValueError(f"{scenario.name!r} was answered wrongly, {answer.status}: {text}")
