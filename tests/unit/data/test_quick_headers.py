import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from fivefold.data.quick_headers import PART, quick_header

_TRAITS = {"1": "+grey", "L": "+grey", "I;16": "+grey+16-bit", "CMYK": "+cmyk"}
_TRAITS |= {"RGBA": "+alpha", "LA": "+grey+alpha"}


def encoded(mode="RGB", kind="JPEG", size=(30, 20), **options):
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def quick(data):
    return quick_header(data[:PART], lambda start, count: data[start : start + count])


def asked_pillow(data):
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
        width, height = image.size
        turn = image.getexif().get(0x0112, 1)
        traits = _TRAITS.get(image.mode, "")
        traits += "+alpha" * ("transparency" in image.info)
        name = {"MPO": "JPEG"}.get(image.format, image.format)
    size = (width, height) if turn in (5, 6, 7, 8) else (height, width)
    return *size, f"{name}{traits}{'+rotated' * (turn in range(2, 9))}"


def exif_of(turn, more=0):
    exif = Image.Exif()
    exif[0x010F] = "maker"
    exif[0x0112] = turn
    if more:
        exif[0x927C] = bytes(more)
    return exif


def xmp_of(turn):
    return f'<x:xmpmeta><rdf:Description tiff:Orientation="{turn}"/></x:xmpmeta>'.encode()


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"icc_profile": bytes(9000)}])
def test_a_jpeg_is_told_as_pillow_tells_it(mode, options):
    data = encoded(mode, **options)
    assert quick(data) == asked_pillow(data)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("more", [0, 60_000])
def test_a_jpeg_that_has_to_be_turned_is_told_upright(turn, more):
    data = encoded(exif=exif_of(turn, more))
    assert quick(data) == asked_pillow(data)
    assert (quick(data).kind == "JPEG+rotated") is (turn > 1)


def test_exif_of_the_other_byte_order_is_read():
    exif = b"Exif\0\0MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    assert quick(encoded(exif=exif)) == asked_pillow(encoded(exif=exif)) == (30, 20, "JPEG+rotated")


@pytest.mark.parametrize(
    "data",
    [
        encoded(xmp=xmp_of(6)),
        encoded(exif=b"Exif\0\0II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 4, 1, 6, 0, 0)),
        encoded(exif=b"Exif\0\0" + bytes(20)),
        encoded(kind="WEBP"),
        encoded(kind="GIF"),
        encoded(kind="BMP"),
        encoded(kind="MPO", save_all=True, append_images=[Image.new("RGB", (30, 20))]),
        encoded(kind="PNG", exif=exif_of(6)),
        encoded(kind="PNG", save_all=True, append_images=[Image.new("RGB", (30, 20))]),
        b"",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"some text",
    ],
)
def test_what_is_unusual_is_left_to_pillow(data):
    assert quick(data) is None


def test_where_exif_and_xmp_turn_it_exif_counts():
    data = encoded(exif=exif_of(3), xmp=xmp_of(6))
    assert quick(data) == asked_pillow(data)


@pytest.mark.parametrize("mode", ["1", "L", "I;16", "P", "RGB", "RGBA", "LA"])
def test_a_png_is_told_as_pillow_tells_it(mode):
    data = encoded(mode, "PNG") if mode != "I;16" else deep()
    assert quick(data) == asked_pillow(data)


def deep():
    buffer = io.BytesIO()
    Image.fromarray(np.arange(600, dtype=np.uint16).reshape(20, 30)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("mode", "transparency"), [("P", 3), ("P", b"\xff\x80"), ("L", 7), ("RGB", (1, 2, 3))]
)
def test_a_transparent_colour_of_a_png_is_told(mode, transparency):
    data = encoded(mode, "PNG", transparency=transparency)
    assert quick(data) == asked_pillow(data)
    assert quick(data).kind.endswith("+alpha")


def test_sixteen_bits_of_a_colour_png_are_told():
    data = deep()
    header = bytearray(data[12:29])
    header[13] = 2  # colours; Pillow reads eight bits of them
    crc = struct.pack(">I", zlib.crc32(header))
    assert quick(data[:12] + header + crc + data[33:]) == (20, 30, "PNG+16-bit")


@pytest.mark.parametrize(("key", "known"), [("Software", True), ("XML:com.adobe.xmp", False)])
def test_texts_of_a_png_are_passed_unless_they_may_turn_it(key, known):
    texts = PngImagePlugin.PngInfo()
    texts.add_text(key, "x" * 10_000)
    texts.add_itxt(key, "x")
    data = encoded(kind="PNG", pnginfo=texts, dpi=(72, 72))
    assert quick(data) == (asked_pillow(data) if known else None)


def test_a_damaged_png_header_is_left_to_pillow():
    data = bytearray(encoded(kind="PNG"))
    data[20] ^= 1
    assert quick(bytes(data)) is None


_WHOLE = [encoded(), encoded(exif=exif_of(6)), encoded("LA", "PNG"), encoded("P", "PNG")]


@settings(max_examples=300, deadline=None)
@given(
    data=st.sampled_from(_WHOLE),
    cut=st.integers(0, 700),
    changes=st.lists(st.tuples(st.integers(0, 250), st.integers(0, 255)), max_size=3),
)
def test_damaged_files_are_told_as_pillow_tells_them_or_not_at_all(data, cut, changes):
    changed = bytearray(data[: len(data) - cut])
    for place, value in changes:
        if place < len(changed):
            changed[place] = value
    found = quick(bytes(changed))
    try:
        expected = asked_pillow(bytes(changed))
    except Exception:  # Pillow leaks anything; what it refuses may look whole
        return
    assert found is None or found == expected
