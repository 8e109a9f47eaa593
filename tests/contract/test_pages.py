"""A page that does not do what it says is caught, and the block is named."""

import pytest

from tests.contract.pages import blocks, follow

PAGE = """# Sums

```sh
number=2
```

```python
print("never run by the shell")
```

```sh
echo "{\\"sum\\": $((number + 2)), \\"asked\\": \\"$VITRINE_URL http://127.0.0.1:8000\\"}"
```

```text
{"sum": SUM,
 "asked": "…"}
```
"""


@pytest.fixture
def page(tmp_path):
    def write(content):
        path = tmp_path / "sums.md"
        path.write_text(content)
        return path

    return write


def test_blocks_of_a_language_are_one_program_that_asks_the_service(page, tmp_path):
    chosen = blocks(page(PAGE.replace("SUM", "4")), "sh")

    printed = follow("sh", chosen, tmp_path, "http://there")

    assert [block.place for block in chosen] == ["sums.md:3", "sums.md:11"]
    assert printed == ["", '{"sum": 4, "asked": "http://there http://there"}']


def test_another_output_than_the_page_shows_is_no_success(page, tmp_path):
    with pytest.raises(AssertionError, match=r"sums\.md:11"):
        follow("sh", blocks(page(PAGE.replace("SUM", "5")), "sh"), tmp_path)


@pytest.mark.parametrize(
    ("language", "wrong"), [("sh", "false"), ("python", "print(1 / 0)")], ids=["sh", "python"]
)
def test_a_block_that_fails_is_named(page, tmp_path, language, wrong):
    content = "".join(f"```{language}\n{text}\n```\n\n" for text in ("", wrong, ""))

    with pytest.raises(AssertionError, match=r"sums\.md:5"):
        follow(language, blocks(page(content), language), tmp_path)
