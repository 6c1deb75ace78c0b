import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.core.safe_html import escaped, json_island, policy

TEXTS = st.text() | st.sampled_from(["</script>", "<!--", "]]>", "\u2028", "&lt;"])


@given(st.dictionaries(TEXTS, TEXTS))
def test_data_come_back_and_end_no_element(data):
    text = str(json_island(data))
    assert json.loads(text) == data
    assert not set("<>&") & set(text)
    assert text.isascii()


def test_numbers_that_json_does_not_have_are_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_island({"x": float("nan")})


def test_only_the_two_texts_are_let_through():
    digest = base64.b64encode(hashlib.sha256(b"let x").digest()).decode()
    found = policy("a{}", "let x")
    assert f"script-src 'sha256-{digest}';" in found
    assert found.startswith("default-src 'none';")
    assert "unsafe" not in found


def test_signs_that_steer_or_cannot_be_shown_are_escapes():
    assert escaped("a\x00\u202e\ud800b\té") == "a\\x00\\u202e\\ud800b\té"
    assert escaped("plain ümläut") == "plain ümläut"
