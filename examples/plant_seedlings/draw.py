"""Draws seedlings on gravel: twelve species differ in leaves and green. Same seed, same bytes."""

import colorsys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIZE = 96
SPECIES = {  # leaves, their length and width as parts of the image, hue
    "Black-grass": (2, 0.42, 0.03, 0.30),
    "Charlock": (2, 0.25, 0.17, 0.27),
    "Cleavers": (6, 0.28, 0.07, 0.31),
    "Common Chickweed": (4, 0.22, 0.12, 0.24),
    "Common wheat": (1, 0.45, 0.05, 0.33),
    "Fat Hen": (4, 0.26, 0.10, 0.42),
    "Loose Silky-bent": (5, 0.40, 0.02, 0.27),
    "Maize": (3, 0.42, 0.10, 0.25),
    "Scentless Mayweed": (9, 0.27, 0.025, 0.33),
    "Shepherds Purse": (8, 0.24, 0.08, 0.22),
    "Small-flowered Cranesbill": (5, 0.25, 0.16, 0.36),
    "Sugar beet": (2, 0.32, 0.08, 0.20),
}


def draw(species, rng):
    """Draw one seedling, turned and moved at random, as an RGB image."""
    leaves, length, width, hue = SPECIES[species]
    gravel = rng.normal((120, 100, 85), 22, (SIZE // 3, SIZE // 3, 3)).clip(0, 255)
    image = Image.fromarray(gravel.astype(np.uint8)).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(image)
    centre = SIZE / 2 + rng.normal(0, SIZE / 20, 2)
    turn = rng.uniform(0, 2 * np.pi)
    for leaf in range(leaves):
        angle = turn + 2 * np.pi * leaf / leaves + rng.normal(0, 0.12)
        long, wide = (SIZE * part * rng.normal(1, 0.08) for part in (length, width))
        along = np.array([np.cos(angle), np.sin(angle)])
        across = np.array([-along[1], along[0]])
        steps = np.linspace(0, 1, 12)
        bulge = wide / 2 * np.sin(np.pi * steps) + 0.6
        middle = centre + np.outer(steps * long, along)
        edges = (middle + np.outer(bulge, across), middle - np.outer(bulge, across))
        outline = [tuple(point) for point in np.concatenate([edges[0], edges[1][::-1]])]
        colour = colorsys.hsv_to_rgb(hue + rng.normal(0, 0.008), 0.65, rng.uniform(0.5, 0.75))
        pen.polygon(outline, tuple(int(255 * part) for part in colour))
    return image


def name_of(rng):
    """Give a file a name as a camera's would be, which says nothing."""
    return f"{rng.bytes(5).hex()}.png"


def main(per_species=18, unlabelled=24):
    rng = np.random.default_rng(2017)
    for species in SPECIES:
        folder = Path("train", species)
        folder.mkdir(parents=True, exist_ok=True)
        for _ in range(per_species):
            draw(species, rng).save(folder / name_of(rng))
    Path("test").mkdir(exist_ok=True)
    for species in rng.choice(list(SPECIES), unlabelled):
        draw(species, rng).save(Path("test", name_of(rng)))


if __name__ == "__main__":
    main()
