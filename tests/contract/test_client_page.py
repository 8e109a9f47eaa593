"""The page on the Python client runs as it stands, and prints what it says."""

import pytest

from tests.contract.pages import ROOT, blocks, follow


@pytest.mark.tensorflow
@pytest.mark.parametrize("language", ["python", "sh"])
def test_the_blocks_of_the_page_print_what_it_says(service, tmp_path, language):
    chosen = blocks(ROOT / "docs" / "client.md", language)

    printed = follow(language, chosen, tmp_path, service)

    for block, output in zip(chosen, printed, strict=True):
        assert block.shown is not None or not output, f"{block.place} prints {output}"
