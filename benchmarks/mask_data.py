"""Images with masks that anybody can make again: discs of a pattern on photographs."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.data import draw, photographs

_QUALITY = 90


def mask_set(folder: Path, count: int, size: tuple[int, int] = (375, 500)) -> Path:
    """Make, or find, JPEGs in `images` and PNGs of 0 and 255 in `masks`.

    Args:
        folder: Where all sets lie.
        count: How many.
        size: Height and width, pixels.

    Returns:
        The folder with both.
    """
    root = folder / f"masks-{count}-{size[1]}x{size[0]}"
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True, exist_ok=True)
    photos = photographs()

    def make(number: int) -> None:
        if not (root / "masks" / f"{number:04}.png").exists():
            picture, mask = draw_mask(photos, number, size)
            Image.fromarray(picture).save(root / "images" / f"{number:04}.jpg", quality=_QUALITY)
            Image.fromarray(mask).save(root / "masks" / f"{number:04}.png")

    with ThreadPoolExecutor() as pool:
        list(pool.map(make, range(count)))
    return root


def large_picture(folder: Path, side: int) -> Path:
    """Make, or find, one large JPEG in a folder of its own; gives the folder.

    Args:
        folder: Where all sets lie.
        side: Height and width, pixels.
    """
    root = folder / f"large-{side}"
    path = root / "large.jpg"
    if not path.exists():
        root.mkdir(parents=True, exist_ok=True)
        part = draw_mask(photographs(), 0, (1000, 1000))[0]
        times = -(-side // 1000)
        Image.fromarray(np.tile(part, (times, times, 1))[:side, :side]).save(path, quality=_QUALITY)
    return root


def draw_mask(
    photos: list[Any], number: int, size: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw a picture [H, W, 3] and its mask [H, W], 255 where it shows a disc.

    Args:
        photos: What lies under it, [H, W, 3] uint8 each.
        number: Which picture.
        size: Height and width, pixels.
    """
    rng = np.random.default_rng([7, number])
    ground, front = draw(photos, "blank", number, size), draw(photos, "checks", number, size)
    inside = np.zeros(size, dtype=bool)
    for _ in range(int(rng.integers(1, 4))):
        inside |= _disc(rng.uniform, size)
    picture = np.where(inside[..., None], front, ground)
    return picture, inside.astype(np.uint8) * 255


def _disc(uniform: Callable[..., Any], size: tuple[int, int]) -> NDArray[np.bool_]:
    height, width = size
    radius = min(size) * uniform(0.1, 0.25)
    y, x = uniform(radius, height - radius), uniform(radius, width - radius)
    rows, columns = np.ogrid[:height, :width]
    found: NDArray[np.bool_] = (rows - y) ** 2 + (columns - x) ** 2 < radius**2
    return found
