"""The text of a new config: settings and comments for the person who edits it."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from fivefold.apps.new.defaults import Settings
from fivefold.apps.new.naming import short_number
from fivefold.apps.new.survey import Survey
from fivefold.core.errors import DataError
from fivefold.data import Labels
from fivefold.data.reasons import by_reason, counted

_SHOWN_CLASSES = 12
_COMMENTS_AT = 33
_LONGEST_PATH = 1000  # as in the config
MARK = "\x1f"
"""Stands before a comment until all is in place; the data's names cannot contain it."""

_TEMPLATE = """\
{seen}
#
# Next: `fivefold check` says what it will cost, `fivefold fit` trains.
# `fivefold schema` makes an editor complete and check the keys.

dataset:
{dataset}

architecture: {architecture}  ## `fivefold list backbones convnext` searches 1,300
weights: imagenet  ## or `none`, or a .safetensors file
shape: [{side}, {side}, 3]  ## {shape_comment}
batch: {batch}  ## halve it when memory runs out

folds_count: {folds}  ## each fold's model is tested on what it has not seen{few}
{metrics}
calibration: temperature  ## makes predictions as sure as they are right{thresholds}

loss: {loss}
optimizer: AdamW
lr: {lr}

augmentation:  ## random changes of training images
{augmentation}

stages:
  # The new last layer learns first, on a network that stays as it was trained on ImageNet.
  - epochs: 3
    lr: 5e-3
    freeze_encoder: true
  # Then the whole network, from the best weights of the stage before.
  - epochs: {epochs}  ## more of them often help a little
    lr: {lr}
    unfreeze_encoder: true
    schedule: OneCycle  ## up, then down to nothing; suits a fixed number of epochs
    freeze_batchnorm: {freeze}  ## {freeze_comment}
"""


def render(survey: Survey, settings: Settings, directory: Path) -> str:
    """Write the YAML.

    Args:
        survey: What was seen.
        settings: What was chosen.
        directory: The folder of the config: paths start there.

    Raises:
        DataError: If YAML has no way to write the data's path.
    """
    text = marked(_TEMPLATE).format(
        seen="\n".join(f"# {line}".rstrip() for line in describe(survey)),
        dataset="\n".join(f"  {key}: {text}" for key, text in _dataset(survey, directory)),
        architecture=settings.architecture,
        side=settings.side,
        shape_comment=_shape_comment(survey, settings),
        batch=settings.batch,
        folds=settings.folds,
        few=_few(survey, settings),
        metrics=marked(_metrics(survey, settings)),
        thresholds=marked(_thresholds(survey)),
        loss=_loss(survey),
        lr=short_number(settings.lr),
        augmentation=marked(_augmentation(settings)),
        epochs=settings.epochs,
        freeze=str(settings.small).lower(),
        freeze_comment=_FREEZE_COMMENTS[settings.small],
    )
    return re.sub(f"^(.*?){MARK}", aligned, text, flags=re.MULTILINE)


_FREEZE_COMMENTS = {
    True: "few images: ImageNet's statistics are better than theirs",
    False: "`true` helps with few images or a small batch",
}


def describe(survey: Survey) -> list[str]:
    """Say what was seen, a line each."""
    size = f"about {survey.height} x {survey.width} pixels"
    kinds = [_kind(labels) for labels in survey.outputs]
    lines = [f"{survey.num_images:,} images, {', '.join(kinds)}; {size}"]
    if survey.excluded:  # `check` counts all that is listed
        listed = survey.num_images + len(survey.excluded)
        rules = counted(by_reason(survey.excluded))
        lines.append(f"{listed:,} listed = {survey.num_images:,} images + {rules}")
    for labels, counts in zip(survey.outputs, survey.counts, strict=True):
        lines += ["", *([f"  {one_line(labels.name)}:"] if labels.name else []), *_listed(counts)]
    are = "is" if len(survey.missing) == 1 else "are"
    bad = ((f"{are} missing", survey.missing), ("cannot be read", survey.unreadable))
    for what, ids in bad:
        if ids:
            seen = f"{len(ids)} of the {survey.looked_at} images looked at {what}"
            first = f"such as {ids[0]!r}"
            lines += ["", f"{seen}, {first}; training leaves such out and lists them"]
    return lines


def _kind(labels: Labels) -> str:
    of = f" of {one_line(labels.name)}" if labels.name else ""
    es = "es" * (len(labels.class_names) != 1)
    kind = "one class each" if labels.exclusive else "any number of classes each"
    return f"{len(labels.class_names)} class{es}{of}, {kind}"


def _listed(counts: Mapping[str, int]) -> list[str]:
    by_count = sorted(counts.items(), key=lambda item: -item[1])
    shown = by_count if len(by_count) <= _SHOWN_CLASSES else by_count[: _SHOWN_CLASSES - 1]
    lines = [f"  {count:>7,}  {one_line(name)}" for name, count in shown]
    if len(shown) < len(by_count):
        lines.append(f"  and {len(by_count) - len(shown)} more, down to {by_count[-1][1]:,}")
    return lines


def decisions(survey: Survey, settings: Settings) -> list[str]:
    """Say which choices of the config deserve a second look, a line each."""
    lines = [f"{settings.folds} folds{_few(survey, settings)}"]
    if survey.table and survey.table.image_column and survey.kind != "shards":
        named = survey.table.label_columns or survey.table.indicator_columns
        columns = ", ".join(map(repr, named[:8])) + (", …" if len(named) > 8 else "")
        sign = survey.table.separator
        several = f", several in a cell separated by {sign!r}" if sign else ""
        lines.append(
            f"columns: images in {survey.table.image_column!r}, labels in {columns}{several}"
        )
    if survey.table and survey.table.left:
        left = survey.table.left
        columns = ", ".join(map(repr, left[:8])) + (", …" if len(left) > 8 else "")
        lines.append(f"nothing is read from {columns}: --label-column names other labels")
    if not settings.sided:
        lines.append(
            "the augmentation mirrors images left-right: remove Fliplr from the config if left and "
            "right matter, as in text"
        )
    return lines


