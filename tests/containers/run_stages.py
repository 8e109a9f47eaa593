"""Executes the Dockerfile without a container engine: each stage in a copy of a bare Debian root.

    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm DIR
    python tests/containers/run_stages.py --root DIR --scratch FOLDER [--copy FILE …] [--bind FOLDER …]

For maintainers, as root, on Linux, with about 7 GB free. RUN lines are executed as they stand; then
the service's CMD is process 1 of its own namespace, as its USER, without capabilities, its root and
its models mounted read-only, as docker-compose.yml asks. The network is this machine's, so it listens
on 127.0.0.1 only. What this cannot tell: what another Python than Debian's makes of the locks, and
anything about limits, networks and the engine itself.
"""

import argparse
import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import dockerfile
from dockerfile import ROOT, Instruction, Stage

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # of the python images
HARDENED = "setpriv --reuid {0} --regid {1} --clear-groups --bounding-set=-all --no-new-privs"
MODELS, RUNS = "/app/models", "/app/runs"


@dataclass
class Image:
    """A root directory and what the engine would keep beside it."""

    root: Path
    env: dict[str, str] = field(default_factory=lambda: {"PATH": PATH, "HOME": "/"})
    workdir: str = "/"
    user: str = "0:0"

    def inside(self, path: str) -> Path:
        """Where a path of the image is on this machine."""
        return self.root / (Path(self.workdir) / path).relative_to("/")


class Builder:
    """Builds stages one after the other, as an engine does with --target."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.images: dict[str, Image] = {}
        self.host_env = {name: os.environ[name] for name in options.env if name in os.environ}

    def build(self, stage: Stage) -> Image:
        """Execute one stage's instructions in a copy of its base."""
        base = self.images.get(stage.base) or Image(self.options.root)
        image = Image(self.options.scratch / stage.name, dict(base.env), base.workdir, base.user)
        subprocess.run(["cp", "-a", base.root, image.root], check=True)
        if stage.base not in self.images:
            self._prepare(image)
        self.images[stage.name] = image
        for instruction in stage.instructions:
            self._execute(instruction, image)
        return image

    def _prepare(self, image: Image) -> None:
        """Make Debian's root look like a python image: `python` and `pip` in /usr/local/bin."""
        for path in self.options.copy:
            target = image.root / path.relative_to("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
        if not (image.root / "usr/local/bin/python").exists():
            subprocess.run(in_root(image, ["python3", "-m", "venv", "/usr/local"]), check=True)

    def _execute(self, instruction: Instruction, image: Image) -> None:
        match instruction.name:
            case "ENV":
                image.env |= dict(word.split("=", 1) for word in instruction.words)
            case "WORKDIR":
                image.workdir = instruction.text
                image.inside(".").mkdir(parents=True, exist_ok=True)
            case "USER":
                image.user = instruction.text
            case "COPY":
                self._copy(instruction, image)
            case "RUN":
                self._run(instruction, image)
            case "CMD" | "ENTRYPOINT" | "HEALTHCHECK" | "EXPOSE":
                pass  # for a container, not for the image
            case other:
                raise SystemExit(f"this script does not know {other}; teach it")

    def _copy(self, instruction: Instruction, image: Image) -> None:
        *sources, target = instruction.words
        before = self.images.get(instruction.flags.get("from", ""))
        for source in sources:
            path = before.inside(source) if before else ROOT / source
            goal = image.inside(target) / ("" if path.is_dir() else path.name)
            goal.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "-aT", path, goal], check=True)
            subprocess.run(["chown", "-R", instruction.flags.get("chown", "0:0"), goal], check=True)
            for cache in [] if before else list(goal.rglob("__pycache__")):
                shutil.rmtree(cache)  # as .dockerignore has it

    def _run(self, instruction: Instruction, image: Image) -> None:
        started = time.monotonic()
        binds = [(folder, str(folder), "ro") for folder in self.options.bind]
        command = in_root(image, ["/bin/sh", "-c", instruction.text], binds, env=self.host_env)
        subprocess.run(command, check=True)
        report(f"RUN {instruction.text[:60]}… took {time.monotonic() - started:.0f} s")


