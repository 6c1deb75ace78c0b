"""`showDataExamples`: pictures of what training shows the network."""

import torch
from runs import CONFIG, StopAfter, StopError, write_experiment

from fivefold.experiment.experiment import Experiment

SHOWN = CONFIG + "augmentation: {Fliplr: 0.5}\nshowDataExamples: true\n"


def pictures(folder):
    root = folder / "examples"
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*.png")}


def test_every_epoch_of_every_stage_is_drawn_and_a_resume_draws_the_same(tmp_path):
    torch.set_num_threads(1)
    whole, broken, plain = (tmp_path / name for name in ("whole", "broken", "plain"))
    for folder, config in {whole: SHOWN, broken: SHOWN, plain: CONFIG}.items():
        folder.mkdir()
        write_experiment(folder, config=config)
    Experiment.load(whole).fit(folds=[0], reuse=False)
    try:
        Experiment.load(broken, progress=StopAfter(2)).fit(folds=[0], jobs=1, reuse=False)
    except StopError:
        Experiment.load(broken).fit(folds=[0], reuse=False)
    Experiment.load(plain).fit(folds=[0], reuse=False)
    assert sorted(pictures(whole)) == [
        "0/0/epoch-000000.png",
        "0/0/train/epoch-000000.png",
        "0/0/validation.png",
        "1/0/epoch-000000.png",
        "1/0/epoch-000001.png",
        "1/0/train/epoch-000000.png",
        "1/0/train/epoch-000001.png",
        "1/0/validation.png",
    ]
    assert pictures(broken) == pictures(whole)
    assert sorted(pictures(plain)) == [
        name for name in sorted(pictures(whole)) if "train" not in name
    ]
