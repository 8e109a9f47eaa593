"""The pages on each task run as they stand, in each language, and print what they say."""

import pytest

from tests.browser.test_page import needs_browser, needs_node
from tests.contract.pages import ROOT, blocks, follow

PAGES = ("digits", "text", "labels", "clothes", "vae", "gan")
WAYS = [
    ("sh", "sh"),
    ("python", "python"),
    pytest.param("js", "node", marks=needs_node),
    pytest.param("js", "browser", marks=[needs_node, needs_browser, pytest.mark.browser]),
]


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("language", "runner"), WAYS)
def test_the_blocks_of_a_page_print_what_it_says(service, tmp_path, name, language, runner):
    chosen = blocks(ROOT / "docs" / f"{name}.md", language)

    printed = follow(runner, chosen, tmp_path, service)

    for block, output in zip(chosen, printed, strict=True):
        assert block.shown is not None or not output, f"{block.place} prints {output}"


@pytest.mark.parametrize("name", PAGES)
def test_the_reference_leads_to_each_page(name):
    assert f"({name}.md)" in (ROOT / "docs" / "api.md").read_text()
