"""What kind of file an image is: its format, and what is unusual about it."""

from PIL import Image as Pillow

from fivefold.data.looks import PIXELS

_ENDINGS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".apng": "PNG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".dib": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".gif": "GIF",
}
_FORMATS = {"MPO": "JPEG", "DIB": "BMP"}  # what Pillow calls some of them
_PNG_DEPTH = 24  # place of the bits a channel, in the first chunk of every PNG
_TIFF_BITS = 258
_DEEP = ("I", "F")


def kind_of(image: Pillow.Image, head: bytes, *, rotated: bool) -> str:
    """Say what an opened file is, such as "JPEG+grey+rotated"; see `data.looks`.

    Args:
        image: As Pillow has opened it; what is asked of it reads no pixels.
        head: How the file begins, at least 32 bytes if it has as many.
        rotated: Whether its metadata says that it has to be turned or mirrored.
    """
    name = _FORMATS.get(image.format or "", image.format or "")
    bands = image.mode
    traits = {
        "grey": bands in ("1", "L", "LA", "La") or bands.startswith(_DEEP),
        "cmyk": bands == "CMYK",
        "alpha": bands in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info,
        "16-bit": bands.startswith(_DEEP) or _is_deep(image, head),
        "rotated": rotated,
        "animated": _has_more(image),
    }
    return "+".join([name, *(trait for trait, is_so in traits.items() if is_so)])


def _is_deep(image: Pillow.Image, head: bytes) -> bool:
    """Say whether a file has more than 8 bits a channel, which Pillow may have cut off."""
    if image.format == "PNG":
        return head[_PNG_DEPTH : _PNG_DEPTH + 1] == b"\x10"
    tags = getattr(image, "tag_v2", None)
    if image.format != "TIFF" or tags is None:
        return False
    try:
        bits = tags.get(_TIFF_BITS, (8,))
        return bool(max(bits if isinstance(bits, tuple) else (bits,)) > 8)
    except Exception:  # broken tags leak anything, and the pixels are fine without them
        return False


def _has_more(image: Pillow.Image) -> bool:
    """Say whether a file holds several pictures; not of cameras' JPEGs, which hold previews."""
    if image.format == "MPO":
        return False
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # what follows the first picture may be broken, and is not used
        return False


def is_misnamed(name: str, look: str) -> bool:
    """Say whether a file's name ends as those of another format do; see `data.looks`.

    Of pixels that a data set gives in place of a file, no name can be wrong.
    """
    expected = _ENDINGS.get(name[name.rfind(".") :].lower())
    found = look.partition(" ")[0].partition("+")[0]
    return expected is not None and found not in ("", PIXELS, expected)
