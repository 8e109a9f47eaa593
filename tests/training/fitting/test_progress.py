"""A training says within an epoch how far it is, and how long the rest will take."""

import pytest

from training.fitting.progress import Progress, in_words

pytestmark = pytest.mark.tensorflow


def test_a_line_comes_every_ten_seconds_with_the_time_left(capsys):
    seconds = iter(range(0, 1000, 4))
    progress = Progress(100, 1100, lambda: next(seconds))  # goes on at step 100

    for step in range(101, 111):
        progress.show(step, f"step {step}")

    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "  step 103, about 66 min left",  # 3 steps in 12 seconds
        "  step 106, about 66 min left",
        "  step 109, about 66 min left",
    ]


def test_durations_are_said_in_words():
    assert [in_words(seconds) for seconds in (12.4, 600, 7200)] == [
        "about 12 s",
        "about 10 min",
        "about 2.0 h",
    ]
