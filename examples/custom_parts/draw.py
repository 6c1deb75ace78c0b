"""Draws woven cloth, whole and torn. Same seed, same bytes."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIZE = 64


def draw(kind, rng):
    """Draw a piece of cloth as an RGB image."""
    y, x = np.mgrid[:SIZE, :SIZE]
    step = rng.uniform(4, 7)
    weave = 0.7 + 0.15 * np.sin(2 * np.pi * x / step) + 0.15 * np.sin(2 * np.pi * y / step)
    colour = rng.uniform(90, 220, 3)
    pixels = weave[..., None] * colour + rng.normal(0, 10, (SIZE, SIZE, 3))
    image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    if kind == "torn":
        start = rng.uniform(0.2, 0.8, 2) * SIZE
        angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.4) * SIZE
        end = start + length * np.array([np.cos(angle), np.sin(angle)])
        dark = rng.uniform(0.25, 0.45)  # the lighter, the more like the weave
        ImageDraw.Draw(image).line([*start, *end], fill=tuple((colour * dark).astype(int)), width=3)
    return image


def main(of_each=60):
    rng = np.random.default_rng(5)
    for kind in ("whole", "torn"):
        folder = Path("cloth", kind)
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(of_each):
            draw(kind, rng).save(folder / f"{number:03d}.png")


if __name__ == "__main__":
    main()
