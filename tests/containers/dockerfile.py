"""Reads the Dockerfile of this project: only the instructions it uses, in JSON form where it uses that."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Instruction(NamedTuple):
    """One instruction: RUN, its --flags, and the rest as written."""

    name: str
    flags: dict[str, str]
    text: str

    @property
    def words(self) -> list[str]:
        """The words of an ENV, a COPY or a shell form; the list itself of a JSON form."""
        return json.loads(self.text) if self.text.startswith("[") else shlex.split(self.text)

    @property
    def is_exec_form(self) -> bool:
        """True for ["program", "argument"]: no shell between the engine's signals and the program."""
        return self.text.startswith("[")


@dataclass
class Stage:
    """From one FROM to the next."""

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def every(self, name: str) -> list[Instruction]:
        """All instructions of one kind, in order."""
        return [each for each in self.instructions if each.name == name]

    def last(self, name: str) -> Instruction:
        """The one that counts where a later one replaces an earlier one."""
        return self.every(name)[-1]


def read(path: Path = ROOT / "Dockerfile", **arguments: str) -> dict[str, Stage]:
    """Stages by name, in the order of the file; the last is the default target.

    arguments: --build-arg; absent: what ARG says.
    """
    stages: dict[str, Stage] = {}
    values: dict[str, str] = {}
    for line in _logical_lines(path.read_text()):
        for name, value in values.items():
            line = line.replace(f"${{{name}}}", value)
        instruction = _parse(line)
        if instruction.name == "ARG":
            name, _, default = instruction.text.partition("=")
            values[name] = arguments.get(name, default)
        elif instruction.name == "FROM":
            base, _, name = instruction.words
            stages[name] = Stage(base, name)
        else:
            next(reversed(stages.values())).instructions.append(instruction)
    return stages


def _logical_lines(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [line.strip() for line in joined.splitlines() if line.strip()]


def _parse(line: str) -> Instruction:
    name, _, text = line.partition(" ")
    flags = {}
    while match := re.match(r"--([a-z-]+)=(\S+)\s+", text):
        flags[match[1]] = match[2]
        text = text[match.end() :]
    return Instruction(name, flags, text.strip())
