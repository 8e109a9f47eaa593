"""Imports an uploaded model in a separate process with limited time and memory."""

import asyncio
import contextlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from service.errors import InvalidValue, Overloaded, ReadOnly

IMPORT_SECONDS = 180  # of processor time
STUCK_SECONDS = 900  # elapsed: the processors may be busy with others
IMPORT_BYTES = 4 * 2**30  # of data; TensorFlow alone takes 0.5 GiB
SUFFIXES = {b"PK\x03\x04": ".keras", b"\x89HDF\r\n\x1a\n": ".h5"}
LAST_ERROR = re.compile(r"^(?:\w+ import: )?error: (.*)", re.MULTILINE)

_importing = asyncio.Lock()  # one at a time: each takes a processor and a gigabyte


async def import_model(models: Path, name: str, file: bytes, options: dict[str, str]) -> None:
    """Import a file to `<models>/<name>/1` with `vitrine import`, completely or not at all.

    options: of `vitrine import`, such as {"task": "digits"}.

    Raises:
        InvalidValue: it is not a Keras file, or `vitrine import` refused it.
        Overloaded: another model is being imported.
        ReadOnly: the models folder cannot be written.
    """
    suffix = next((s for magic, s in SUFFIXES.items() if file.startswith(magic)), "")
    if not suffix:
        raise InvalidValue("the body must be a .keras or .h5 file, got something else")
    if _importing.locked():
        raise Overloaded("another model is being imported; try again in 30 s", 30)
    async with _importing:
        with _scratch(models) as scratch:
            source = scratch / f"uploaded{suffix}"
            source.write_bytes(file)
            arguments = [f"--{key.replace('_', '-')}={value}" for key, value in options.items()]
            await _run(scratch, [str(source), f"--name={name}", *arguments])
            try:
                (scratch / "models" / name).rename(models / name)
            except OSError:
                raise InvalidValue(f"model must be a new name, got {name!r}") from None


@contextlib.contextmanager
def _scratch(models: Path) -> Iterator[Path]:
    """A folder on the same disk that the service ignores."""
    try:
        folder = Path(tempfile.mkdtemp(dir=models, prefix=".upload-"))
    except OSError:
        raise ReadOnly(
            "VITRINE_MODELS must be writable for uploads, got a read-only folder"
        ) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _run(scratch: Path, arguments: list[str]) -> None:
    """Run `vitrine import` without the settings and keys of the service."""
    command = [sys.executable, "-m", "service.processes.limited", str(IMPORT_SECONDS)]
    command += [str(IMPORT_BYTES), sys.executable, "-m", "training", "import", *arguments]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("VITRINE_")}
    environment |= {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), *sys.path])),
        "HOME": str(scratch),
    }
    process = await asyncio.create_subprocess_exec(
        *(*command, f"--models={scratch / 'models'}"),
        cwd=scratch,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(STUCK_SECONDS):
            _, errors = await process.communicate()
    except TimeoutError:
        raise InvalidValue(f"importing must end within {STUCK_SECONDS} s, it did not") from None
    finally:
        if process.returncode is None:  # too late, or the caller has gone
            process.kill()
            await process.wait()
    if process.returncode:
        found = LAST_ERROR.findall(errors.decode(errors="replace").replace(f"{scratch}/", ""))
        why = found[-1] if found else "it ended the process that read it (too large, or broken)"
        raise InvalidValue(f"the model cannot be imported: {why[:500]}")
