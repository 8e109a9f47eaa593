"""What collecting the tests costs."""

import pytest


def test_collecting_the_fast_tests_imports_nothing_slow(request):
    if "not tensorflow" not in request.config.option.markexpr:
        pytest.skip("the tests of TensorFlow are collected too")

    assert request.config.imported_at_collection == set()
