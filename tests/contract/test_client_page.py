"""The README, the page on the Python client and the client's own README run as they stand, and print what they say."""

import pytest

from tests.contract.pages import ROOT, blocks, follow

PAGES = [
    ("README.md", "sh"),
    ("docs/client.md", "python"),
    ("docs/client.md", "sh"),
    ("clients/python/README.md", "python"),
]


@pytest.mark.tensorflow
@pytest.mark.parametrize(("page", "language"), PAGES)
def test_the_blocks_of_the_page_print_what_it_says(service, tmp_path, page, language):
    chosen = blocks(ROOT / page, language)

    assert len(follow(language, chosen, tmp_path, service)) == len(chosen)


@pytest.mark.parametrize(("page", "language"), PAGES)
def test_the_page_shows_what_at_least_one_block_prints(page, language):
    assert any(block.shown for block in blocks(ROOT / page, language))
