"""Every YAML and Python block of README and docs is loaded or run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from shapes import draw_folders, draw_masks

from fivefold.config import ExperimentConfig, parse

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(
    r"(?:<!-- not run: (?P<reason>[^>]*) -->\n)?^```(?P<kind>yaml|python)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def blocks(kind):
    found = []
    for page in PAGES:
        for number, match in enumerate(BLOCK.finditer(page.read_text("utf-8"))):
            if match["kind"] == kind:
                name = f"{page.relative_to(ROOT)}-{number}"
                trains = ".fit(" in match["text"] and page.name != "README.md"
                marks = [pytest.mark.slow] if trains else []
                found.append(pytest.param(match["text"], match["reason"], id=name, marks=marks))
    return found


@pytest.mark.parametrize(("text", "reason"), blocks("yaml"))
def test_yaml_block_is_a_config_that_this_version_honours(text, reason):
    if reason:
        pytest.skip(reason)
    config = parse(text)
    assert isinstance(config, ExperimentConfig)
    assert config.not_yet() == []


SMALL = """
architecture: test_resnet
weights: none
shape: [32, 32, 3]
folds_count: 2
metrics: [accuracy]
stages: [{epochs: 1}]
dataset: {folder: ../photos}
"""

SMALL_MASKS = """
backbone: test_resnet
architecture: Unet
encoder_weights: none
decoder_filters: [16, 8, 8, 8, 4]
shape: [32, 32, 3]
classes: 1
activation: sigmoid
loss: binary_crossentropy
folds_count: 2
batch: 4
metrics: [iou]
stages: [{epochs: 1}]
dataset: {images: ../train, masks: ../train_mask}
"""


@pytest.mark.parametrize(("text", "reason"), blocks("python"))
def test_python_block_runs_beside_small_experiments(text, reason, tmp_path):
    if reason:
        pytest.skip(reason)
    draw_folders(tmp_path / "photos", 4)
    (tmp_path / "flowers").mkdir()
    (tmp_path / "flowers" / "config.yaml").write_text(SMALL)
    draw_masks(tmp_path, 8, size=32)
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "config.yaml").write_text(SMALL_MASKS)
    command = [sys.executable, "-W", "error::SyntaxWarning", "-c", text]
    alone = os.environ | {"OMP_NUM_THREADS": "1"}  # other tests want the other cores
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, check=False, env=alone
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_the_tree_lead_somewhere(page):
    targets = LINK.findall(page.read_text("utf-8"))
    assert [t for t in targets if not (page.parent / t).exists()] == []


def test_demo_and_test_are_the_first_thing_in_the_readme():
    first = re.search(r"^```\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)
    assert [line.split("#")[0].strip() for line in first[1].splitlines()] == [
        "make demo",
        "make test",
    ]


def test_commands_of_the_readme_exist():
    from fivefold.cli import app

    known = {name for name, _, _ in app._COMMANDS}
    known |= {group.name for group in app.app.registered_groups}
    text = (ROOT / "README.md").read_text("utf-8")
    named = set(re.findall(r"(?:^|`)fivefold ([a-z]+(?:-[a-z]+)*)", text, re.M))
    assert named - known == set()
    assert known - named <= {"demo"}, "commands that the README does not show"
