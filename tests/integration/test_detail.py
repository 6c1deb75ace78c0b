"""Training on parts that are enlarged: from larger pictures, whatever keeps them."""

import numpy as np
import pytest
import torch
from digests import result_digests
from runs import CONFIG, write_experiment

from fivefold.apps.preview import preview
from fivefold.augment import build_augmentation
from fivefold.config import parse
from fivefold.core.catalog import nowhere
from fivefold.core.seeding import SampleGenerators
from fivefold.experiment import experiment as module
from fivefold.experiment.datasets import prepare
from fivefold.experiment.work import fold_data

# The drawn shapes have 40 by 40 pixels.
ENLARGING = CONFIG.replace("shape: [32, 32, 3]", "shape: [16, 16, 3]")
ENLARGING += "augmentation: {RandomResizedCrop: {scale: [0.1, 0.5]}, Invert: 0.5}\n"


def experiment_of(folder, config=ENLARGING):
    torch.set_num_threads(1)
    return module.Experiment.load(write_experiment(folder, config=config))


def first_batches(experiment, stage=1):
    """Collect what an epoch of fold 0 is trained on, by the samples' ids."""
    run = experiment
    prepared = prepare(run.source(), run.config, run.folder, run.progress)
    data = fold_data(run._work(prepared, [0]), 0, run.stages[stage])
    batches = data.train_batches(run.stages[stage], seed=run.config.seed, fold=0)(0)
    ids = data.table.ids
    found = {}
    for batch in batches:
        found |= {ids[row]: p for row, p in zip(batch.indices, batch.images, strict=True)}
    return found, data


def test_an_epoch_sees_enlarged_parts_of_larger_pictures_and_validation_the_images(tmp_path):
    found, data = first_batches(experiment_of(tmp_path))
    assert data.images.larger.shape == (32, 32, 3)
    stage = parse(ENLARGING).resolve()[1]
    change = build_augmentation(stage.augmentation, nowhere)
    generators = SampleGenerators(parse(ENLARGING).seed, "augment", 0, 1, 0)
    rows = {sample_id: row for row, sample_id in enumerate(data.table.ids)}
    for sample_id, pixels in found.items():
        small, larger = (s.get(rows[sample_id]) for s in (data.images, data.images.larger))
        expected = change.closer(small, lambda p=larger: p, generators.of(sample_id))
        assert np.array_equal(pixels, expected)
        assert not np.array_equal(pixels, change(small, generators.of(sample_id)))
    for batch in data.val_batches(stage):
        for row, pixels in zip(batch.indices, batch.images, strict=True):
            assert np.array_equal(pixels, data.images.get(row))


def test_with_detail_1_enlarged_parts_come_from_the_networks_size(tmp_path):
    found, data = first_batches(experiment_of(tmp_path, ENLARGING + "detail: 1\n"))
    assert data.images.larger is None
    change = build_augmentation(parse(ENLARGING).resolve()[1].augmentation, nowhere)
    generators = SampleGenerators(parse(ENLARGING).seed, "augment", 0, 1, 0)
    rows = {sample_id: row for row, sample_id in enumerate(data.table.ids)}
    for sample_id, pixels in found.items():
        expected = change(data.images.get(rows[sample_id]), generators.of(sample_id))
        assert np.array_equal(pixels, expected)


def test_preview_draws_what_the_first_epoch_sees_to_the_bit(tmp_path, monkeypatch):
    experiment, drawn = experiment_of(tmp_path), {}

    def note(_headings, rows, **_more):
        drawn.update({row.sample_id: row.pictures for row in rows})
        return b""

    monkeypatch.setattr(preview, "draw_sheet", note)
    preview.draw_preview(experiment.config, experiment.source(), stage=1, views=1)
    found, _ = first_batches(experiment)
    shared = drawn.keys() & found.keys()
    assert shared
    for sample_id in shared:
        assert np.array_equal(drawn[sample_id][-1][0], found[sample_id])


@pytest.mark.slow
def test_bytes_are_the_same_with_a_cache_without_one_and_in_processes(tmp_path, monkeypatch):
    found = []
    for name, cache, jobs in (("a", "off", 1), ("b", tmp_path / "cache", 1), ("c", "off", 2)):
        monkeypatch.setenv("FIVEFOLD_CACHE", str(cache))
        experiment_of(tmp_path / name).fit(jobs=jobs)
        found.append(result_digests(tmp_path / name))
    assert found[0] == found[1] == found[2]
    assert len(found[0]) > 8
    # With what the cache keeps now, other than that of a stage that sees less.
    less = tmp_path / "less"
    monkeypatch.setenv("FIVEFOLD_CACHE", str(tmp_path / "cache"))
    experiment_of(less, ENLARGING + "detail: 1\n").fit(jobs=1)
    assert result_digests(less) != found[0]
