import io

import numpy as np
import pytest
from PIL import Image

from fivefold.data.decode import decode_sized, read_header
from fivefold.data.file_kinds import is_misnamed
from fivefold.data.image_problem import ImageProblem
from fivefold.data.looks import look_of_text


def noise(mode="RGB", size=(12, 8)):
    pixels = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


def saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def turned(number):
    exif = Image.Exif()
    exif[0x0112] = number
    return exif


def deep():
    values = np.random.default_rng(2).integers(0, 65536, (8, 12), dtype=np.uint16)
    return Image.fromarray(values)


FILES = [
    (saved(noise(), "JPEG"), "JPEG"),
    (saved(noise("L"), "JPEG"), "JPEG+grey"),
    (saved(noise("CMYK"), "JPEG"), "JPEG+cmyk"),
    (saved(noise(), "JPEG", exif=turned(6)), "JPEG+rotated"),
    (saved(noise(), "JPEG", exif=turned(1)), "JPEG"),
    (saved(noise(), "PNG"), "PNG"),
    (saved(noise("1"), "PNG"), "PNG+grey"),
    (saved(noise("LA"), "PNG"), "PNG+grey+alpha"),
    (saved(noise("RGBA"), "PNG"), "PNG+alpha"),
    (saved(noise("P"), "PNG", transparency=3), "PNG+alpha"),
    (saved(deep(), "PNG"), "PNG+grey+16-bit"),
    (saved(deep(), "TIFF"), "TIFF+grey+16-bit"),
    (saved(noise("F"), "TIFF"), "TIFF+grey+16-bit"),
    (saved(noise("CMYK"), "TIFF"), "TIFF+cmyk"),
    (saved(noise(), "TIFF"), "TIFF"),
    (saved(noise(), "TIFF", save_all=True, append_images=[noise()]), "TIFF+animated"),
    (saved(noise("P"), "GIF"), "GIF"),
    (saved(noise("P"), "GIF", save_all=True, append_images=[noise("L")]), "GIF+animated"),
    (saved(noise(), "WEBP", lossless=True), "WEBP"),
    (saved(noise(), "WEBP", save_all=True, append_images=[noise("L")]), "WEBP+animated"),
    (saved(noise(), "PNG", save_all=True, append_images=[noise("L")]), "PNG+animated"),
    (saved(noise(), "BMP"), "BMP"),
    (saved(noise(), "MPO", save_all=True, append_images=[noise()]), "JPEG"),
]


@pytest.mark.parametrize(("data", "kind"), FILES, ids=[kind for _, kind in FILES])
def test_the_kind_of_a_file_is_told_with_its_pixels_and_by_its_header(data, kind, tmp_path):
    path = tmp_path / "x.bin"
    path.write_bytes(data)
    decoded, header = decode_sized(data), read_header(path)
    assert header.stamp == f"{len(data)}:{path.stat().st_mtime_ns}"
    assert (decoded.kind, header.kind) == (kind, kind)
    assert (decoded.height, decoded.width) == (header.height, header.width)
    assert str(look_of_text(kind)) == kind


def test_a_deep_png_of_colours_is_told_though_pillow_cuts_it():
    import cv2

    values = np.random.default_rng(2).integers(0, 65536, (8, 12, 3), dtype=np.uint16)
    data = cv2.imencode(".png", values)[1].tobytes()
    assert decode_sized(data).kind == "PNG+16-bit"


def test_looking_for_a_second_picture_changes_no_pixel():
    data = saved(noise("P"), "GIF", save_all=True, append_images=[noise("L")])
    with Image.open(io.BytesIO(data)) as first:
        assert np.array_equal(decode_sized(data).image, np.asarray(first.convert("RGB")))


def test_a_broken_second_picture_is_no_matter():
    data = saved(noise("P"), "GIF", save_all=True, append_images=[noise("L")])
    whole = decode_sized(data)
    cut = decode_sized(data[: len(data) // 2 + 10])
    assert np.array_equal(cut.image, whole.image)


@pytest.mark.parametrize(
    ("data", "reason"), [(b"", "empty"), (b"no image", "format_not_allowed"), (None, "missing")]
)
def test_what_a_header_tells_of_files_that_are_no_images(data, reason, tmp_path):
    path = tmp_path / "x.png"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ImageProblem, match=f"expected a readable image, got {reason}"):
        read_header(path)


def test_a_header_reads_no_pixels(tmp_path):
    path = tmp_path / "cut.png"
    path.write_bytes(saved(noise(size=(300, 200)), "PNG")[:1000])
    header = read_header(path)
    assert (header.height, header.width) == (200, 300)


@pytest.mark.parametrize(
    ("name", "kind", "misnamed"),
    [
        ("a.jpg", "JPEG", False),
        ("a.JPEG", "JPEG+grey", False),
        ("a.png", "JPEG", True),
        ("b/a.tif", "TIFF", False),
        ("a.webp", "PNG+alpha 1 2 3", True),
        ("a", "PNG", False),
        ("a.raw", "PNG", False),
        ("a.jpg", "JPEG 1 2 -1", False),
        ("a.png", "", False),
        ("a.png", "pixels 1 2 3", False),
    ],
)
def test_an_ending_of_another_format_is_told(name, kind, misnamed):
    assert is_misnamed(name, kind) == misnamed
