"""Data sets that anybody can make again: drawn, seeded, learnable, and of natural cost to decode.

Each picture is a crop of one of scikit-learn's two photographs under a pattern that tells its
class. A picture is a function of (class, number) alone, so a smaller set is a part of a larger one.
"""

import csv
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Plane = NDArray[np.float32]

PATTERNS: dict[str, Callable[[Plane, Plane], Plane]] = {
    "blank": lambda x, y: np.zeros_like(x + y),
    "checks": lambda x, y: np.sign(np.sin(x) * np.sin(y)),
    "columns": lambda x, y: np.sin(x) + 0 * y,
    "crosses": lambda x, y: np.where(np.maximum(np.sin(x), np.sin(y)) > 0.9, 1.0, -0.2),
    "dots": lambda x, y: np.where(np.sin(x) + np.sin(y) > 1.2, 1.0, -0.2),
    "fan": lambda x, y: np.sin(8 * np.arctan2(y, x)),
    "rings": lambda x, y: np.sin(np.hypot(x, y)),
    "rows": lambda x, y: np.sin(y) + 0 * x,
    "waves": lambda x, y: np.sin(y + 2 * np.sin(x / 2)),
    "wedges": lambda x, y: np.sign(((x / 4) % 1) - np.abs((y / 4) % 2 - 1)),
}
"""Class name to a pattern in [-1, 1] of coordinates in radians; a mirror image keeps its class."""

FOLDS = 5
_PERIODS = (0.05, 0.1)
_QUALITY = 90


@dataclass(frozen=True)
class PictureSet:
    """Pictures in folders by class, and the folds that everybody uses.

    Attributes:
        root: With `images/<class>/<number>.jpg` and `fold_<i>/{train,val}/<class>/` of links.
        fold_of: Relative path below `images/` to its fold.
    """

    root: Path
    fold_of: dict[str, int]

    @property
    def images(self) -> Path:
        """The folder with one folder per class."""
        return self.root / "images"


def draw(photos: list[Any], kind: str, number: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Draw a picture [H, W, 3].

    Args:
        photos: What lies under the pattern, [H, W, 3] uint8 each.
        kind: Which pattern.
        number: Which picture of that class.
        size: Height and width, pixels.
    """
    rng = np.random.default_rng([sorted(PATTERNS).index(kind), number])
    photo = Image.fromarray(photos[rng.integers(len(photos))])
    side = rng.uniform(0.5, 1.0)
    width, height = int(photo.width * side), int(photo.height * side)
    left, top = rng.integers(photo.width - width + 1), rng.integers(photo.height - height + 1)
    box = (int(left), int(top), int(left) + width, int(top) + height)
    ground = np.asarray(photo.resize(size[::-1], Image.Resampling.BILINEAR, box=box), np.float32)
    step = 2 * np.pi / (rng.uniform(*_PERIODS) * size[1])
    place = rng.uniform(0.3, 0.7, 2)
    y = (np.arange(size[0], dtype=np.float32)[:, None] - place[0] * size[0]) * np.float32(step)
    x = (np.arange(size[1], dtype=np.float32)[None, :] - place[1] * size[1]) * np.float32(step)
    tint = rng.uniform(40, 90, 3).astype(np.float32)
    picture = ground + PATTERNS[kind](x, y).astype(np.float32)[..., None] * tint
    return np.clip(picture, 0, 255).astype(np.uint8)


def standard_set(folder: Path, count: int, size: tuple[int, int] = (375, 500)) -> PictureSet:
    """Make, or find, ten classes of JPEGs with their folds.

    Args:
        folder: Where all sets lie.
        count: Pictures in all; a multiple of ten, at least 50.
        size: Height and width, pixels.
    """
    root = folder / f"pictures-{count}-{size[1]}x{size[0]}"
    done = root / "folds.csv"
    if not done.exists():
        _draw_all(root / "images", count, size)
        fold_of = _folds(root / "images")
        _link_folds(root, fold_of)
        _write_folds(done, fold_of)
    with done.open(newline="", encoding="utf-8") as file:
        return PictureSet(root, {row["image"]: int(row["fold"]) for row in csv.DictReader(file)})


def photo_set(folder: Path, count: int) -> Path:
    """Make, or find, a folder of 12-megapixel JPEGs without labels."""
    root = folder / f"photos-{count}"
    photos, kinds = photographs(), sorted(PATTERNS)
    for number in range(count):
        path = root / f"{number:04}.jpg"
        if not path.exists():
            picture = draw(photos, kinds[number % len(kinds)], number, (3000, 4000))
            _save(path, picture)
    return root


def drawn_batches(
    batch: int, steps: int, size: int
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """Draw small pictures that are in no set: images [N, H, W, 3] and class numbers [N]."""
    photos, kinds = photographs(), sorted(PATTERNS)
    for step in range(steps):
        labels = np.arange(batch) % len(kinds)
        numbers = range(1_000_000 + step * batch, 1_000_000 + (step + 1) * batch)
        pairs = zip(labels, numbers, strict=True)
        yield np.stack([draw(photos, kinds[k], n, (size, size)) for k, n in pairs]), labels


def _draw_all(folder: Path, count: int, size: tuple[int, int]) -> None:
    photos, kinds = photographs(), sorted(PATTERNS)

    def make(position: int) -> None:
        kind, number = kinds[position % len(kinds)], position // len(kinds)
        _save(folder / kind / f"{number:04}.jpg", draw(photos, kind, number, size))

    with ThreadPoolExecutor() as pool:
        list(pool.map(make, range(count)))


def photographs() -> list[Any]:
    """Give scikit-learn's two photographs, [H, W, 3] uint8 each."""
    from sklearn.datasets import load_sample_images

    return list(load_sample_images().images)


def _save(path: Path, picture: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, quality=_QUALITY)


def _folds(images: Path) -> dict[str, int]:
    """Make the folds that `folds_count: 5` makes; `ours.check_folds` holds them against it."""
    from sklearn.model_selection import StratifiedKFold

    names = sorted(path.relative_to(images).as_posix() for path in images.rglob("*.jpg"))
    strata = np.unique([name.split("/")[0] for name in names], return_inverse=True)[1]
    maker = StratifiedKFold(FOLDS, shuffle=True, random_state=33)
    chosen = dict.fromkeys(names, -1)
    for fold, (_, val) in enumerate(maker.split(strata, strata)):
        chosen |= {names[row]: fold for row in val}
    return chosen


def _link_folds(root: Path, fold_of: dict[str, int]) -> None:
    for fold in range(FOLDS):
        for name, own in fold_of.items():
            link = root / f"fold_{fold}" / ("val" if own == fold else "train") / name
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.is_symlink():
                link.symlink_to((root / "images" / name).resolve())


def _write_folds(path: Path, fold_of: dict[str, int]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "fold"])
        writer.writerows(fold_of.items())
