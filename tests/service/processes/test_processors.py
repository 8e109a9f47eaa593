"""How many processors may be used."""

import pytest

from service.processes.processors import available_processors


@pytest.mark.parametrize(("limit", "expected"), [("100000 100000", 1), ("50000 100000", 1)])
def test_a_control_group_limits_them(tmp_path, limit, expected):
    file = tmp_path / "cpu.max"
    file.write_text(limit)

    assert available_processors(file) == expected


@pytest.mark.parametrize("content", ["max 100000", "", None])
def test_without_a_limit_there_is_at_least_one(tmp_path, content):
    file = tmp_path / "cpu.max"
    if content is not None:
        file.write_text(content)

    assert available_processors(file) >= 1
