"""The architectures that make masks, by name; known without loading any of them."""

from collections.abc import Mapping

ARCHITECTURES = (
    "Unet",
    "UnetPlusPlus",
    "FPN",
    "Linknet",
    "PSPNet",
    "DeepLabV3",
    "DeepLabV3Plus",
    "MAnet",
    "PAN",
    "UPerNet",
    "Segformer",
)
"""As segmentation-models-pytorch spells them."""

_OTHER_SPELLINGS: Mapping[str, str] = {"unet++": "UnetPlusPlus", "deeplabv3+": "DeepLabV3Plus"}
_BY_FOLDED = {name.casefold(): name for name in ARCHITECTURES} | _OTHER_SPELLINGS


def segmenter_named(name: str) -> str | None:
    """Find the architecture that a name in any case means; None: it makes no masks."""
    return _BY_FOLDED.get(name.strip().casefold())
