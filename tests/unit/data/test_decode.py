import io
import os
import random
import resource
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from fivefold.data.decode import Limits, decode, read_image
from fivefold.data.image_problem import ImageProblem

FORMATS = ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"]


def encoded(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def photo(height=20, width=30, seed=0):
    """Smooth colours, so that lossy formats stay close."""
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [np.sin(rows / (5 + seed)), np.cos(columns / 7), np.sin((rows + columns) / 9)]
    return np.stack([(120 + 100 * wave).astype(np.uint8) for wave in waves], axis=-1)


def bomb(width, height):
    """A PNG header that promises one-bit pixels, with a little data."""

    def chunk(name, body):
        crc = struct.pack(">I", zlib.crc32(name + body))
        return struct.pack(">I", len(body)) + name + body + crc

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100_000)))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def reason_of(data, **options):
    with pytest.raises(ImageProblem, match="expected a readable image, got") as error:
        decode(data, **options)
    assert error.value.slug == "data/image"
    return error.value.reason


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_come_back_equal(kind):
    assert np.array_equal(decode(encoded(Image.fromarray(photo()), kind)), photo())


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_formats_come_back_close(kind):
    found = decode(encoded(Image.fromarray(photo()), kind, quality=95))
    assert np.abs(found.astype(int) - photo()).mean() < 3


def test_the_content_decides_and_not_the_name(tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(encoded(Image.fromarray(photo()), "BMP"))
    assert np.array_equal(read_image(path), photo())


def test_grey_becomes_three_equal_channels():
    grey = photo()[:, :, 0]
    found = decode(encoded(Image.fromarray(grey)))
    assert np.array_equal(found, np.stack([grey] * 3, axis=-1))


def test_one_bit_becomes_black_and_white():
    found = decode(encoded(Image.fromarray(photo()[:, :, 0] > 120)))
    assert set(np.unique(found)) == {0, 255}


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_and_never_clipped(kind):
    ramp = np.linspace(0, 65535, 40 * 50).astype(np.uint16).reshape(40, 50)
    found = decode(encoded(Image.fromarray(ramp), kind))
    assert np.abs(found[:, :, 0] - ramp / 257).max() <= 0.5 + 1e-9
    assert abs(found.mean() - (ramp / 257).mean()) < 1


@pytest.mark.parametrize("top", [1.0, 255.0])
def test_floating_point_images_are_scaled(top):
    ramp = np.linspace(0, top, 400, dtype=np.float32).reshape(20, 20)
    found = decode(encoded(Image.fromarray(ramp), "TIFF"))
    assert (found[0, 0, 0], found[-1, -1, 0]) == (0, 255)


def test_floating_point_images_with_nan_are_refused():
    ramp = np.full((4, 4), np.nan, dtype=np.float32)
    assert reason_of(encoded(Image.fromarray(ramp), "TIFF")) == "decode_error"


def test_transparency_is_laid_over_white():
    rgba = np.zeros((1, 3, 4), dtype=np.uint8)
    rgba[0, :, 3] = [0, 51, 255]  # black: invisible, a fifth, opaque
    found = decode(encoded(Image.fromarray(rgba)))
    assert found[0, :, 0].tolist() == [255, 204, 0]


def test_grey_with_alpha_is_laid_over_white():
    grey = np.zeros((2, 2, 2), dtype=np.uint8)
    assert (decode(encoded(Image.fromarray(grey))) == 255).all()


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_palette_and_its_transparent_colour(kind):
    image = Image.new("P", (3, 1))
    image.putpalette([255, 0, 0, 0, 0, 255, 0, 255, 0])
    image.putdata([0, 1, 2])
    found = decode(encoded(image, kind, transparency=1))
    assert found[0].tolist() == [[255, 0, 0], [255, 255, 255], [0, 255, 0]]


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0), (255,) * 3])
def test_cmyk_swatches_keep_their_colour(colour):
    image = Image.new("RGB", (16, 16), colour).convert("CMYK")
    found = decode(encoded(image, "JPEG", quality=95))
    assert np.abs(found.astype(int) - colour).max() <= 12


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_orientations_decode_to_the_same_picture(kind, orientation):
    undo = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: np.swapaxes(a, 0, 1),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.swapaxes(np.rot90(a, 2), 0, 1),
        8: lambda a: np.rot90(a, -1),
    }
    stored = Image.fromarray(np.ascontiguousarray(undo[orientation](photo())))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 98, "subsampling": 0} if kind == "JPEG" else {}
    options |= {"lossless": True} if kind == "WEBP" else {}
    found = decode(encoded(stored, kind, exif=exif, **options))
    assert found.shape == photo().shape
    assert np.abs(found.astype(int) - photo()).mean() < 2


