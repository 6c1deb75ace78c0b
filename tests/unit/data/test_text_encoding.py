import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.data.text_encoding import first_bad_byte, guessed, is_encoding

RUSSIAN = "image,label\nфото.png,Кошка домашняя\nещё.png,Собака\n"  # noqa: RUF001
GERMAN = "image,label\nKatze.png,Kätzchen für später\n"


@pytest.mark.parametrize(
    ("text", "encoding", "line"),
    [
        (RUSSIAN, "cp1251", "фото.png,Кошка домашняя"),
        (RUSSIAN, "koi8-r", "фото.png,Кошка домашняя"),
        (RUSSIAN, "cp866", "фото.png,Кошка домашняя"),
        (GERMAN, "cp1252", "Katze.png,Kätzchen für später"),
        (RUSSIAN, "utf-16", "image,label"),
    ],
)
def test_encodings_are_guessed_by_how_their_letters_stand(text, encoding, line):
    data = text.encode(encoding)
    bad = first_bad_byte(data, "utf-8")
    assert bad is not None
    assert guessed(data, bad) == (encoding, line)


def test_big_endian_utf_16_is_told_by_its_mark():
    data = codecs.BOM_UTF16_BE + RUSSIAN.encode("utf-16-be")
    assert guessed(data, 0) == ("utf-16", "image,label")


@pytest.mark.parametrize(
    "data", ["データ画像".encode("shift_jis"), "图像标签".encode("gbk"), b"\xff\xb7\xb6\xab"]
)
def test_bytes_that_look_like_no_words_of_known_encodings_are_not_guessed(data):
    assert guessed(b"image,label\n" + data + b"\n", 12) is None


@given(st.text(max_size=40), st.binary(max_size=6), st.sampled_from(["utf-8", "cp1251", "ascii"]))
def test_the_first_bad_byte_is_where_python_finds_it(text, more, encoding):
    data = text.encode("utf-8") + more
    try:
        data.decode(encoding)
        wanted = None
    except UnicodeDecodeError as error:
        wanted = error.start
    assert first_bad_byte(data, encoding) == wanted


def test_a_letter_on_the_border_of_two_chunks_is_whole():
    data = b"a" * ((1 << 20) - 1) + "ж".encode() + b"\xff"
    assert first_bad_byte(data, "utf-8") == len(data) - 1
    assert first_bad_byte(data[:-1], "utf-8") is None
    assert first_bad_byte(data[:-2], "utf-8") == (1 << 20) - 1


@pytest.mark.parametrize("encoding", ["punycode", "undefined"])
def test_an_encoding_that_does_not_say_where_it_fails_fails_at_the_chunk(encoding):
    assert first_bad_byte(b"path,class\n", encoding) == 0


def test_utf_32_is_told_from_the_utf_16_that_it_begins_like():
    data = "path,class\na.png,cat\n".encode("utf-32")
    assert guessed(data, 0) == ("utf-32", "path,class")


@pytest.mark.parametrize(
    ("name", "known"),
    [("utf-8", True), ("cp1251", True), ("nope", False), ("rot13", False), ("a\0b", False)],
)
def test_only_encodings_of_texts_are_encodings(name, known):
    assert is_encoding(name) is known