def marked(text: str) -> str:
    """Mark comments of a template, which `aligned` puts into place."""
    return text.replace("  ## ", MARK)


def aligned(start: re.Match[str]) -> str:
    """Put a comment behind a key where the others are."""
    return f"{start.group(1):<{_COMMENTS_AT}}  # "


def one_line(name: str) -> str:
    """Write a name so that it stays on its line."""
    return name if name.isprintable() else _quoted(name)


def _dataset(survey: Survey, directory: Path) -> list[tuple[str, str]]:
    """Write the keys of `dataset`, each with its value."""
    table, data = survey.table, (survey.kind, path_text(survey.data, directory))
    if table is None:
        return [data]
    images = [] if table.images is None else [("images", path_text(table.images, directory))]
    column = [("image_column", scalar(table.image_column))] if table.image_column else []
    labels = [scalar(name) for name in table.label_columns]
    listed = [("label_column", labels[0] if len(labels) == 1 else f"[{', '.join(labels)}]")]
    flags = [scalar(name) for name in table.indicator_columns]
    listed = [("indicator_columns", f"[{', '.join(flags)}]")] if flags else listed if labels else []
    several = [("separator", scalar(table.separator))] if table.separator else []
    several += [("encoding", scalar(table.encoding))] if table.encoding else []
    if table.boxes_as_labels:
        several.append(("boxes", f"labels{MARK}of their images; `crops` cuts out each as a sample"))
    return [data, *images, *column, *listed, *several]


def path_text(path: Path, directory: Path) -> str:
    """Write a path from the config's folder, unless that climbs as far as the disk's root."""
    target, start = path.resolve(), directory.resolve()
    common = [a for a, b in zip(target.parts, start.parts, strict=False) if a == b]
    if len(common) <= 1:
        return scalar(target.as_posix())
    return scalar(Path(os.path.relpath(target, start)).as_posix())


def scalar(text: str) -> str:
    """Quote what YAML would not read as this text.

    Raises:
        DataError: If it cannot be a value of a config at all.
    """
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        msg = f"{_quoted(text)}: expected a path in UTF-8, got bytes that no config can name"
        raise DataError(msg, hint="rename the folder or file", slug="data/path-name")
    if len(text) > _LONGEST_PATH:
        msg = (
            f"{text[:40]}…: expected a path of at most {_LONGEST_PATH:,} letters, got {len(text):,}"
        )
        hint = "move the data, or write the experiment nearer to it"
        raise DataError(msg, hint=hint, slug="data/path-name")
    plain = re.fullmatch(r"(\.\./)*[A-Za-z_][\w./-]*", text, re.ASCII)
    return text if plain and "/" in text else _quoted(text)


def _quoted(text: str) -> str:
    """Quote as YAML does, with escapes for what it refuses or folds: controls, U+0085, U+FFFE."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in quoted)


def _shape_comment(survey: Survey, settings: Settings) -> str:
    if min(survey.height, survey.width) > settings.side:
        return "more pixels see more and cost more"
    return "height, width, channels"


def _few(survey: Survey, settings: Settings) -> str:
    name, count = min(survey.counts[0].items(), key=lambda item: item[1])
    if count >= 5 or not survey.outputs[0].exclusive:
        return ""
    need = f"; {one_line(name)!r} has {count}, and every fold needs one"
    return need if count >= settings.folds else f"{need}: add images or leave it out"


def _loss(survey: Survey) -> str:
    """Choose a loss for all outputs, or one for each where their labels differ in kind."""
    losses = {True: "categorical_crossentropy", False: "binary_crossentropy"}
    kinds = [labels.exclusive for labels in survey.outputs]
    if len(set(kinds)) == 1:
        return losses[kinds[0]]
    activations = ", ".join("softmax" if kind else "sigmoid" for kind in kinds)
    return f"[{', '.join(losses[kind] for kind in kinds)}]\nactivation: [{activations}]"


def _thresholds(survey: Survey) -> str:
    if all(labels.exclusive for labels in survey.outputs):
        return ""
    return "\n# thresholds: f1  ## each class from where its F1 is the highest, not from 0.5 on"


def _metrics(survey: Survey, settings: Settings) -> str:
    if not any(labels.exclusive for labels in survey.outputs):
        return (
            "metrics: [binary_accuracy, macro_f1, auc]\n"
            "primary_metric: val_macro_f1  ## decides which epoch's weights are kept"
        )
    reason = "counts rare classes as much as common ones" if settings.imbalanced else ""
    primary = "val_macro_f1" if settings.imbalanced else "val_accuracy"
    reason = reason or "decides which epoch's weights are kept"
    return f"metrics: [accuracy, macro_f1]\nprimary_metric: {primary}  ## {reason}"


def _augmentation(settings: Settings) -> str:
    flip = (
        "  # no Fliplr: these classes may differ from their mirror images"
        if settings.sided
        else "  Fliplr: 0.5  ## remove it if left and right matter, as in text"
    )
    return (
        f"{flip}\n"
        "  # Flipud: 0.5  ## where up and down do not matter: microscopy, aerial\n"
        "  Affine:\n"
        "    rotate: [-10, 10]  ## degrees\n"
        "    scale: [0.9, 1.1]\n"
        "    translate_percent: [-0.05, 0.05]"
    )
