"""Configs: one YAML file, typed, with every problem told at once and nothing ignored."""

from fivefold.config.columns import canonical_keys, differing
from fivefold.config.diff import ABSENT, Change, diff
from fivefold.config.fields import Choice, Steps, read_chain
from fivefold.config.load import load, parse
from fivefold.config.moving import text_for
from fivefold.config.musket import HARMLESS
from fivefold.config.partial import InvalidConfigError
from fivefold.config.problems import in_order
from fivefold.config.reference import json_schema, musket_markdown, reference_markdown
from fivefold.config.schema import ExperimentConfig
from fivefold.config.sections import DatasetSection
from fivefold.config.shared_keys import (
    EXPERIMENTS,
    MODULES,
    PATHS_OF_DATA,
    SHARED_NAME,
    find_project,
    find_shared,
)
from fivefold.config.stage_keys import StageConfig
from fivefold.config.stages import NO_SAMPLING, ResolvedStage, as_names

__all__ = [
    "ABSENT",
    "EXPERIMENTS",
    "HARMLESS",
    "MODULES",
    "NO_SAMPLING",
    "PATHS_OF_DATA",
    "SHARED_NAME",
    "Change",
    "Choice",
    "DatasetSection",
    "ExperimentConfig",
    "InvalidConfigError",
    "ResolvedStage",
    "StageConfig",
    "Steps",
    "as_names",
    "canonical_keys",
    "diff",
    "differing",
    "find_project",
    "find_shared",
    "in_order",
    "json_schema",
    "load",
    "musket_markdown",
    "parse",
    "read_chain",
    "reference_markdown",
    "text_for",
]