def test_broken_exif_leaves_the_picture_as_it_is():
    generator = random.Random(0)
    for _ in range(50):
        exif = b"Exif\0\0" + generator.randbytes(40)
        data = encoded(Image.fromarray(photo()), "JPEG", exif=exif)
        assert decode(data).shape in {(20, 30, 3), (30, 20, 3)}


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF"])
def test_an_animation_is_its_first_frame(kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "green")]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert (decode(data) == (255, 0, 0)).all()


def test_a_large_jpeg_is_drafted_but_stays_large_enough():
    data = encoded(Image.fromarray(photo(800, 640)), "JPEG")
    assert decode(data).shape == (800, 640, 3)
    assert decode(data, draft_size=(100, 50)).shape == (200, 160, 3)
    assert min(decode(data, draft_size=(100, 100)).shape[:2]) >= 100


def test_sixty_thousand_pixels_square_are_refused_without_memory():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert reason_of(bomb(60_000, 60_000)) == "too_many_pixels"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


def test_a_bomb_is_told_with_the_limit_that_counts():
    with pytest.raises(ImageProblem, match="than the 100,000,000 that are decoded at most"):
        decode(bomb(60_000, 60_000))


def test_pixels_just_above_the_limit_are_refused():
    data = encoded(Image.new("L", (11, 10)))
    assert reason_of(data, limits=Limits(max_pixels=100)) == "too_many_pixels"
    assert decode(data, limits=Limits(max_pixels=110)).shape == (10, 11, 3)


def test_nothing_is_empty():
    assert reason_of(b"") == "empty"


@pytest.mark.parametrize(
    "data",
    [b"hello, world", b"%PDF-1.7\n", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\x7fELF", b"\xff", b"<svg/>"],
)
def test_what_is_no_allowed_image_is_named(data):
    assert reason_of(data) == "format_not_allowed"


@pytest.mark.parametrize("kind", FORMATS)
def test_cut_files_are_refused(kind):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    assert reason_of(data[: len(data) * 2 // 3]) in {"truncated", "decode_error"}


def test_a_cut_jpeg_is_called_truncated():
    data = encoded(Image.fromarray(photo(200, 200)), "JPEG")
    assert reason_of(data[: len(data) // 2]) == "truncated"


@pytest.mark.parametrize("kind", FORMATS)
def test_mutated_files_end_as_pixels_or_as_a_problem(kind):
    generator = random.Random(kind)
    original = encoded(Image.fromarray(photo()), kind)
    for _ in range(150):
        data = bytearray(original)
        for _ in range(generator.randint(1, 6)):
            data[generator.randrange(len(data))] = generator.randrange(256)
        if generator.random() < 0.2:
            del data[generator.randrange(len(data)) :]
        try:
            pixels = decode(bytes(data))
        except ImageProblem:
            continue
        assert pixels.dtype == np.uint8
        assert pixels.shape[2] == 3


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(ImageProblem, match="got missing") as error:
        read_image(tmp_path / "none.png")
    assert error.value.reason == "missing"


def test_a_folder_and_a_pipe_are_not_regular_files(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    for path in (tmp_path, tmp_path / "pipe.jpg"):
        with pytest.raises(ImageProblem, match="got not_regular_file"):
            read_image(path)


def test_a_file_above_the_byte_limit_is_not_read(tmp_path):
    path = tmp_path / "sparse.png"
    with path.open("wb") as file:
        file.truncate(5 << 30)
    with pytest.raises(ImageProblem, match="got too_large"):
        read_image(path)


def test_a_name_with_nul_is_a_problem_and_no_crash(tmp_path):
    with pytest.raises(ImageProblem, match="got unreadable"):
        read_image(tmp_path / "a\0b.png")


def test_a_name_that_is_too_long_is_a_missing_file(tmp_path):
    with pytest.raises(ImageProblem, match="got missing: there is no such file") as error:
        read_image(tmp_path / ("x" * 300))
    assert error.value.reason == "missing"


@pytest.mark.slow
def test_large_transparent_palettes_need_little_memory(tmp_path):
    image = Image.new("P", (9999, 9999), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.save(tmp_path / "a.png", transparency=bytes([0, 100]))
    program = (
        "import sys\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from pathlib import Path\n"
        "from fivefold.data.decode import read_image\n"
        "with ThreadPoolExecutor(3) as threads:\n"
        "    paths = [Path(sys.argv[1])] * 3\n"
        "    list(threads.map(lambda path: read_image(path).shape, paths))\n"
        # Unlike ru_maxrss this does not begin with the size of the process that starts it.
        "status = Path('/proc/self/status').read_text()\n"
        "print(int(status.partition('VmHWM:')[2].split()[0]) // 1000)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "a.png")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1500  # MB; three of them at once took 6 GB
