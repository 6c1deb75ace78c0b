"""Draws cells in four channels and writes train.csv. Same seed, same bytes.

Red are microtubules, blue is the nucleus, yellow the endoplasmic reticulum; green is the protein,
which shows up in one to three of six places.
"""

import csv
from pathlib import Path

import cv2
import numpy as np

SIZE = 96
ALL_PLACES = 6


def draw(places, rng):
    """Draw one cell as uint8 [H, W, 4]: red, green, blue, yellow."""
    cell, nucleus = ellipse(rng, 0.44), ellipse(rng, 0.2)
    outside = np.clip(cell - nucleus, 0, 1)
    red = outside * noise(rng, 1.5, stretch=4)
    yellow = outside * noise(rng, 4)
    ring = cv2.dilate(nucleus, np.ones((5, 5))) - cv2.erode(nucleus, np.ones((3, 3)))
    where = (
        nucleus * (0.4 + 0.6 * noise(rng, 3)),
        ring,
        nucleus * spots(rng, 4, 4),
        yellow * cv2.GaussianBlur(cv2.dilate(nucleus, np.ones((25, 25))), (0, 0), 4),
        outside * spots(rng, 60, 1.5),
        outside * 0.5,
    )
    green = np.zeros((SIZE, SIZE))
    for place in places:
        green = np.maximum(green, rng.uniform(0.7, 1) * where[place])
    channels = np.stack([red, green, nucleus * (0.5 + 0.5 * noise(rng, 2)), yellow], axis=2)
    return (channels * 220 + rng.normal(8, 3, channels.shape)).clip(0, 255).astype(np.uint8)


def ellipse(rng, size):
    """Give a soft disc near the middle, 0-1."""
    disc = np.zeros((SIZE, SIZE), np.float32)
    centre = [int(v) for v in SIZE / 2 + rng.normal(0, 3, 2)]
    axes = [int(v) for v in SIZE * size * rng.uniform(0.85, 1.1, 2)]
    cv2.ellipse(disc, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
    return cv2.GaussianBlur(disc, (0, 0), 1)


def noise(rng, scale, stretch=1):
    """Give smooth noise, 0-1."""
    raw = cv2.GaussianBlur(rng.normal(size=(SIZE, SIZE)), (0, 0), scale, sigmaY=scale * stretch)
    return (raw - raw.min()) / (raw.max() - raw.min())


def spots(rng, count, radius):
    """Give so many soft spots, 0-1."""
    found = np.zeros((SIZE, SIZE))
    places = rng.integers(SIZE // 6, SIZE * 5 // 6, (count, 2))
    found[places[:, 0], places[:, 1]] = 1
    found = cv2.GaussianBlur(found, (0, 0), radius)
    return found / found.max()


def main(cells=120):
    rng = np.random.default_rng(2018)
    Path("train").mkdir(exist_ok=True)
    rows = []
    for _ in range(cells):
        places = sorted(rng.choice(ALL_PLACES, rng.choice((1, 1, 2, 3)), replace=False).tolist())
        name = rng.bytes(8).hex()
        pixels = draw(places, rng)
        for channel, colour in enumerate(("red", "green", "blue", "yellow")):
            cv2.imwrite(f"train/{name}_{colour}.png", pixels[..., channel])
        rows.append((name, " ".join(map(str, places))))
    with open("train.csv", "w", newline="") as file:
        csv.writer(file).writerows([("Id", "Target"), *rows])


if __name__ == "__main__":
    main()
