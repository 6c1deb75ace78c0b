from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from fivefold.core.cache_home import CacheHome
from fivefold.core.memo import memo_of


@dataclass(frozen=True)
class Answer:
    about: Mapping[str, Any]
    batch: int


def memo(tmp_path, **about):
    return memo_of(CacheHome(tmp_path / "cache", 10**9), "batch", about, Answer)


def test_an_answer_is_found_by_the_same_question_only(tmp_path):
    assert memo(tmp_path, device="cpu").recall() is None
    assert memo(tmp_path, device="cpu").keep({"batch": 8})
    assert memo(tmp_path, device="cpu").recall() == Answer({"device": "cpu"}, 8)
    assert memo(tmp_path, device="gpu").recall() is None


def test_the_order_of_a_question_does_not_matter(tmp_path):
    memo(tmp_path, a=1, b=2).keep({"batch": 8})
    assert memo(tmp_path, b=2, a=1).recall().batch == 8


@pytest.mark.parametrize("text", ["", "{}", '{"batch": 8}'])
def test_a_damaged_answer_is_none_and_is_told(tmp_path, caplog, text):
    place = memo(tmp_path)
    place.keep({"batch": 8})
    place.path.write_text(text)
    assert place.recall() is None
    assert "what a probe found is damaged, it is measured again" in caplog.text


def test_an_answer_of_another_kind_is_none(tmp_path, caplog):
    memo(tmp_path).keep({"batch": "many"})
    assert memo(tmp_path).recall() is None
    assert "batch: expected a whole number, got 'many'" in caplog.text


def test_a_cache_that_cannot_be_written_is_told(tmp_path, caplog):
    (tmp_path / "cache").write_text("a file where a folder should be")
    assert not memo(tmp_path).keep({"batch": 8})
    assert "what a probe found is not remembered for the next run" in caplog.text
