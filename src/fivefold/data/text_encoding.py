"""What encoding a text that is no UTF-8 may have: a guess, for the hint of a message."""

import codecs
import itertools

_CYRILLIC = ("cp1251", "koi8-r", "cp866")
_LATIN = "cp1252"
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # begins like that of UTF-16, so it is first
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_LOOKED_AT = 65_536
_CHUNK = 1 << 20
_SURE = 0.6  # the part of pairs of letters that must look like words


def first_bad_byte(data: bytes, encoding: str) -> int | None:
    """Find the first byte that a text in an encoding cannot have; None if there is none.

    The text is not kept: it may take four times the memory of its bytes.

    Args:
        data: The text's bytes.
        encoding: One that `codecs.lookup` knows.
    """
    if encoding in ("utf-8", "utf-8-sig") and data.isascii():
        return None
    decoder = codecs.getincrementaldecoder(encoding)()
    for start in range(0, max(len(data), 1), _CHUNK):
        chunk = data[start : start + _CHUNK]
        waiting = len(decoder.getstate()[0])
        try:
            decoder.decode(chunk, final=start + _CHUNK >= len(data))
        except UnicodeDecodeError as error:
            return max(start - waiting + error.start, 0)
        except UnicodeError:  # such as punycode's, which do not say where
            return start
    return None


def is_encoding(name: str) -> bool:
    """Say whether this is an encoding of texts; `codecs` knows others too, such as of bytes."""
    try:
        return codecs.lookup(name)._is_text_encoding
    except (LookupError, ValueError):  # ValueError: with a NUL in it
        return False


def guessed(data: bytes, bad: int) -> tuple[str, str] | None:
    """Guess the encoding of a text that is no UTF-8.

    Letters tell: in Cyrillic encodings they stand beside each other with the small ones last, in
    Western ones a letter with an accent stands beside plain ones.

    Args:
        data: The text's bytes.
        bad: Where the first byte is that UTF-8 cannot have.

    Returns:
        The encoding and the line of that byte as it reads then; None without a good guess.
    """
    marked = next((name for mark, name in _MARKS.items() if data.startswith(mark)), None)
    if marked:
        text = data[: _LOOKED_AT * 2].decode(marked, "ignore")
        return marked, text.partition("\n")[0].strip()
    start = data.rfind(b"\n", 0, bad) + 1
    some = data[start : start + _LOOKED_AT]
    scores = {name: _likeness(some, name) for name in (*_CYRILLIC, _LATIN)}
    best = max(scores, key=scores.__getitem__)
    if scores[best] < _SURE:
        return None
    return best, some.split(b"\n", 1)[0].decode(best, "replace").strip()


def _likeness(data: bytes, encoding: str) -> float:
    """Tell how much of the letters beyond ASCII look like those of words, 0-1."""
    text = data.decode(encoding, "replace")
    pairs = [(a, b) for a, b in itertools.pairwise(text) if not (a + b).isascii()]
    fits = _in_cyrillic if encoding in _CYRILLIC else _in_latin
    beside = [fits(a, b) for a, b in pairs if a.isalpha() or b.isalpha()]
    odd = sum(not c.isascii() and not c.isalpha() for c in text)
    return sum(beside) / (len(beside) + odd) if beside else 0.0


def _in_cyrillic(a: str, b: str) -> bool:
    if not (a.isalpha() and b.isalpha()):  # a word begins or ends
        return _is_cyrillic(a if a.isalpha() else b) and (b.isalpha() or a.islower())
    return _is_cyrillic(a) and _is_cyrillic(b) and (b.islower() or a.isupper())


def _in_latin(a: str, b: str) -> bool:
    # In Western languages hardly two letters with accents stand beside each other.
    return (a.isascii() or b.isascii()) and (a.isalpha() or b.isalpha())


def _is_cyrillic(letter: str) -> bool:
    return "\u0400" <= letter <= "\u04ff"
