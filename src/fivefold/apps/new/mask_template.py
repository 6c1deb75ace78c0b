"""The text of a new config for masks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import median

from fivefold.apps.new.defaults import default_architecture
from fivefold.apps.new.naming import short_number
from fivefold.apps.new.opening import spread
from fivefold.apps.new.template import MARK, aligned, marked, one_line, path_text, scalar
from fivefold.core.errors import DataError
from fivefold.core.segmenters import segmenter_named
from fivefold.data import ImageProblem
from fivefold.data.mask_values import Colour
from fivefold.data.reasons import by_reason, counted
from fivefold.experiment.named_masks import FoundMasks

_STEP = 32  # pixels: nets halve their maps five times
_LONGEST = 320
_FOLDS = 5

_TEMPLATE = """\
{seen}
#
# Next: `fivefold check` says what it will cost, `fivefold fit` trains.
# `fivefold schema` makes an editor complete and check the keys.

dataset:
{dataset}

architecture: {architecture}  ## `fivefold list architectures` names others
backbone: {backbone}  ## `fivefold list backbones resnet` searches
encoder_weights: imagenet  ## or `none`, or a .safetensors file
shape: [{height}, {width}, 3]  ## height, width: smaller parts need more pixels
classes: {classes}  ## {class_comment}
activation: {activation}  ## {activation_comment}
batch: {batch}  ## halve it when memory runs out

folds_count: {folds}  ## each fold's model is tested on what it has not seen
metrics: [dice, iou]
primary_metric: val_dice  ## decides which epoch's weights are kept
{thresholds}# smallest_area: auto  ## leaves out specks

loss: {loss}
optimizer: AdamW
lr: {lr}

augmentation:  ## random changes of training images, and of masks with them
  Fliplr: 0.5  ## remove it if left and right matter
  # Flipud: 0.5  ## where up and down do not matter: microscopy, aerial
  Affine:
    rotate: [-10, 10]  ## degrees
    scale: [0.9, 1.1]
    translate_percent: [-0.05, 0.05]

stages:
  # The decoder learns first, on a network that stays as it was trained on ImageNet.
  - epochs: 3
    lr: 1e-3
    freeze_encoder: true
  # Then all of it, from the best weights of the stage before.
  - epochs: {epochs}  ## more of them often help
    lr: {lr}
    unfreeze_encoder: true
    schedule: OneCycle  ## up, then down to nothing; suits a fixed number of epochs
