import numpy as np
import pytest
from pictures import augment, noise, rng, smooth, squares

from fivefold.augment import augmenters
from fivefold.augment.changes import change_image, fuse


def cells_of(image, rows, columns):
    height, width = image.shape[0] // rows, image.shape[1] // columns
    return [
        image[i * height : (i + 1) * height, j * width : (j + 1) * width].tobytes()
        for i in range(rows)
        for j in range(columns)
    ]


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_a_jigsaw_has_all_its_cells_and_none_of_them_far_away(steps):
    image, ways = noise(24, 36), []
    for seed in range(20):
        value = {"nb_rows": 4, "nb_cols": 6, "max_steps": steps}
        before, after = (cells_of(i, 4, 6) for i in (image, augment(image, "Jigsaw", value, seed)))
        assert sorted(before) == sorted(after)
        places = [(divmod(before.index(cell), 6), divmod(i, 6)) for i, cell in enumerate(after)]
        ways += [abs(r - y) + abs(c - x) for (r, c), (y, x) in places]
    assert max(ways) <= steps
    assert 0.1 < np.count_nonzero(ways) / len(ways) < 0.9


def test_a_step_takes_a_cell_to_a_neighbour_or_with_one_to_the_next():
    image = noise(30, 30)
    for seed in range(20):
        found = augment(image, "Jigsaw", {"nb_rows": 1, "nb_cols": 2}, seed)
        swapped = np.concatenate([image[:, 15:], image[:, :15]], axis=1)
        assert np.array_equal(found, image) or np.array_equal(found, swapped)


def test_no_steps_change_nothing():
    image = noise(30, 30)
    assert augment(image, "Jigsaw", {"nb_rows": 3, "nb_cols": 3, "max_steps": 0}) is image


def test_what_does_not_divide_is_padded_or_stays():
    image = noise(23, 35)
    component = augmenters.get("Jigsaw")
    changes = component.make(rng(), 23, 35, nb_rows=4, nb_cols=6)
    padded = change_image(image, fuse(changes))
    assert padded.shape == (24, 36, 3)
    values = np.sort(padded.reshape(-1, 3), axis=0)
    expected = np.pad(image, ((0, 1), (0, 1), (0, 0))).reshape(-1, 3)
    np.testing.assert_array_equal(values, np.sort(expected, axis=0))

    kept = augment(image, "Jigsaw", {"nb_rows": 4, "nb_cols": 6, "allow_pad": False})
    np.testing.assert_array_equal(kept[20:], image[20:])
    np.testing.assert_array_equal(kept[:, 30:], image[:, 30:])
    assert sorted(cells_of(kept[:20, :30], 4, 6)) == sorted(cells_of(image[:20, :30], 4, 6))


def test_a_mask_is_rearranged_alike():
    image, mask = squares()
    value = {"nb_rows": 4, "nb_cols": 4, "max_steps": 2}
    picture, moved = augment(image, "Jigsaw", value, 1, mask)
    np.testing.assert_array_equal(picture[..., 0], 100 * moved)


def test_moving_down_the_unrolled_image_turns_it():
    image = smooth(81, 81)
    turned = augment(
        image, "WithPolarWarping", {"Affine": {"translate_percent": {"y": 0.25}, "mode": "wrap"}}
    )
    y, x = np.mgrid[:81, :81] - 40
    inside = np.hypot(x, y) < 36
    difference = np.abs(turned[..., 0].astype(int) - np.rot90(image[..., 0], -1))
    assert difference[inside].mean() < 4


def test_moving_across_the_unrolled_image_moves_away_from_the_centre():
    image = np.zeros((81, 81, 1), np.uint8)
    image[36:45, 36:45] = 255
    moved = augment(image, "WithPolarWarping", {"Affine": {"translate_px": {"x": 20}, "cval": 0}})[
        ..., 0
    ]
    y, x = np.mgrid[:81, :81] - 40
    assert moved[40, 40] == 0
    assert moved[np.abs(np.hypot(x, y) - 22) < 1].mean() > 200


def test_unrolling_alone_nearly_keeps_the_image_and_its_mask():
    image, mask = squares(64, 64)
    still = [{"Affine": {"translate_px": {"x": 0}}}]
    picture, moved = augment(image, "WithPolarWarping", still, 0, mask)
    y, x = np.mgrid[:64, :64] - 31.5
    inside = np.hypot(x, y) < 30
    assert (np.abs(picture[..., 0].astype(int) - image[..., 0]) > 50)[inside].mean() < 0.08
    assert (moved != mask)[inside].mean() < 0.08
