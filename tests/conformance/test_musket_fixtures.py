"""What the configs of `fixtures/musket` promise: all are listed, and all keys are in them."""

import re
from pathlib import Path

import pytest

from fivefold.augment import augmenters, mixers
from fivefold.config.document import read
from fivefold.config.keys import ExperimentKeys
from fivefold.config.musket import EXPERIMENT_KEYS, STAGE_KEYS, SYNONYMS
from fivefold.config.nodes import plain
from fivefold.config.stage_keys import StageConfig
from fivefold.evaluation import metrics
from fivefold.losses import losses
from fivefold.optim import optimizers, schedules

TESTS = Path(__file__).parents[1]
FOLDER = TESTS / "fixtures" / "musket"
PAGE = (FOLDER / "README.md").read_text()
NAMED = re.findall(r"`([\w/]+\.(?:yaml|py))`", PAGE)
TESTED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)))


def spelled(model):
    return {field.alias or name for name, field in model.model_fields.items()}


def configs():
    for path in sorted(FOLDER.glob("*.yaml")):
        root, problems = read(path.read_text(), path.name)
        assert problems == []
        yield plain(root)


def test_every_file_is_named_and_every_name_is_a_file():
    files = {p.relative_to(FOLDER).as_posix() for p in FOLDER.rglob("*.*") if p.suffix != ".pyc"}
    listed = {name for name in NAMED if not (TESTS / name).is_file()}
    assert files - {"README.md"} - {f for f in files if f.endswith(".txt")} == listed


@pytest.mark.parametrize(("file", "name"), TESTED)
def test_every_named_test_exists(file, name):
    assert f"\ndef {name}(" in (TESTS / file).read_text()


def test_there_are_at_least_25_configs():
    assert len(list(configs())) >= 25


def written(mappings):
    """List all keys, and those that they are other words for."""
    keys = {key for mapping in mappings for key in mapping}
    return keys | {SYNONYMS[key] for key in keys & SYNONYMS.keys()}


def stages():
    return [stage for config in configs() for stage in config.get("stages") or ()]


def test_every_key_of_an_experiment_is_in_a_config():
    assert (spelled(ExperimentKeys) | EXPERIMENT_KEYS.keys()) - written(configs()) == set()


def test_every_key_of_a_stage_is_in_a_config():
    assert (spelled(StageConfig) | STAGE_KEYS.keys()) - written(stages()) == set()


def test_every_synonym_is_in_a_config():
    assert SYNONYMS.keys() - written([*configs(), *stages()]) == set()


@pytest.mark.parametrize(
    "catalog",
    [augmenters, mixers, losses, metrics, optimizers, schedules],
    ids=lambda catalog: catalog.kind,
)
def test_every_entry_of_a_catalog_is_in_a_config(catalog):
    text = "\n".join(path.read_text() for path in FOLDER.glob("*.yaml"))
    words = set(map(str.casefold, re.findall(r"[\w.]+", text)))
    ours = [c for c in catalog.components() if c.make.__module__.startswith("fivefold.")]
    spellings = {c.name: {s.casefold() for s in (c.name, *c.aliases)} for c in ours}
    assert [name for name, known in spellings.items() if not known & words] == []
