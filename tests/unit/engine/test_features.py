"""Features of a frozen backbone are computed once, of the images and of drawn views."""

import pickle

import numpy as np
import pytest
import tiny  # noqa: F401  registers the net
import torch
from shapes import draw_folders

from fivefold.augment import build_augmentation
from fivefold.build import build_images
from fivefold.config import parse
from fivefold.core.cache_home import CacheHome
from fivefold.core.progress import Silent
from fivefold.core.seeding import SampleGenerators
from fivefold.core.types import Head
from fivefold.data import FolderSource, audit, table_of
from fivefold.data.images import ResizedImages
from fivefold.data.kept import Kept
from fivefold.engine import feature_files
from fivefold.engine.device import on_device
from fivefold.engine.feature_files import FeatureFiles
from fivefold.engine.features import FeatureWork, compute_features, rows_of
from fivefold.models import ModelSpec, build_classifier

AUGMENTED = """\
architecture: tiny
weights: none
shape: [32, 32, 3]
augmentation: {Fliplr: 0.5, Affine: {rotate: [-20, 20]}}
stages: [{epochs: 6, freeze_encoder: true}]
"""


def stage_of(text=AUGMENTED):
    return parse(text).resolve()[0]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("features") / "shapes"
    draw_folders(folder, 13)
    source = FolderSource(folder)
    table = table_of(source, audit(source, folds=2, progress=Silent()))
    return build_images((32, 32, 3), source, table)


@pytest.fixture
def model():
    heads = (Head("", "softmax", ("a", "b", "c")),)
    spec = ModelSpec("tiny", heads, shape=(32, 32, 3))
    model = on_device(build_classifier(spec))
    model.freeze(encoder=True, batchnorm=False)
    return model


def work_on(images, home=None, **changes):
    rows = np.arange(len(images.table))
    given = {"images": images, "rows": rows, "seed": 3, "threads": 2, "progress": Silent()}
    return FeatureWork(**given | {"files": FeatureFiles(home)} | changes)


def one_by_one(model, pictures):
    """Compute features slowly: one image at a time, through the whole network's own road."""
    model.eval()
    with torch.inference_mode():
        parts = [
            model.features(torch.from_numpy(np.array(p))[None].permute(0, 3, 1, 2))
            for p in pictures
        ]
    return torch.cat(parts)


def test_plain_features_are_those_of_each_image_alone_to_six_digits(images, model):
    found = compute_features(model, stage_of(), work_on(images)).plain
    rows = np.arange(len(images.table))
    slow = one_by_one(model, [images.get(row) for row in rows])
    torch.testing.assert_close(found.of(rows), slow, rtol=1e-5, atol=1e-6)


def test_a_view_holds_the_augmented_images_that_its_number_draws(images, model):
    stage = stage_of()
    found = compute_features(model, stage, work_on(images))
    augment = build_augmentation(stage.augmentation, lambda *_: "")
    rows = np.arange(len(images.table))
    assert len(found.views) == 4
    generators = SampleGenerators(3, "augment", 2)
    drawn = [augment(images.get(row), generators.of(images.table.ids[row])) for row in rows]
    torch.testing.assert_close(
        found.views[2].of(rows), one_by_one(model, drawn), rtol=1e-5, atol=1e-6
    )


def test_transforms_come_after_augmentation_and_are_in_every_view(images, model):
    stage = stage_of(AUGMENTED + "transforms: {Invert: 1}\n")
    found = compute_features(model, stage, work_on(images))
    augment = build_augmentation(stage.augmentation, lambda *_: "")
    rows, generators = np.arange(len(images.table)), SampleGenerators(3, "augment", 1)
    plain = [255 - images.get(row) for row in rows]
    drawn = [255 - augment(images.get(row), generators.of(images.table.ids[row])) for row in rows]
    for table, pictures in ((found.plain, plain), (found.views[1], drawn)):
        slow = one_by_one(model, pictures)
        torch.testing.assert_close(table.of(rows), slow, rtol=1e-5, atol=1e-6)


def test_epochs_take_the_views_in_turn(images, model):
    found = compute_features(model, stage_of(), work_on(images))
    taken = [found.of_epoch(epoch) for epoch in range(6)]
    assert taken[:4] == list(found.views)
    assert taken[4:] == list(found.views[:2])


def test_without_augmentation_every_epoch_sees_the_images_as_they_are(images, model):
    stage = stage_of(AUGMENTED + "frozen_views: 0\n")
    found = compute_features(model, stage, work_on(images))
    assert found.views == ()
    assert found.of_epoch(5) is found.plain


def test_any_number_of_threads_gives_the_same_bits(images, model):
    one = compute_features(model, stage_of(), work_on(images, threads=1))
    torch.set_num_threads(2)
    many = compute_features(model, stage_of(), work_on(images, threads=4))
    for first, second in zip((one.plain, *one.views), (many.plain, *many.views), strict=True):
        assert torch.equal(first.values, second.values)


def test_a_second_run_finds_the_features_and_runs_no_backbone(images, model, tmp_path, monkeypatch):
    work = work_on(images, home=CacheHome(tmp_path, 10**9))
    made = compute_features(model, stage_of(), work)
    assert (made.seen, made.seconds > 0) == (5 * len(images.table), True)
    monkeypatch.setattr(model, "features", None)
    found = compute_features(model, stage_of(), work)
    assert (found.seen, found.seconds) == (0, 0)
    for first, second in zip((made.plain, *made.views), (found.plain, *found.views), strict=True):
        assert torch.equal(first.values, second.values)


CHANGES = ["weights", "seed", "rows", "augmentation", "transforms", "circumstances"]