def in_root(image, command, binds=(), env=None, hardened=False) -> list[str]:
    """Wrap `command`: own mounts and processes, the image's root, environment, folder and user.

    binds: (folder of this machine, path in the image, "ro" or "rw").
    hardened: root read-only, /tmp in memory, no capabilities, no new privileges.
    """
    root = shlex.quote(str(image.root))
    lines = ["set -e", f"mount --bind {root} {root}", f"mount -t proc proc {root}/proc"]
    lines += [f"mount -t tmpfs -o mode=1777,size=64m tmpfs {root}/dev/shm"]
    for folder, path, mode in binds:
        target = shlex.quote(f"{image.root}{path}")
        lines += [f"mkdir -p {target}", f"mount --bind {shlex.quote(str(folder))} {target}"]
        lines += [f"mount -o remount,bind,{mode} {target}"]
    if hardened:
        lines += [f"mount -t tmpfs -o mode=1777,size=256m tmpfs {root}/tmp"]
        lines += [f"mount -o remount,bind,ro {root}"]
    uid, gid = image.user.split(":")
    drop = HARDENED if hardened else "setpriv --reuid {0} --regid {1} --clear-groups"
    variables = [f"{name}={value}" for name, value in {**image.env, **(env or {})}.items()]
    inner = shlex.join(["env", "-i", *variables, *drop.format(uid, gid).split(), *command])
    entry = f"cd {shlex.quote(image.workdir)} && umask 022 && exec {inner}"
    lines += [f"exec chroot {root} /bin/sh -c {shlex.quote(entry)}"]
    isolate = "unshare --mount --pid --fork --kill-child /bin/sh -c".split()
    return [*isolate, "\n".join(lines)]


@contextlib.contextmanager
def running(image, stage, models, port):
    """Start the service's CMD; yield the process that waits for it, and never leave it behind."""
    env = {"VITRINE_PORT": str(port), "VITRINE_HOST": "127.0.0.1"}
    command = in_root(image, stage.last("CMD").words, [(models, MODELS, "ro")], env, hardened=True)
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        for pid in children(process):
            os.kill(pid, signal.SIGKILL)  # and with process 1 its whole namespace
        process.wait()


def main() -> None:
    """Build every stage, then serve, train and stop."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True, help="what debootstrap made")
    parser.add_argument("--scratch", type=Path, required=True, help="new folder for the stages")
    parser.add_argument("--copy", type=Path, nargs="*", default=[], help="pip's files, resolver, …")
    parser.add_argument("--bind", type=Path, nargs="*", default=[], help="package folders for RUN")
    parser.add_argument("--env", nargs="*", default=[], help="names of variables RUN lines need")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--lock", default="service.lock", help="build argument LOCK")
    parser.add_argument("--train", nargs="...", default=[], help="last: run the trainer with this")
    options = parser.parse_args()
    options.root, options.scratch = options.root.resolve(), options.scratch.resolve()
    options.scratch.mkdir(parents=True)
    builder, stages = Builder(options), dockerfile.read(LOCK=options.lock)
    for stage in stages.values():
        image = builder.build(stage)
        report(f"stage {stage.name}: {megabytes(image.root)} MB")
    check_content(builder.images["service"])
    serve(builder.images, stages, options)


def check_content(image: Image) -> None:
    """The service's image holds what it needs, and nothing of /app is its user's to write."""
    found = {path.relative_to(image.inside(".")) for path in image.inside(".").glob("*")}
    found |= {path.relative_to(image.inside(".")) for path in image.inside("clients").glob("*")}
    expected = {"requirements", "service", "clients", "clients/web", "docs", "models", "serving"}
    assert found == {Path(name) for name in expected}, found
    uid = int(image.user.split(":")[0])
    for path in image.inside(".").rglob("*"):
        status = path.stat()
        if path == image.inside("serving"):  # the only place that is its own
            continue
        assert status.st_uid != uid, f"{path} is the service's own"
        assert not status.st_mode & 0o022, f"{path} can be written"
        assert status.st_mode & 0o004, f"{path} cannot be read"
    report("/app of the service: as promised, readable, not writable")


def serve(images, stages, options) -> None:
    """Serve from a volume that took over the image's models, add versions to it, stop."""
    models, runs = options.scratch / "volume-models", options.scratch / "volume-runs"
    subprocess.run(["cp", "-a", images["service"].inside(MODELS), models], check=True)
    subprocess.run(["cp", "-a", images["training"].inside(RUNS), runs], check=True)
    started = time.monotonic()
    with running(images["service"], stages["service"], models, options.port) as process:
        wait_until_healthy(images["service"], stages["service"], options.port, process)
        report(f"healthy after {time.monotonic() - started:.1f} s; {describe(*children(process))}")
        report(f"answer: {json.dumps(classify(options.port))[:200]}")
        for arguments in filter(None, [["export", "digits"], options.train]):
            command = [*stages["training"].last("ENTRYPOINT").words, *arguments]
            binds = [(models, MODELS, "rw"), (runs, RUNS, "rw")]
            subprocess.run(in_root(images["training"], command, binds, hardened=True), check=True)
        wait_for_version(2, options.port)
        report("a version that the training container exported is served")
        stop(process)


