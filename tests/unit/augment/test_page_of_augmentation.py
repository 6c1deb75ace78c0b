"""The page that tells what other trainers' options are here: what it writes can be built."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from fivefold.augment import augmenters, check_augmentation, mixers
from fivefold.config import parse

PAGE = (Path(__file__).parents[3] / "docs" / "augmentation.md").read_text("utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.M | re.S)


def here(*path):
    return ".".join(map(str, path))


@pytest.mark.parametrize("text", BLOCKS)
def test_examples_name_augmenters_that_there_are_with_their_options(text):
    assert check_augmentation(parse(text).augmentation, here) == []


def test_tables_name_augmenters_that_there_are_with_their_options():
    read = 0
    for cell in re.findall(r"^\|.*?\|(.*)\|$", PAGE, re.M):
        for text in re.findall(r"`([^`]+)`", cell):
            try:
                found = YAML(typ="safe").load(text)
            except YAMLError:
                continue
            if isinstance(found, dict) and "…" not in text and "[a, b]" not in text:
                name, value = next(iter(found.items()))
                if augmenters.find(name) or mixers.find(name):
                    assert check_augmentation([(name, value)], here) == [], text
                    read += 1
    assert read >= 20
