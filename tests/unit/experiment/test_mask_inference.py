from dataclasses import replace

import numpy as np
import pytest
import torch
from mask_nets import BRIGHT, COLOURS, GROUNDS, ensemble_of
from PIL import Image

from fivefold import PredictionItem
from fivefold.core.errors import ConfigError, DataError
from fivefold.core.progress import Silent
from fivefold.core.types import Head
from fivefold.data.decode import read_image
from fivefold.experiment.datasets import open_inputs, wrap


def photograph(size, seed=0):
    """Smooth colours, which resizing hardly changes: [H, W, 3]."""
    small = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return Image.fromarray(small).resize(size[::-1], Image.Resampling.BICUBIC)


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for number, size in enumerate([(32, 32), (50, 77), (20, 64)]):
        photograph(size, number).save(folder / f"{number}.png")
    return folder


def maps_of(ensemble, folder, batch=None):
    source = open_inputs(folder)
    found = ensemble.maps(source, Silent(), batch)
    return {source.sample_ids[one.position]: one.probs.arr for one in found}


def by_pixel(image, head=BRIGHT):
    values = torch.from_numpy(image[None].copy()).permute(0, 3, 1, 2)
    logits = ensemble_of(head).models[0](values)[0]
    probs = logits.softmax(dim=0) if head == GROUNDS else logits.sigmoid()
    return np.moveaxis(probs.numpy(), 0, 2)


def test_maps_have_the_images_own_sizes(images):
    found = maps_of(ensemble_of(), images)
    assert {name: one.shape for name, one in found.items()} == {
        "0.png": (32, 32, 1),
        "1.png": (50, 77, 1),
        "2.png": (20, 64, 1),
    }
    for name, one in found.items():
        np.testing.assert_allclose(one, by_pixel(read_image(images / name)), atol=0.06)


def test_an_image_of_the_networks_size_is_not_resized(images):
    exact = by_pixel(read_image(images / "0.png"), GROUNDS)
    np.testing.assert_allclose(maps_of(ensemble_of(GROUNDS), images)["0.png"], exact, atol=1e-6)


@pytest.mark.parametrize("head", [BRIGHT, COLOURS, GROUNDS])
def test_in_tiles_a_net_of_single_pixels_says_what_it_says_of_the_whole_image(images, head):
    found = maps_of(ensemble_of(head, tiles=0.25), images)
    for name, one in found.items():
        np.testing.assert_allclose(one, by_pixel(read_image(images / name), head), atol=1e-6)


class AsLearnt(torch.nn.Module):
    """Says where the bright part is as wide as it was learnt: 8 of the network's pixels."""

    heads = (BRIGHT,)

    def forward(self, images):
        bright = (images[:, :1].float() > 127).float()
        widths = bright.sum(dim=3, keepdim=True)
        return torch.where((widths - 8).abs() <= 1, 20 * (2 * bright - 1), -20.0)


def test_tiles_show_things_as_large_as_they_were_learnt(tmp_path):
    """Trained on 64 x 96 pixels, resized to 32 x 48, things of 16 pixels are of 8."""
    image = np.zeros((150, 300, 3), np.uint8)
    image[:, 200:216] = 255
    Image.fromarray(image).save(tmp_path / "large.png")
    truth = image[..., 0] > 0
    for covered, is_found in (((64, 96), True), (None, False)):
        made = ensemble_of(size=(32, 48), tiles=0.25, covered=covered)
        found = maps_of(replace(made, models=[AsLearnt()]), tmp_path)["large.png"]
        assert found.shape == (150, 300, 1)
        np.testing.assert_array_equal(found[..., 0] > 0.5, truth if is_found else 0 * truth)


@pytest.mark.parametrize("covered", [(64, 64), (16, 24), (45, 20)])
@pytest.mark.parametrize("transforms", [(), (("Fliplr", 1.0),)], ids=["plain", "flipped"])
def test_maps_of_resized_tiles_lie_over_the_image(images, covered, transforms):
    made = ensemble_of(COLOURS, tiles=0.25, covered=covered, transforms=transforms)
    for name, one in maps_of(made, images).items():
        exact = by_pixel(read_image(images / name), COLOURS)
        assert one.shape == exact.shape
        assert np.abs(one - exact).mean() < 0.02


