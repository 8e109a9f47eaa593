"""Any text file or page becomes ids, and what was assumed is said."""

import codecs
import http.server
import threading

import numpy as np
import pytest

from training.job import JobConfig
from training.text import corpus, encodings, html_pages
from training.text.web_labels import python_encoding

SENTENCE = "Grüße, dear reader: once more unto the page.\n"


def load(path):
    return corpus.load_text(JobConfig(), str(path))


def written(folder, content):
    path = folder / "book.txt"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ((SENTENCE * 50).encode(), "UTF-8"),
        (codecs.BOM_UTF8 + (SENTENCE * 50).encode(), "UTF-8 by its mark"),
        ((SENTENCE * 50).encode("utf-16"), "UTF-16 by its mark"),
        ((SENTENCE * 50).encode("utf-32"), "UTF-32 by its mark"),
        ((SENTENCE * 50).encode("latin-1"), "Windows-1252 assumed"),
        ((SENTENCE * 50).replace("\n", "\r\n").encode(), "UTF-8"),
        ((SENTENCE * 50).replace("\n", "\r").encode(), "UTF-8"),
    ],
)
def test_the_same_text_comes_out_of_every_encoding_and_line_ending(tmp_path, content, said):
    splits = load(written(tmp_path, content))

    assert splits.text(np.concatenate([splits.train, splits.validation])) == SENTENCE * 50
    assert said in splits.source
    assert str(tmp_path) not in splits.source


def test_nine_tenths_are_learnt_and_the_rest_measures(tmp_path):
    splits = load(written(tmp_path, (SENTENCE * 50).encode()))

    assert (len(splits.train), len(splits.validation)) == (45 * len(SENTENCE), 5 * len(SENTENCE))
    assert splits.train.dtype == np.int32
    assert splits.vocabulary == "".join(sorted(set(SENTENCE)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "book.txt is empty"),
        (b" \n\n ", "book.txt is empty"),
        (b"To be, or not to be", "19 characters; at least 1,000"),
        (b"a" * 5000, "consists of one character, 'a'"),
        (bytes(range(256)) * 20, "zero bytes"),
        (bytes(range(1, 30)) * 200, "cannot be printed"),
        (codecs.BOM_UTF8 + b"\xff" * 2000, "declares utf-8"),
    ],
)
def test_what_cannot_be_learnt_gets_one_sentence(tmp_path, content, message):
    with pytest.raises(encodings.TextError, match=message):
        load(written(tmp_path, content))


RUSSIAN, CHINESE = "Мороз и солнце; день чудесный!\n", "床前明月光，疑是地上霜。\n"


@pytest.mark.parametrize(
    ("label", "encoding", "line"),
    [
        ("windows-1251", "cp1251", RUSSIAN),
        ("koi8-r", "koi8-r", RUSSIAN),
        ("gb2312", "gbk", CHINESE),
        ("iso-8859-1", "cp1252", "“Café” – straße…\n"),
        ("shift_jis", "cp932", "①雪国の夜。\n"),
        ("utf-8", "utf-8", RUSSIAN),
    ],
)
@pytest.mark.parametrize(
    "page",
    [
        '<!DOCTYPE html><html><head><meta charset="{0}"></head><body><p>{1}</p></body></html>',
        '<meta http-equiv="Content-Type" content="text/html; charset={0}"><p>{1}</p>',
        '<?xml version="1.0" encoding="{0}"?><html><body><p>{1}</p></body></html>',
    ],
)
def test_a_page_is_read_in_the_encoding_it_declares_by_the_webs_labels(
    tmp_path, page, label, encoding, line
):
    content = page.format(label, f"</p><p>{line.strip()}" * 200).encode(encoding)
    splits = load(written(tmp_path, content))

    assert set(line) <= set(splits.vocabulary)
    assert "<" not in splits.vocabulary
    assert f"{label.upper()} as declared" in splits.source