@pytest.mark.parametrize("change", CHANGES)
def test_other_weights_seed_rows_or_augmentation_are_other_features(
    images, model, tmp_path, monkeypatch, change
):
    work = work_on(images, home=CacheHome(tmp_path, 10**9))
    stage = stage_of()
    compute_features(model, stage, work)
    calls = []
    features = type(model).features
    monkeypatch.setattr(
        type(model), "features", lambda self, pixels: calls.append(1) or features(self, pixels)
    )
    if change == "weights":
        with torch.no_grad():
            model.backbone.net.layers[0].weight[0] += 1
    elif change == "seed":
        work = work_on(images, home=work.files.home, seed=4)
    elif change == "rows":
        work = work_on(images, home=work.files.home, rows=np.arange(5))
    elif change == "transforms":
        stage = stage_of(AUGMENTED + "transforms: {Invert: 1}\n")
    elif change == "augmentation":
        stage = stage_of(AUGMENTED.replace("0.5", "0.6"))
    else:
        work = work_on(images, files=FeatureFiles(work.files.home, {"torch": "other"}))
    compute_features(model, stage, work)
    assert calls


def test_damaged_features_are_told_and_computed_again(images, model, tmp_path, caplog):
    work = work_on(images, home=CacheHome(tmp_path, 10**9))
    made = compute_features(model, stage_of(AUGMENTED + "frozen_views: 0\n"), work)
    (path,) = (tmp_path / "features").glob("*.npy")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    found = compute_features(model, stage_of(AUGMENTED + "frozen_views: 0\n"), work)
    assert torch.equal(made.plain.values, found.plain.values)
    assert "features are computed again" in caplog.text


def test_a_cache_that_cannot_be_written_costs_nothing_but_the_next_run(
    images, model, tmp_path, caplog
):
    (tmp_path / "features").write_text("a file where the folder would be")
    work = work_on(images, home=CacheHome(tmp_path, 10**9))
    found = compute_features(model, stage_of(), work)
    assert found.plain.values.shape == (len(images.table), 16)
    assert caplog.text.count("features are not kept for the next run") == 1


def test_features_are_not_kept_in_a_file_and_its_setting_is_told(monkeypatch, tmp_path, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setenv("FIVEFOLD_CACHE", str(tmp_path / "file"))
    files = FeatureFiles(CacheHome(tmp_path / "file", 10**9))
    files.keep({"a": 1}, np.ones((2, 2), np.float32))
    assert "next run: FIVEFOLD_CACHE: expected a folder or 'off', got" in caplog.text
    assert files.find({"a": 1}).tolist() == [[1, 1], [1, 1]]


def test_features_that_do_not_fit_into_the_cache_are_not_kept(images, model, tmp_path, caplog):
    work = work_on(images, home=CacheHome(tmp_path, 1_000))
    compute_features(model, stage_of(AUGMENTED + "frozen_views: 0\n"), work)
    assert not list(tmp_path.rglob("*.npy"))
    assert "features are not kept for the next run: they need 0.0 MB" in caplog.text
    assert "may take 0.0 MB (`cache: N` in GB), and its disk has" in caplog.text


@pytest.mark.parametrize("num_bytes", [None, 1_000], ids=["no cache", "a full cache"])
def test_features_that_the_disk_does_not_keep_are_remembered_until_no_stage_has_use_for_them(
    images, model, tmp_path, monkeypatch, num_bytes
):
    work = work_on(images, home=num_bytes and CacheHome(tmp_path, num_bytes))
    made = compute_features(model, stage_of(), work)
    features = type(model).features
    monkeypatch.setattr(type(model), "features", None)
    found = compute_features(model, stage_of(), work)
    for first, second in zip((made.plain, *made.views), (found.plain, *found.views), strict=True):
        assert torch.equal(first.values, second.values)
    assert len(pickle.dumps(work.files)) < 2_000  # a process would get a copy of them
    calls = []
    monkeypatch.setattr(
        type(model), "features", lambda self, pixels: calls.append(1) or features(self, pixels)
    )
    work.files.forget()
    compute_features(model, stage_of(), work)
    assert calls


def test_the_oldest_features_are_forgotten_where_they_get_too_much(monkeypatch):
    monkeypatch.setattr(feature_files, "MEMORY_BYTES", 100)
    files = FeatureFiles(None)
    for number, count in enumerate([10, 10, 6, 26]):
        files.keep({"number": number}, np.full((count, 1), number, np.float32))
    found = [files.find({"number": number}) for number in range(4)]
    assert [None if values is None else len(values) for values in found] == [None, 10, 6, None]


def test_what_this_run_uses_makes_no_room_for_its_features(images, model, tmp_path, monkeypatch):
    source, home = images.source, CacheHome(tmp_path, 10**9)
    kept = Kept(images._preprocess, len(source), home)
    table = table_of(source, audit(source, folds=2, progress=Silent(), kept=kept))
    work = work_on(ResizedImages(source, table, kept), home=home)
    asked = []
    monkeypatch.setattr(
        feature_files, "make_room", lambda _, size, keep: asked.append(set(keep)) or True
    )
    compute_features(model, stage_of(), work)
    shards = set(tmp_path.glob("pixels/*/*.index"))
    assert len(shards) == 1
    features = set(tmp_path.glob("features/*.json"))
    assert [len(keep - shards) for keep in asked] == [0, 1, 2, 3, 4]
    assert all(shards < keep <= shards | features for keep in asked[1:])
    again = work_on(work.images, files=FeatureFiles(home))
    compute_features(model, stage_of(), again)
    again.files.keep({"other": 1}, np.zeros((2, 2), np.float32))
    assert asked[-1] == features


def test_rows_of_folds_are_joined_each_once_and_ascending():
    assert rows_of([[4, 2], [2, 7], [0]]).tolist() == [0, 2, 4, 7]