"""

_THRESHOLDS = "# thresholds: dice  ## where each class's dice is the highest, not from 0.5 on\n"


@dataclass(frozen=True)
class MaskSurvey:
    """What a glance at images and masks has shown.

    Attributes:
        found: The data.
        height: Median height in pixels of the images looked at.
        width: Median width in pixels.
        looked_at: How many were looked at.
        showing: Of those, how many show each class, in the classes' order.
        problems: Of those that cannot be used, the id and why.
    """

    found: FoundMasks
    height: int
    width: int
    looked_at: int
    showing: Mapping[str, int]
    problems: tuple[tuple[str, str], ...]


def look_at_masks(found: FoundMasks) -> MaskSurvey:
    """Read a few images and masks.

    Raises:
        DataError: If none of them can be used.
    """
    source, sizes, problems = found.source, [], []
    names = source.labels[0].class_names
    showing = dict.fromkeys(names, 0)
    places = spread(len(source))
    for i in places:
        try:
            sample = source.sample(i)
            counts = source.counts(i)
        except ImageProblem as problem:
            problems.append((source.sample_ids[i], problem.detail))
            continue
        sizes.append(sample.image.shape[:2])
        for name, count in zip(names, counts.tolist(), strict=True):
            showing[name] += count > 0
    if not sizes:
        first = f"{problems[0][0]!r}: {problems[0][1]}" if problems else "the data set is empty"
        msg = f"expected images with masks, got {len(problems)} of which none can be used"
        raise DataError(msg, hint=f"the first is {first}", slug="data/no-readable-image")
    height, width = (round(median(size[axis] for size in sizes)) for axis in (0, 1))
    return MaskSurvey(found, height, width, len(places), showing, tuple(problems))


@dataclass(frozen=True)
class MaskSettings:
    """What goes into the config.

    Attributes:
        architecture: What makes masks.
        backbone: The net whose maps it decodes.
        shape: Height and width of what the network sees, pixels.
        batch: Images in one step.
        lr: Peak learning rate of the second stage.
        epochs: Of the second stage.
        folds: How many.
    """

    architecture: str
    backbone: str
    shape: tuple[int, int]
    batch: int
    lr: float
    epochs: int
    folds: int


def choose_for_masks(survey: MaskSurvey, architecture: str | None) -> MaskSettings:
    """Choose settings for what was seen.

    Args:
        survey: What was seen.
        architecture: What makes masks, or the backbone of one.
    """
    count = len(survey.found.source)
    batch = 8 if count < 500 else 16
    folds = max(2, min(_FOLDS, count))
    steps = max(1, count * (folds - 1) // folds // batch)
    is_net = architecture is not None and segmenter_named(architecture) is not None
    return MaskSettings(
        architecture=architecture if architecture and is_net else "Unet",
        backbone=architecture if architecture and not is_net else default_architecture(),
        shape=_shape(survey.height, survey.width),
        batch=batch,
        lr=5e-4,
        epochs=min(40, max(8, round(2000 / steps))),
        folds=folds,
    )


def _shape(height: int, width: int) -> tuple[int, int]:
    """Keep the ratio of the sides, with no more pixels than a square of 320."""
    scale = min(1.0, _LONGEST / sqrt(height * width))
    return _stepped(height * scale), _stepped(width * scale)


def _stepped(side: float) -> int:
    return max(2, round(side / _STEP)) * _STEP


def describe_masks(survey: MaskSurvey) -> list[str]:
    """Say what was seen, a line each."""
    source = survey.found.source
    size = f"about {survey.height} x {survey.width} pixels"
    lines = [f"{len(source):,} images with masks; {size}", survey.found.told]
    lines += [f"{note}" for note in source.notes]
    if source.excluded:
        lines.append(f"left out: {counted(by_reason(source.excluded))}")
    kind = "one class for each pixel" if _is_exclusive(survey) else "any number for each pixel"
    es = "es" * (len(survey.showing) != 1)
    good = survey.looked_at - len(survey.problems)
    lines += ["", f"{len(survey.showing)} class{es}, {kind}; of {good} images looked at show it:"]
    lines += [f"  {count:>7,}  {one_line(name)}" for name, count in survey.showing.items()]
    if survey.problems:
        name, detail = survey.problems[0]
        text = f"{len(survey.problems)} of the {survey.looked_at} looked at cannot be used"
        first = f"such as {name!r}: {detail}"
        lines += ["", one_line(f"{text}, {first}"), "training leaves such out and lists them"]
    return lines


def _is_exclusive(survey: MaskSurvey) -> bool:
    masks = survey.found.source.masks
    return masks is not None and masks.exclusive


def render_masks(survey: MaskSurvey, settings: MaskSettings, directory: Path) -> str:
    """Write the YAML.

    Args:
        survey: What was seen.
        settings: What was chosen.
        directory: The folder of the config: paths start there.

    Raises:
        DataError: If YAML has no way to write a path.
    """
    exclusive, classes = _is_exclusive(survey), len(survey.showing)
    crossentropy = "categorical_crossentropy" if exclusive else "binary_crossentropy"
    text = marked(_TEMPLATE).format(
        seen="\n".join(f"# {line}".rstrip() for line in describe_masks(survey)),
        dataset="\n".join(_dataset(survey, directory)),
        architecture=settings.architecture,
        backbone=settings.backbone,
        height=settings.shape[0],
        width=settings.shape[1],
        classes=classes,
        class_comment=", ".join(map(one_line, list(survey.showing)[:5])) + ", …" * (classes > 5),
        activation="softmax" if exclusive else "sigmoid",
        activation_comment="one class for each pixel" if exclusive else "each class by itself",
        batch=settings.batch,
        folds=settings.folds,
        thresholds="" if exclusive else marked(_THRESHOLDS),
        loss=f"{crossentropy}+dice_loss",
        lr=short_number(settings.lr),
        epochs=settings.epochs,
    )
    return re.sub(f"^(.*?){MARK}", aligned, text, flags=re.MULTILINE)


def _dataset(survey: MaskSurvey, directory: Path) -> list[str]:
    """Write the lines below `dataset`."""
    found = survey.found
    paths = {key: path_text(path, directory) for key, path in found.paths.items()}
    texts = {k: "true" if v is True else scalar(str(v)) for k, v in found.keys.items()}
    lines = [f"  {key}: {text}" for key, text in (paths | texts).items()]
    return [*lines, *_colours(found.colours)]


def _colours(classes: Mapping[str, Colour]) -> list[str]:
    """Write the colours of classes that nobody has named."""
    if not classes:
        return []
    lines = [f"    {name}: {list(colour)}" for name, colour in classes.items()]
    comments = (
        '    # Rename these classes as you like. A colour that means "unknown" is none:',
        "    # move it to `ignore_value: [RED, GREEN, BLUE]` in `dataset`, correct `classes`.",
    )
    return ["  mask_classes:", *comments, *lines]