@pytest.mark.parametrize(
    ("label", "encoding"),
    [
        ("windows-874", "cp874"), ("logical", "iso8859-8"), ("ISO-8859-8-I", "iso8859-8"),
        ("sun_eu_greek", "iso8859-7"), ("ks_c_5601-1989", "cp949"), ("csShiftJIS", "cp932"),
        ("x-mac-ukrainian", "mac-cyrillic"), ("ISO_8859-1:1987", "cp1252"), ("l5", "cp1254"),
        ("unicode-1-1-utf-8", "utf-8"), ("koi8-r", "koi8-r"),
    ],
)  # fmt: skip
def test_a_label_means_what_it_means_on_the_web(label, encoding):
    assert python_encoding(label) == codecs.lookup(encoding).name


@pytest.mark.parametrize("label", ["klingon", "rot13", "hex", ""])
def test_a_page_that_declares_no_text_encoding_is_refused(tmp_path, label):
    content = f"<html><meta charset='{label or 'x-none'}'><p>text " * 50

    assert python_encoding(label) is None
    with pytest.raises(encodings.TextError, match=r"must declare a known encoding.*--encoding"):
        load(written(tmp_path, content.encode()))


def test_a_page_that_declares_utf_16_in_single_bytes_is_utf_8(tmp_path):
    content = "<html><meta charset='utf-16'>" + f"<p>{RUSSIAN}" * 50

    assert set(RUSSIAN.strip()) <= set(load(written(tmp_path, content.encode())).vocabulary)


def test_slightly_damaged_utf_8_stays_utf_8_and_says_how_many_bytes_were_bad(tmp_path):
    cut = (RUSSIAN * 100).encode()[:-3]  # inside the last letter
    damaged = RUSSIAN.encode() + b"\xff\xfe" + cut

    splits = load(written(tmp_path, damaged))

    assert "UTF-8, 3 bad bytes replaced" in splits.source
    assert set(RUSSIAN) <= set(splits.vocabulary)


@pytest.mark.parametrize(
    ("line", "encoding"), [(RUSSIAN, "koi8-r"), (RUSSIAN, "cp1251"), (CHINESE, "gbk")]
)
def test_an_undeclared_encoding_is_refused_rather_than_guessed(tmp_path, line, encoding):
    with pytest.raises(encodings.TextError, match=r"must say its encoding, .* try --encoding"):
        load(written(tmp_path, (line * 100).encode(encoding)))


@pytest.mark.parametrize(
    "start",
    [
        "<title>My play</title>",
        '<div class="x">',
        "<p>",
        "<!-- saved --><h1>",
        '<?xml version="1.0"?>\n<html>',
        "\ufeff<html>",
    ],
)
def test_a_page_is_recognised_by_its_content(tmp_path, start):
    content = start + "<p>It was a dark &amp; stormy night.</p>\n" * 50
    splits = load(written(tmp_path, content.encode()))

    assert "&" in splits.vocabulary
    assert "<" not in splits.vocabulary


@pytest.mark.parametrize("start", ["<html>", "<BODY>", "<!-- saved -->\n<html lang=en>", "<meta>"])
def test_a_page_needs_no_closing_tags(tmp_path, start):
    content = start + "<p>It was a dark &amp; stormy night.\n" * 50
    splits = load(written(tmp_path, content.encode()))

    assert "&" in splits.vocabulary
    assert "<" not in splits.vocabulary


@pytest.mark.parametrize("ending", ["html", "HTM", "xhtml"])
def test_a_page_is_recognised_by_the_ending_of_its_name(tmp_path, ending):
    path = tmp_path / f"book.{ending}"
    path.write_text("It was a <b>dark</b> &amp; stormy night.<br>\n" * 50)

    assert "<" not in load(path).vocabulary


def test_a_text_that_begins_with_an_angle_bracket_is_no_page(tmp_path):
    splits = load(written(tmp_path, ("<p> or not <p>, that is the question.\n" * 50).encode()))

    assert "<" in splits.vocabulary


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"{\\rtf1\\ansi ", "RTF"),
        (b"%PDF-1.4\n", "a PDF"),
        (b"PK\3\4\x14\0", "a ZIP archive, as DOCX"),
        (b"\x1f\x8b\x08", "a gzip archive"),
    ],
)
def test_a_document_or_archive_is_refused_by_its_kind(tmp_path, start, kind):
    with pytest.raises(encodings.TextError, match=f"got {kind}.*: save it as plain text"):
        load(written(tmp_path, start + b"text " * 500))


