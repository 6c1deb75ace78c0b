"""Augmenters of whole batches: images are mixed with others, and so is their truth.

A mixer is `def name(rng, images, targets, *, options) -> Mixed`. It stands in a config's
`augmentation:` after the augmenters of single images, and is applied to the batches that these
leave. Where several are listed, each batch is given to one of them, each as often as the others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, TypeAlias

import numpy as np
from pydantic import Field

from fivefold.augment.per_channel import mixed as blend
from fivefold.core.catalog import At, Catalog
from fivefold.core.errors import Problem
from fivefold.core.own_parts import Part, shape_text
from fivefold.core.types import Floats, Image, Indices

Items: TypeAlias = Sequence[tuple[str, Any]]
Concentration = Annotated[float, Field(gt=0, le=1000)]
Probability = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, eq=False)
class Mixed:
    """A batch after mixing.

    Attributes:
        images: Pixels [B, H, W, C], 0-255.
        targets: Probabilities [B, all classes], 0-1.
        order: Which sample of the batch most of each image is [B]; each sample once.
    """

    images: Image
    targets: Floats
    order: Indices


Mix: TypeAlias = Callable[[np.random.Generator, Image, Floats], Mixed]


def _guarded(part: Part) -> Callable[..., Mixed]:
    def mixer(rng: np.random.Generator, images: Image, targets: Floats, **options: Any) -> Mixed:
        with part.at_work():
            mixed = part.make(rng, images, targets, **options)
        if not isinstance(mixed, Mixed):
            part.refuse_result("a `Mixed`", shape_text(mixed))
        for name, given in (("images", images), ("targets", targets)):
            found = getattr(mixed, name)
            if found.shape != given.shape or found.dtype != given.dtype:
                part.refuse_result(
                    f"{name} of the kind that came ({shape_text(given)})", shape_text(found)
                )
        if sorted(mixed.order) != [*range(len(images))]:
            part.refuse_result("each sample's place once in `order`", repr(mixed.order))
        return mixed

    return mixer


mixers: Catalog[Mixed] = Catalog("mixer", ("rng", "images", "targets"), _guarded)


@mixers.add("mix_up", name="MixUp")
def mixup(
    rng: np.random.Generator,
    images: Image,
    targets: Floats,
    *,
    alpha: Concentration = 0.2,
    prob: Probability = 1.0,
) -> Mixed:
    """Blend each image, and its truth, with another one of the batch (Zhang et al., 2018).

    `share x + (1 - share) x'`, the share drawn from Beta(alpha, alpha), once for a batch; the other
    images are the batch in a random order. https://arxiv.org/abs/1710.09412

    Args:
        rng: Where the numbers come from.
        images: Pixels [B, H, W, C].
        targets: Truth [B, all classes].
        alpha: How much is mixed: near 0 hardly anything, 1 any share as often as any other.
        prob: Share of the batches that are mixed.
    """
    if rng.random() >= prob:
        return _as_they_are(images, targets)
    partners, share = rng.permutation(len(images)), float(rng.beta(alpha, alpha))
    flat = images.reshape(len(images), -1)
    pixels = blend(flat, flat[partners], 1 - share).reshape(images.shape)
    return _joined(pixels, targets, partners, share)


@mixers.add("cut_mix", name="CutMix")
def cutmix(
    rng: np.random.Generator,
    images: Image,
    targets: Floats,
    *,
    alpha: Concentration = 1.0,
    prob: Probability = 1.0,
) -> Mixed:
    """Paste a rectangle of another image of the batch into each (Yun et al., 2019).

    Its sides are sqrt(1 - share) of the image's, the share drawn from Beta(alpha, alpha), its
    centre anywhere; what lies outside is cut off. The truth is mixed by the area that is left.
    https://arxiv.org/abs/1905.04899

    Args:
        rng: Where the numbers come from.
        images: Pixels [B, H, W, C].
        targets: Truth [B, all classes].
        alpha: Near 0 rectangles are mostly tiny or whole, 1 makes any area as likely.
        prob: Share of the batches that are mixed.
    """
    if rng.random() >= prob:
        return _as_they_are(images, targets)
    _, height, width, _ = images.shape
    partners = rng.permutation(len(images))
    side = (1 - rng.beta(alpha, alpha)) ** 0.5
    rows, columns = (_span(rng, side, total) for total in (height, width))
    pixels = images.copy()
    pixels[:, rows, columns] = images[partners, rows, columns]
    area = (rows.stop - rows.start) * (columns.stop - columns.start)
    return _joined(pixels, targets, partners, 1 - area / (height * width))


def mixes_batches(items: Items) -> bool:
    """Say whether a stage's augmentation mixes whole batches."""
    return any(mixers.find(name) for name, _ in items)


def build_mixing(items: Items) -> Mix | None:
    """Make the function of the mixers among a stage's augmenters; None if there is none.

    Args:
        items: Names and options, checked.
    """
    mixes = [partial(c.make, **c.check(value)[0]) for n, value in items if (c := mixers.find(n))]
    if not mixes:
        return None

    def mix(rng: np.random.Generator, images: Image, targets: Floats) -> Mixed:
        chosen = mixes[int(rng.integers(len(mixes)))] if len(mixes) > 1 else mixes[0]
        return chosen(rng, images, targets)

    return mix


def mixer_problems(items: Items, position: int, at: At, key: str) -> list[Problem]:
    """Find what is wrong with a mixer, or with its place: last, under a stage's `augmentation`."""
    name, value = items[position]
    if key.rpartition(".")[2] != "augmentation":
        return [misplaced_mixer(name, at, key)]
    if any(mixers.find(other) is None for other, _ in items[position:]):
        return [misplaced_mixer(name, at, key)]
    return mixers.problems(name, value, at, key)


def misplaced_mixer(name: str, at: At, key: str) -> Problem:
    """Word the problem of a mixer that stands where single images are augmented."""
    message = f"{key}: expected an augmenter of single images here, got {name!r}"
    hint = "it mixes whole batches: put it directly under `augmentation`, after all others"
    return Problem("config/misplaced-mixer", at(), message, hint)


def _as_they_are(images: Image, targets: Floats) -> Mixed:
    return Mixed(images, targets, np.arange(len(images)))


def _joined(images: Image, targets: Floats, partners: Indices, share: float) -> Mixed:
    own = np.float32(share)
    truth = own * targets + (np.float32(1) - own) * targets[partners]
    order = np.arange(len(images)) if share >= 0.5 else partners
    return Mixed(images, truth, order)


def _span(rng: np.random.Generator, part: float, total: int) -> slice:
    length, middle = int(part * total), int(rng.integers(total))
    return slice(max(middle - length // 2, 0), min(middle + length // 2, total))
