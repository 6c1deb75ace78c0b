import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fivefold.augment import build_augmentation, build_mixing, check_augmentation, mixes_batches
from fivefold.core.errors import ConfigError


def here(*path):
    return ".".join(map(str, path))


def batch_of(size, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (size, 12, 16, 3), dtype=np.uint8)
    return images, np.eye(size, dtype=np.float32)


def mixed(name, options, *, size=6, seed=0):
    images, targets = batch_of(size)
    mix = build_mixing([(name, options)])
    return mix(np.random.default_rng(seed), images, targets), images, targets


def shares_of(name, options, runs=400):
    """The share of its own truth in an image of each of many batches that is mixed with another."""
    found = [mixed(name, options, seed=seed)[0].targets for seed in range(runs)]
    apart = [np.flatnonzero(t.diagonal() < 1) for t in found]
    return np.array([t[i[0], i[0]] for t, i in zip(found, apart, strict=True) if len(i)])


@given(seed=st.integers(0, 500))
def test_mixup_blends_images_as_it_blends_truths(seed):
    found, images, _ = mixed("MixUp", {"alpha": 1.0}, seed=seed)
    # With one class for each sample, the mixed truth tells who was mixed, and how much.
    expected = np.tensordot(found.targets, images.astype(float), axes=1)
    np.testing.assert_allclose(found.images, expected, atol=0.51)


@given(seed=st.integers(0, 500))
def test_cutmix_pastes_one_rectangle_whose_area_is_the_truth(seed):
    found, images, _ = mixed("CutMix", {}, seed=seed)
    for i, (image, truth) in enumerate(zip(found.images, found.targets, strict=True)):
        pasted = (image != images[i]).any(axis=2)
        others = [j for j in np.flatnonzero(truth) if j != i]
        assert pasted.any() == bool(others)
        for j in others:
            rows, columns = np.flatnonzero(pasted.any(axis=1)), np.flatnonzero(pasted.any(axis=0))
            box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
            np.testing.assert_array_equal(image[box], images[j][box])
            assert truth[j] == pytest.approx(images[j][box][..., 0].size / (12 * 16), abs=1e-6)


@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
@given(seed=st.integers(0, 500))
def test_truth_stays_a_distribution_and_each_sample_counts_once(name, seed):
    found, *_ = mixed(name, {"alpha": 1.0}, seed=seed)
    np.testing.assert_allclose(found.targets.sum(axis=1), 1, atol=1e-6)
    assert sorted(found.order.tolist()) == list(range(6))
    largest = found.targets[np.arange(6), found.order]
    assert (largest >= 0.5 - 1e-6).all()


def test_the_share_is_drawn_from_beta():
    shares = shares_of("MixUp", {"alpha": 0.4})
    assert stats.kstest(shares, stats.beta(0.4, 0.4).cdf).statistic < 0.09


def test_a_small_alpha_hardly_mixes():
    weak, strong = (
        np.minimum(s, 1 - s).mean() for s in (shares_of("MixUp", a) for a in (0.1, 1.0))
    )
    assert weak < 0.12 < 0.22 < strong


@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
def test_prob_is_the_share_of_mixed_batches(name):
    options = {"alpha": 1.0, "prob": 0.3}
    changed = [
        (found.images is not images)
        for found, images, _ in (mixed(name, options, seed=seed) for seed in range(500))
    ]
    assert 0.24 < np.mean(changed) < 0.36


@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
def test_a_batch_of_one_stays_as_it_is(name):
    found, images, targets = mixed(name, {"alpha": 1.0}, size=1)
    np.testing.assert_array_equal(found.images, images)
    np.testing.assert_array_equal(found.targets, targets)


def test_of_several_mixers_each_batch_is_given_to_one():
    mix = build_mixing([("Fliplr", 0.5), ("MixUp", {"alpha": 1.0}), ("CutMix", None)])
    images, targets = batch_of(6)
    pasted = 0
    for seed in range(200):
        found = mix(np.random.default_rng(seed), images, targets)
        sources = [(found.images[0] == other).all(axis=2) for other in images]
        pasted += bool(np.any(sources, axis=0).all())
    assert 70 < pasted < 130


def test_mixers_are_left_out_of_what_changes_single_images():
    items = [("Fliplr", 1.0), ("MixUp", None)]
    image = batch_of(1)[0][0]
    changed = build_augmentation(items, here)(image, np.random.default_rng(0))
    np.testing.assert_array_equal(changed, image[:, ::-1])
    assert mixes_batches(items)
    assert not mixes_batches(items[:1])
    assert build_mixing(items[:1]) is None


@pytest.mark.parametrize(
    ("items", "key"),
    [
        ([("MixUp", None), ("Fliplr", 0.5)], "augmentation"),
        ([("OneOf", [{"CutMix": {}}, {"Fliplr": 0.5}])], "augmentation"),
        ([("CutMix", None)], "transforms"),
    ],
)
def test_a_mixer_stands_last_under_augmentation(items, key):
    (problem,) = check_augmentation(items, here, key)
    assert problem.slug == "config/misplaced-mixer"
    assert problem.message.startswith(f"{key}")
    assert "expected an augmenter of single images here, got" in problem.message


def test_options_of_mixers_are_checked_where_they_stand():
    (problem,) = check_augmentation([("MixUp", {"alpha": 0})], here, "stages.1.augmentation")
    assert problem.message == "stages.1.augmentation.MixUp.alpha: expected greater than 0, got 0"
    assert problem.where == "0.MixUp.alpha"
    with pytest.raises(ConfigError, match="prop: unknown key"):
        build_augmentation([("CutMix", {"prop": 1})], here)


@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
def test_what_mixes_labels_is_refused_for_masks(name):
    (problem,) = check_augmentation([("Fliplr", 0.5), (name, None)], here, masks=True)
    assert problem.slug == "config/refused-augmenter"
    assert str(problem) == (
        f"1.{name}: augmentation: augmenter {name!r} cannot be used\n"
        "    it mixes the labels of whole images, and these have masks: leave it out"
    )
