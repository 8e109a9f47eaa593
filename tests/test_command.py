"""The `vitrine` command: one name for every program, and no import before it is needed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import vitrine_command
from training import jobs
from training.__main__ import main as training
from vitrine_client.__main__ import main as client

ROOT = Path(__file__).parents[1]
HEAVY = ("tensorflow", "keras", "numpy", "scipy", "sklearn", "fastapi", "httpx", "matplotlib")
COMMANDS = [name for parts in vitrine_command.PARTS.values() for p in parts for name in p.commands]


def vitrine(*arguments, program="vitrine_command"):
    path = f"{ROOT}:{ROOT / 'clients/python'}"
    return subprocess.run(
        [sys.executable, "-m", program, *arguments],
        env={"PYTHONPATH": path, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def imported(program):
    """Which heavy packages a program has imported when it ends."""
    ending = f"import sys; print('imported', [name for name in {HEAVY} if name in sys.modules])"
    finished = subprocess.run(
        [sys.executable, "-c", f"{program}\n{ending}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return finished.stdout.splitlines()[-1]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_its_options(name, capsys):
    with pytest.raises(SystemExit) as ended:
        vitrine_command.main([name, "--help"])

    assert ended.value.code == 0
    assert f"usage: vitrine {name}" in capsys.readouterr().out


@pytest.mark.parametrize("part", ["train and export", "use a running service"])
def test_no_command_of_a_part_is_missing(part, capsys):
    program = {"train and export": training, "use a running service": client}[part]
    with pytest.raises(SystemExit):
        program(["--help"])
    listed = [
        line.split()[0]
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("    ") and not line.startswith("     ")
    ]

    [commands] = [p.commands for p in vitrine_command.PARTS[part]]
    assert sorted(listed) == sorted(commands)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_the_help_imports_nothing_heavy(arguments):
    assert imported(f"import vitrine_command; vitrine_command.main({arguments})") == "imported []"


def test_a_layer_is_described_without_tensorflow():
    arguments = "describe --input 28x28x3 --conv 5x5x3".split()
    shown = imported(f"import vitrine_command; vitrine_command.main({arguments})")

    assert "tensorflow" not in shown
    assert "keras" not in shown


def test_a_card_is_described_without_tensorflow():
    shown = imported("import vitrine_command; vitrine_command.main(['describe', 'digits'])")

    assert "tensorflow" not in shown


def test_the_jobs_are_listed_with_a_line_each(capsys):
    assert vitrine_command.main(["jobs"]) == 0
    listed = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]

    assert [name for name, _ in listed] == jobs.names()
    assert all(len(summary) > 20 for _, summary in listed)


def test_an_unknown_command_is_an_error_that_names_it():
    finished = vitrine("detect")

    assert finished.returncode == 2
    assert finished.stderr == "error: there is no command 'detect'; vitrine --help lists them\n"


def test_a_package_that_is_not_installed_is_named_with_what_installs_it(monkeypatch, capsys):
    part = vitrine_command.Part("no_such_package", "clients", {"draw": ""}, False)
    monkeypatch.setattr(vitrine_command, "PARTS", {"": [part]})

    assert vitrine_command.main(["draw"]) == 1
    assert capsys.readouterr().err == (
        "error: vitrine draw needs the package no_such_package, which is not installed; "
        "pip install '.[clients]' installs it\n"
    )


@pytest.mark.tensorflow
@pytest.mark.skipif("TESTED_MODELS" in os.environ, reason="nothing was exported")
def test_no_line_of_tensorflow_precedes_what_an_export_says(models):
    errors, said = ((models.parent / name).read_text() for name in ("errors", "said"))

    assert errors == ""
    assert said.startswith("exported ")
