"""What a reader of the docs does: takes the blocks of a page, runs them, compares what they print.

The blocks of one language are one program, top to bottom. A block marked `text` is what the block
before it prints: `…` stands for anything, and a space or a line's end for any space or none.
"""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import vitrine_command

ROOT = Path(__file__).parents[2]
ADDRESS = "http://127.0.0.1:8000"  # what the pages say
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMANDS = "commands"
MARK = "--- the end of a block ---"
LOGGED = f"\nconsole.log({MARK!r});\n"
IN_BROWSER = Path(__file__).with_name("in_browser.mjs")
# What runs a program, and the statement that ends a block of it.
RUNNERS = {
    "sh": (["sh", "-ec"], f"\nprintf '\\n{MARK}\\n'\n"),
    "python": ([sys.executable, "-c"], f"\nprint({MARK!r})\n"),
    "node": (["node", "--input-type=module", "-e"], LOGGED),
    "browser": (["node", str(IN_BROWSER)], LOGGED),
}


class Block(NamedTuple):
    """A piece of a program on a page, and what the page says it prints."""

    place: str  # page and line
    text: str
    shown: str | None


def blocks(page: Path, language: str) -> list[Block]:
    """The blocks of one language, in their order."""
    content = page.read_text()
    found = list(FENCE.finditer(content))
    after = [*found[1:], None]
    return [
        Block(
            f"{page.name}:{content.count(chr(10), 0, one.start()) + 1}",
            one[2],
            following[2] if following and following[1] == "text" else None,
        )
        for one, following in zip(found, after, strict=True)
        if one[1] == language
    ]


def follow(runner: str, chosen: list[Block], folder: Path, url: str = ADDRESS) -> list[str]:
    """Run blocks beside `docs/`, asking the service at `url`; what each printed."""
    assert chosen
    command, mark = RUNNERS[runner]
    program = "".join(block.text.replace(ADDRESS, url) + mark for block in chosen)
    finished = subprocess.run(
        [*command, program],
        cwd=reader(folder),
        env=_environment(url, folder),
        capture_output=True,
        text=True,
        timeout=900,
    )
    *printed, rest = finished.stdout.split(MARK)
    last = chosen[min(len(printed), len(chosen) - 1)].place
    assert finished.returncode == 0, f"{last}\n{rest}\n{finished.stderr}"
    for block, output in zip(chosen, printed, strict=True):
        _check(block, output)
    return [output.strip() for output in printed]


def follow_commands(chosen: list[Block], folder: Path) -> None:
    """Run shell blocks beside `docs/`, their `vitrine` commands in this process: each process would import TensorFlow."""
    for block in chosen:
        with contextlib.chdir(reader(folder)), contextlib.redirect_stdout(io.StringIO()) as output:
            for line in block.text.splitlines():
                if line.startswith("vitrine "):
                    assert vitrine_command.main(shlex.split(line)[1:]) == 0, f"{block.place} {line}"
                else:
                    subprocess.run(["sh", "-ec", line], check=True)
        _check(block, output.getvalue())


def _check(block: Block, output: str) -> None:
    if block.shown is not None:
        assert _pattern(block.shown).fullmatch(output.strip()), f"{block.place}\n{output}"


def reader(folder: Path) -> Path:
    """The folder itself, with `docs/` and `clients/` in it as in a clone, and `vitrine` in a folder of commands."""
    for name in ("docs", "clients"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    if not (folder / COMMANDS).exists():
        (folder / COMMANDS).mkdir()
        command = folder / COMMANDS / "vitrine"
        command.write_text(f"#!/bin/sh\nexec '{sys.executable}' -m vitrine_command \"$@\"\n")
        command.chmod(0o755)
    return folder


def _environment(url: str, folder: Path) -> dict[str, str]:
    """`python` and `vitrine` are those of this checkout; nothing goes to a proxy."""
    inherited = {name: value for name, value in os.environ.items() if "VITRINE" not in name}
    commands = (str(folder / COMMANDS), str(Path(sys.executable).parent), os.environ["PATH"])
    path = os.pathsep.join(commands)
    modules = f"{ROOT}{os.pathsep}{ROOT / 'clients' / 'python'}"
    ours = {"PATH": path, "PYTHONPATH": modules, "VITRINE_URL": url}
    return {**inherited, **ours, "no_proxy": "*", "NO_PROXY": "*"}


def _pattern(shown: str) -> re.Pattern[str]:
    parts = re.split(r"(…|\s+)", shown.strip())
    wild = {"…": ".*?"}
    return re.compile(
        "".join(wild.get(p, r"\s*" if p.isspace() else re.escape(p)) for p in parts), re.DOTALL
    )
