"""Draws ships on the sea, seen from above, and masks of them. Same seed, same bytes."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

HEIGHT, WIDTH = 192, 256
WAKE = [(-0.4, -0.2), (-0.4, 0.2), (-1.2, 0.5), (-1.2, -0.5)]
HULL = [(-0.5, -0.5), (0.25, -0.5), (0.5, 0), (0.25, 0.5), (-0.5, 0.5)]
DECK = [(-0.35, -0.3), (0, -0.3), (0, 0.3), (-0.35, 0.3)]
PAINTS = [(170, 60, 50), (200, 195, 185), (60, 60, 70), (190, 150, 60)]


def draw(rng, count):
    """Draw one picture with so many ships, and its mask: 255 where a ship is."""
    image, mask = sea(rng), Image.new("L", (WIDTH, HEIGHT))
    pen, ships = ImageDraw.Draw(image), [place(rng) for _ in range(count)]
    for ship in ships:  # the wake is no part of a ship
        pen.polygon(ship(WAKE), (150, 160, 160))
    for ship in ships:
        pen.polygon(ship(HULL), PAINTS[rng.integers(len(PAINTS))])
        pen.polygon(ship(DECK), (225, 225, 220))
        ImageDraw.Draw(mask).polygon(ship(HULL), 255)
    return image.filter(ImageFilter.GaussianBlur(0.6)), mask


def sea(rng):
    """Draw waves in a colour of their own."""
    swell = (128 + 30 * rng.normal(0, 1, (HEIGHT // 8, WIDTH // 8))).clip(0, 255)
    waves = Image.fromarray(swell.astype(np.uint8)).resize((WIDTH, HEIGHT))
    light = 0.6 + np.asarray(waves)[..., None] / 320
    colour = np.array([30, 70, 95]) + rng.normal(0, 8, 3)
    pixels = colour * light + rng.normal(0, 5, (HEIGHT, WIDTH, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def place(rng):
    """Put a ship somewhere: what turns points of its plan, 1 long and 1 wide, into pixels."""
    length, angle = rng.uniform(32, 72), rng.uniform(0, 2 * np.pi)
    width = length * rng.uniform(0.26, 0.36)
    middle = rng.uniform((30, 30), (WIDTH - 30, HEIGHT - 30))
    ahead = np.array([np.cos(angle), np.sin(angle)])
    axes = np.stack([ahead * length, ahead[::-1] * (-width, width)])
    return lambda points: [tuple(middle + np.array(point) @ axes) for point in points]


def main(labelled=60, unlabelled=8, seed=768):
    for folder in ("train", "train_mask", "images_to_segment"):
        Path(folder).mkdir(exist_ok=True)
    rng = np.random.default_rng(seed)
    for number in range(labelled):
        image, mask = draw(rng, int(rng.integers(1, 5)))
        image.save(f"train/{number:03}.jpg", quality=92)
        mask.save(f"train_mask/{number:03}.png")
    for number in range(unlabelled):
        image, _ = draw(rng, number % 4)  # some show the sea alone
        image.save(f"images_to_segment/{number:03}.jpg", quality=92)


if __name__ == "__main__":
    main()
