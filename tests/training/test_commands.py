"""`python -m training`, as a person types it."""

import dataclasses

import pytest

from training import jobs
from training.__main__ import main
from training.job import Job, JobConfig

pytestmark = pytest.mark.tensorflow


def test_one_filter_has_76_parameters_and_keeps_28_by_28(capsys):
    command = "describe --input 28x28x3 --conv 5x5x3 --padding 2 --stride 1"
    assert main(command.split()) == 0

    out = capsys.readouterr().out
    assert "5·5·3 + 1 bias = 76" in out
    assert "(28 − 5 + 2·2)/1 + 1 = 28" in out
    assert "output shape: 1×28×28×1" in out


def test_stride_2_gives_no_whole_size_and_says_what_happens_then(capsys):
    command = "describe --input 28x28x3 --conv 5x5x3 --padding 2 --stride 2"
    assert main(command.split()) == 0

    out = capsys.readouterr().out
    assert "= 14.5" in out
    assert "'valid' leaves that step out (rounds down): 1×14×14×1" in out
    assert "'same' pads just enough for ⌈size/stride⌉ (rounds up): 1×14×14×1" in out


def test_pooling_a_batch_of_ten_maps(capsys):
    assert main("describe --input 28x28x1 --pool 2 --stride 2 --batch 10".split()) == 0

    assert "10×28×28×1 → 10×14×14×1" in capsys.readouterr().out


def test_describe_prints_the_card_with_the_formulas(capsys):
    assert main(["describe", "digits-course"]) == 0

    out = capsys.readouterr().out
    assert "(5·5·20 + 1)·40 = 20,040; size (12 − 5 + 2·0)/1 + 1 = 8" in out
    assert "test_accuracy" in out
    assert "1,672,570" in out


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("describe", "must have a model's name"),
        ("describe nothing", "got nothing"),
        ("describe --input 28x28x3 --conv 5x5x1", "as many channels as --input (3), got 1"),
        ("describe --input 3x3x1 --conv 5x5x1", "fit into the padded input 3×3, got 5"),
        ("describe --input 28x28x1 --conv 5x5x1 --stride 0", "stride"),
        ("describe --input 2x2x1 --pool 3", "fit into the padded input 2×2, got 3"),
        ("export nothing", "got nothing"),
        ("train digits-course --name ../x --data-dir /nowhere", "got '../x'"),
        ("train digits-course --data-dir /nowhere", "got neither"),
    ],
)
def test_a_wrong_command_gets_one_sentence(capsys, command, message):
    assert main(command.split()) == 1

    assert message in capsys.readouterr().err


def test_an_unknown_option_is_refused_before_anything_starts(capsys):
    with pytest.raises(SystemExit) as ended:
        main("train digits-course --epoch-count 3".split())

    assert ended.value.code == 2
    assert "--epoch-count" in capsys.readouterr().err


@pytest.mark.parametrize("name", jobs.names())
def test_every_job_has_the_same_parts(name):
    job = jobs.load(name)

    assert isinstance(job, Job)
    assert name == job.name
    assert issubclass(job.config, JobConfig)
    assert dataclasses.is_dataclass(job.config)
    assert job.description.partition("\n")[0] == jobs.summary(name)