def test_no_text_is_asked_for():
    with pytest.raises(encodings.TextError, match="--text"):
        corpus.load_text(JobConfig(), None)


def test_the_rarest_characters_of_a_large_alphabet_become_spaces(tmp_path):
    common = "".join(chr(0x4E00 + number) for number in range(512))
    splits = load(written(tmp_path, (common * 3 + "éß").encode()))

    assert "2 characters of 2 rare kinds became spaces" in splits.source
    assert set(splits.vocabulary) == {*common, " "}
    assert splits.text(splits.validation)[-2:] == "  "


PAGE = """<!DOCTYPE html><html><head><title>Not this</title><style>p {{}}</style></head>
<body><script>no()</script><div>menu</div><pre>{}</pre></body></html>"""
SCENE = "                    VINCENT\n          A &lt;Royale&gt; with cheese.\n\n"


def test_of_a_screenplay_page_the_preformatted_text_remains(tmp_path):
    splits = load(written(tmp_path, PAGE.format(SCENE * 30).encode()))
    text = splits.text(np.concatenate([splits.train, splits.validation]))

    assert text == "                    VINCENT\n          A <Royale> with cheese.\n\n" * 29 + (
        "                    VINCENT\n          A <Royale> with cheese.\n"
    )
    assert "web page" in splits.source


def test_of_any_other_page_what_a_reader_sees():
    page = "<html><head><title>t</title></head><body><p>One  \n line.</p><p>Two&nbsp;<b>lines</b>.</body>"

    assert html_pages.html_to_text(page) == "One line.\n\nTwo lines.\n"


@pytest.mark.parametrize("charset", ["iso-8859-2", "utf-16le"])
def test_a_page_is_read_over_http_in_its_declared_encoding(charset):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", f"text/html; charset={charset}")
            self.end_headers()
            self.wfile.write(PAGE.format("Łódź, żółw. " * 100).encode(charset))

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        splits = load(f"http://127.0.0.1:{server.server_port}/page?key=value")
        thread.join()

    assert "Ł" in splits.vocabulary
    assert f"{charset.upper()} as declared" in splits.source
    assert "key=value" not in splits.source


RUSSIAN = "Мороз и солнце; день чудесный! Ещё ты дремлешь, друг прелестный.\n" * 30


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("koi8-r", "koi8_r"), ("windows-1251", "cp1251"), ("utf-16le", "utf-16-le")],
)
def test_the_given_encoding_is_followed_whatever_the_bytes_look_like(tmp_path, name, encoding):
    path = written(tmp_path, RUSSIAN.encode(encoding))

    splits = corpus.load_text(JobConfig(), corpus.TextSource(str(path), name))

    assert splits.text(np.concatenate([splits.train, splits.validation])) == RUSSIAN
    assert f"{name.upper()} as given" in splits.source


@pytest.mark.parametrize("encoding", ["koi8-r", "cp1251"])
def test_a_text_of_unknown_encoding_is_refused_with_the_likeliest_one(tmp_path, encoding):
    path = written(tmp_path, RUSSIAN.encode(encoding))

    with pytest.raises(
        encodings.TextError, match=f"try --encoding {encoding} if it begins with 'Мороз и"
    ):
        load(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("klingon", "--encoding must be a text encoding such as koi8-r or cp1251, got 'klingon'"),
        ("base64", "--encoding must be a text encoding"),
        ("ascii7", "--encoding must be a text encoding"),
        ("utf-8", "must be in the --encoding utf-8, got 'utf-8' codec can't decode"),
    ],
)
def test_an_encoding_that_cannot_be_used_is_named(tmp_path, name, message):
    path = written(tmp_path, RUSSIAN.encode("koi8-r"))

    with pytest.raises(encodings.TextError, match=message):
        corpus.load_text(JobConfig(), corpus.TextSource(str(path), name))
