"""Texts and token ids, and what is said about characters that a model has never seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.codecs.vocabulary import Vocabulary
from service.errors import InvalidValue

CHARACTERS = list("\n abcé😀")


@pytest.fixture
def vocabulary():
    return Vocabulary(CHARACTERS)


@given(st.text(alphabet=CHARACTERS))
def test_a_text_survives_its_ids(text):
    vocabulary = Vocabulary(CHARACTERS)
    ids = vocabulary.encode(text)

    assert ids.dtype == np.int32
    assert [CHARACTERS[i] for i in ids] == list(text)
    assert vocabulary.decode(ids) == text


@pytest.mark.parametrize("stranger", ["d", "\x00", "\x07", "\U0010ffff", "e\u0301"])
def test_an_unknown_character_is_named_with_its_place(vocabulary, stranger):
    with pytest.raises(InvalidValue, match=rf"U\+{ord(stranger[0]):04X}.*position 2") as caught:
        vocabulary.read("ab" + stranger, "seed", replace=False)

    assert repr(stranger[0]) in str(caught.value)
    assert "replace" in str(caught.value)


@pytest.mark.parametrize("sent", ["a\r\nb\n", "a\rb\r", "a\nb\r\n"])
def test_line_ends_become_those_of_training(vocabulary, sent):
    assert vocabulary.decode(vocabulary.read(sent, "seed", replace=False)[0]) == "a\nb\n"


def test_a_vocabulary_that_knows_the_carriage_return_keeps_it():
    vocabulary = Vocabulary(["\n", "\r", "a"])

    assert vocabulary.decode(vocabulary.read("a\r\n", "seed", replace=False)[0]) == "a\r\n"


def test_several_unknown_characters_are_counted(vocabulary):
    with pytest.raises(InvalidValue, match=r"'x'.* and 2 others"):
        vocabulary.read("xyxz", "seed", replace=False)


def test_a_space_stands_in_for_what_is_replaced(vocabulary):
    ids, replaced = vocabulary.read("axbya", "seed", replace=True)

    assert vocabulary.decode(ids) == "a b a"
    assert replaced == ["x", "y"]


def test_without_a_space_the_first_character_stands_in():
    vocabulary = Vocabulary(["b", "c"])
    ids, _ = vocabulary.read("c?", "seed", replace=True)

    assert vocabulary.decode(ids) == "cb"


def test_the_list_of_replaced_characters_is_short(vocabulary):
    _, replaced = vocabulary.read("".join(map(chr, range(300, 900))), "seed", replace=True)

    assert len(replaced) == 20