def wait_until_healthy(image, stage, port, process) -> None:
    """Call the HEALTHCHECK's command, as the engine does, until it succeeds."""
    probe = Instruction("CMD", {}, stage.last("HEALTHCHECK").text.removeprefix("CMD ")).words
    command = in_root(image, probe, env={"VITRINE_PORT": str(port)}, hardened=True)
    deadline = time.monotonic() + 120
    while subprocess.run(command, stderr=subprocess.DEVNULL).returncode:
        assert process.poll() is None, f"the service ended with {process.returncode}"
        assert time.monotonic() < deadline, "not healthy after two minutes"
        time.sleep(0.2)


def classify(port: int) -> dict:
    """Post an image of a seven."""
    url = f"http://127.0.0.1:{port}/v1/digits/classify"
    image = (ROOT / "docs" / "seven.png").read_bytes()
    with urllib.request.urlopen(url, image, timeout=30) as response:
        return json.load(response)


def wait_for_version(version: int, port: int) -> None:
    """The service looks at its folder once a second and loads what is new."""
    deadline = time.monotonic() + 60
    while (served := classify(port)["model"]["version"]) != version:
        assert time.monotonic() < deadline, f"still version {served}"
        time.sleep(0.5)


def stop(process: subprocess.Popen) -> None:
    """SIGTERM to process 1 of the container, as `docker stop` does; it must end by itself, with 0."""
    started = time.monotonic()
    os.kill(*children(process), signal.SIGTERM)
    status = process.wait(timeout=30)
    report(f"stopped {time.monotonic() - started:.1f} s after SIGTERM with status {status}")
    assert status == 0


def children(process: subprocess.Popen) -> list[int]:
    """The one process that unshare forked, number 1 in there, by its number out here; [] if it ended."""
    try:
        found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(pid) for pid in found.split()]


def describe(pid: int) -> str:
    """What the kernel says about user, capabilities, memory and threads."""
    wanted = ("Uid", "NSpid", "CapEff", "CapBnd", "NoNewPrivs", "VmRSS", "Threads")
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return ", ".join(" ".join(line.split()) for line in lines if line.startswith(wanted))


def megabytes(root: Path) -> int:
    """Space that a root takes."""
    return int(subprocess.check_output(["du", "-sxm", root]).split()[0])


def report(message: str) -> None:
    """Say what was found, between the output of the commands."""
    print(f"*** {message}", flush=True)


if __name__ == "__main__":
    main()
