import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from fivefold.apps.data_files.pictures import Picture, resized
from fivefold.data import ImageProblem


def file_of(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def opened(picture):
    return Image.open(io.BytesIO(picture.data))


def noise(mode="RGB", size=(40, 20)):
    channels = len(Image.new(mode, (1, 1)).getbands())
    shape = (size[1], size[0], channels) if channels > 1 else (size[1], size[0])
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return Image.fromarray(pixels, mode="CMYK") if mode == "CMYK" else Image.fromarray(pixels)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"])
@pytest.mark.parametrize("longest", [10, 40, 80])
def test_the_longer_side_has_the_length_in_the_same_format(kind, longest):
    picture = resized(file_of(noise(), kind), longest)
    with opened(picture) as image:
        assert image.format == kind
        assert image.size == (longest, longest // 2)
    assert (picture.width, picture.height, picture.before) == (longest, longest // 2, 40)


def test_pixels_are_those_of_lanczos():
    before = noise()
    with opened(resized(file_of(before, "PNG"), 20)) as image:
        expected = before.resize((20, 10), Image.Resampling.LANCZOS)
        np.testing.assert_array_equal(np.asarray(image), np.asarray(expected))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied_and_gone(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "maker"
    data = file_of(noise(), "PNG", exif=exif)
    with opened(resized(data, 40)) as image, opened(Picture(data, 0, 0, 0, False)) as turned:
        assert not image.getexif()
        expected = np.asarray(ImageOps.exif_transpose(turned))
        np.testing.assert_array_equal(np.asarray(image), expected)
    with opened(resized(data, 40, keep_metadata=True)) as image:
        assert image.getexif()[0x010F] == "maker"
        assert image.getexif()[0x0112] == 1


def test_a_comment_goes():
    with opened(resized(file_of(noise(), "JPEG", comment=b"hello"), 40)) as image:
        assert "comment" not in image.info


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_colour_profile_goes_unless_it_is_kept(kind):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = file_of(noise(), kind, icc_profile=profile)
    with opened(resized(data, 40)) as image:
        assert "icc_profile" not in image.info
    with opened(resized(data, 40, keep_metadata=True)) as image:
        assert image.info["icc_profile"] == profile


@pytest.mark.parametrize(
    ("mode", "kind", "after", "grey"),
    [
        ("RGB", "PNG", "RGB", "L"),
        ("RGBA", "PNG", "RGBA", "LA"),
        ("L", "PNG", "L", "L"),
        ("L", "JPEG", "L", "L"),
        ("CMYK", "JPEG", "CMYK", "L"),
        ("RGBA", "WEBP", "RGBA", None),
        ("RGBA", "TIFF", "RGBA", "LA"),
    ],
)
def test_modes_stay_and_become_grey_on_request(mode, kind, after, grey):
    data = file_of(noise(mode), kind)
    with opened(resized(data, 20)) as image:
        assert image.mode == after
    with opened(resized(data, 20, grayscale=True)) as image:
        assert grey is None or image.mode == grey


def test_a_palette_becomes_colours_and_its_transparency_stays():
    image = Image.new("P", (8, 8), 1)
    image.putpalette([255, 0, 0, 0, 255, 0])
    with opened(resized(file_of(image, "PNG", transparency=1), 4)) as found:
        assert found.mode == "RGBA"
        assert found.getpixel((0, 0))[3] == 0


def test_sixteen_bits_stay():
    pixels = np.linspace(0, 65535, 800).reshape(20, 40).astype(np.uint16)
    with opened(resized(file_of(Image.fromarray(pixels), "PNG"), 20)) as image:
        assert image.mode == "I;16"
        assert np.asarray(image).max() > 60000


def test_one_pixel_stays_at_least():
    picture = resized(file_of(noise(size=(300, 1)), "PNG"), 10)
    assert (picture.width, picture.height) == (10, 1)


def test_of_an_animation_the_first_picture_is_taken():
    frames = [noise(), noise("L").convert("RGB")]
    picture = resized(file_of(frames[0], "GIF", save_all=True, append_images=frames[1:]), 20)
    assert picture.first_only
    assert not resized(file_of(frames[0], "GIF"), 20).first_only


@pytest.mark.parametrize("data", [b"", b"no image", file_of(noise(), "JPEG")[:300]])
def test_what_is_no_image_is_a_problem(data):
    with pytest.raises(ImageProblem, match=r".+"):
        resized(data, 20)