def test_the_number_of_images_at_a_time_changes_nothing(images):
    alone, together = (maps_of(ensemble_of(COLOURS), images, batch) for batch in (1, 3))
    for name, one in alone.items():
        np.testing.assert_array_equal(one, together[name])


@pytest.mark.parametrize("tiles", [None, 0.5])
def test_models_and_flips_are_averaged(images, tiles):
    one, two = (maps_of(ensemble_of(scales=[s], tiles=tiles), images) for s in (1, 3))
    both = maps_of(ensemble_of(scales=[1, 3], tta=True, tiles=tiles), images)
    for name, found in both.items():
        np.testing.assert_allclose(found, (one[name] + two[name]) / 2, atol=1e-5)


def test_an_image_that_says_how_it_is_turned_gets_an_upright_mask(tmp_path):
    image = photograph((24, 40))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.png", exif=exif)
    upright = read_image(tmp_path / "turned.png")
    assert upright.shape == (40, 24, 3)
    for tiles in (None, 0.25):
        found = maps_of(ensemble_of(tiles=tiles), tmp_path)["turned.png"]
        np.testing.assert_allclose(found, by_pixel(upright), atol=0.06)


def test_a_large_jpeg_that_is_decoded_smaller_keeps_its_size(tmp_path):
    photograph((400, 600)).save(tmp_path / "large.jpg", quality=95)
    found = maps_of(ensemble_of(), tmp_path)["large.jpg"]
    assert found.shape == (400, 600, 1)
    np.testing.assert_allclose(found, by_pixel(read_image(tmp_path / "large.jpg")), atol=0.06)


@pytest.mark.parametrize("tiles", [None, 0.25])
def test_what_a_transform_moves_is_moved_back(images, tiles):
    ensemble = ensemble_of(tiles=tiles, transforms=(("Fliplr", 1.0),))
    plain = maps_of(ensemble_of(tiles=tiles), images)
    for name, one in maps_of(ensemble, images).items():
        np.testing.assert_allclose(one, plain[name], atol=1e-6)


@pytest.mark.parametrize("tiles", [None, 0.25])
def test_what_cannot_be_read_is_told_and_left_out(images, tiles, caplog):
    (images / "1.png").write_bytes((images / "1.png").read_bytes()[:200])
    assert list(maps_of(ensemble_of(tiles=tiles), images)) == ["0.png", "2.png"]
    assert "1.png: not predicted: truncated" in caplog.text


def test_nothing_to_predict_is_an_error(tmp_path):
    with pytest.raises(DataError, match="expected at least 1 image to predict"):
        list(ensemble_of().maps(wrap([], Silent(), labelled=False), Silent()))


def test_images_are_not_read_long_before_they_are_asked_for():
    read = []

    class Many:
        def __len__(self):
            return 500

        def __getitem__(self, i):
            read.append(i)
            return PredictionItem(str(i), np.full((32, 32, 3), i % 256, np.uint8), None)

    source = wrap(Many(), Silent(), labelled=False)
    for tiles in (None, 0.25):
        read.clear()
        found = ensemble_of(tiles=tiles).maps(source, Silent(), 4)
        assert next(found).position == 0
        found.close()
        assert len(read) < 40


def test_a_batch_of_large_images_or_many_classes_has_fewer():
    assert ensemble_of().batch == 32
    assert ensemble_of(size=(512, 512)).batch == 2
    assert ensemble_of(size=(2000, 3000)).batch == 1
    many = Head("", "sigmoid", tuple(map(str, range(200))))
    assert ensemble_of(many, size=(128, 128)).batch == 5


def test_an_overlap_that_is_none_is_refused_before_anything_is_read():
    with pytest.raises(ConfigError, match=r"tiles: expected an overlap from 0 to 0\.5"):
        ensemble_of(tiles=0.9)
