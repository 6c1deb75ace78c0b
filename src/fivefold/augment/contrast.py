"""Augmenters of contrast, as tables from the old brightness to the new one.

Formulas, names, options and defaults are those of imgaug 0.3, and the formulas of gamma, sigmoid
and log those of scikit-image's `exposure`: v is the brightness as a fraction, 0-1.
"""

import numpy as np

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import Change
from fivefold.augment.draws import NotNegative, Number, draw
from fivefold.augment.per_channel import Share, for_channels, table_of


@augmenters.add(name="GammaContrast")
def gamma_contrast(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    gamma: NotNegative = 1.0,
    per_channel: Share = 0.0,
) -> Change:
    """Raise brightness to a power: 255 v^gamma; below 1 brightens, above 1 darkens.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        gamma: Exponent, at least 0.
        per_channel: Share of the images in which each channel has its own number.
    """
    return table_of(for_channels(rng, gamma, per_channel), lambda old, by: 255 * (old / 255) ** by)


@augmenters.add(name="SigmoidContrast")
def sigmoid_contrast(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    gain: Number = 10.0,
    cutoff: Number = 0.5,
    per_channel: Share = 0.0,
) -> Change:
    """Pull dark and bright apart: 255 / (1 + exp(gain (cutoff - v))).

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        gain: How steep it is at the cutoff.
        cutoff: The brightness that becomes medium, 0-1.
        per_channel: Share of the images in which each channel has its own gain.
    """
    middle = np.float32(draw(rng, cutoff))
    return table_of(
        for_channels(rng, gain, per_channel),
        lambda old, by: 255 / (1 + np.exp(np.minimum(by * (middle - old / 255), 80.0))),
    )


@augmenters.add(name="LogContrast")
def log_contrast(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    gain: Number = 1.0,
    per_channel: Share = 0.0,
) -> Change:
    """Brighten what is dark: 255 gain log2(1 + v).

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        gain: Factor; 1 keeps white white.
        per_channel: Share of the images in which each channel has its own number.
    """
    return table_of(
        for_channels(rng, gain, per_channel), lambda old, by: 255 * by * np.log2(1 + old / 255)
    )


@augmenters.add("ContrastNormalization", name="LinearContrast")
def linear_contrast(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    alpha: Number = 1.0,
    per_channel: Share = 0.0,
) -> Change:
    """Scale the distance from medium brightness: 127 + alpha (value - 127).

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        alpha: Factor; below 1 makes flat, above 1 strong.
        per_channel: Share of the images in which each channel has its own number.
    """
    return table_of(for_channels(rng, alpha, per_channel), lambda old, by: 127 + by * (old - 127))
