import json
from dataclasses import replace

import pytest
import tiny  # noqa: F401  registers the net
from runs import fitted

from fivefold.config import parse
from fivefold.core.cache_home import CacheHome
from fivefold.core.choices import EXACT
from fivefold.core.layout import RunFolder
from fivefold.engine.checkpoint import load_bundle, load_model
from fivefold.engine.tensors import model_tensors
from fivefold.experiment.register import Register
from fivefold.experiment.reuse import adopt, as_text, open_reuse
from fivefold.experiment.surroundings import incoming_of_bundle, incoming_of_model
from fivefold.models.names import backbones

KEY = "ab" * 32


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return fitted(tmp_path_factory.mktemp("source"), per_class=6)


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    return fitted(tmp_path_factory.mktemp("twin"), per_class=6)


@pytest.fixture
def found(source, tmp_path):
    home = CacheHome(tmp_path / "cache", 10**9)
    Register(home).add(KEY, source.folder, 1, source.stages[0])
    return Register(home).find(KEY)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "run").mkdir()
    return RunFolder.of(tmp_path / "run")


def test_an_adopted_stage_has_the_files_that_training_would_have_written(
    found, folder, twin, source
):
    assert adopt(found, folder, twin.config.as_mapping())
    adopted = [path for path in folder.root.rglob("*") if path.is_file()]
    assert sorted(path.relative_to(folder.root).as_posix() for path in adopted) == sorted(
        found.files
    )
    for name in found.files:
        if name != "weights/best-1.0.json":
            assert (folder.root / name).read_bytes() == (twin.folder.root / name).read_bytes()
    bundle = load_bundle(folder.bundle(1, 0))
    assert bundle.reused_from == str(source.folder.root.resolve())
    assert replace(bundle, reused_from="") == load_bundle(twin.folder.bundle(1, 0))
    texts = [json.loads(f.bundle(1, 0).read_text()) for f in (folder, twin.folder)]
    assert texts[0].keys() == texts[1].keys()
    differ = {key for key in texts[0] if texts[0][key] != texts[1][key]}
    assert differ == {"reused_from", "seal"}


def test_an_adopted_stage_bears_the_config_of_the_experiment_that_took_it(found, folder):
    adopt(found, folder, {"lr": 0.5})
    assert load_bundle(folder.bundle(1, 0)).config == {"lr": 0.5}


def test_the_model_of_an_adopted_stage_is_the_trained_one(found, folder, twin):
    adopt(found, folder, {})
    taken, trained = (model_tensors(load_model(f, 1, 0)) for f in (folder, twin.folder))
    assert all(taken[name].equal(trained[name]) for name in taken.keys() | trained)


def test_commits_of_an_adopted_stage_are_forgotten_and_others_kept(found, folder):
    folder.state(1).mkdir(parents=True)
    for name in ("0-000001.json", "0-000001.safetensors", "best-0-000000.npz", "1-000001.json"):
        (folder.state(1) / name).touch()
    adopt(found, folder, {})
    assert [path.name for path in folder.state(1).iterdir()] == ["1-000001.json"]


def test_a_source_that_changes_at_this_moment_leaves_the_stage_to_be_trained(found, folder):
    name = "weights/best-1.0.safetensors"
    changed = replace(found, files={**found.files, name: "0" * 64})
    assert not adopt(changed, folder, {})
    assert not folder.bundle(1, 0).exists()


def test_a_path_that_is_no_text_becomes_escapes(folder):
    assert as_text(folder.root / "caf\udce9") == f"{folder.root}/caf\\xe9"


@pytest.mark.usefixtures("cache_folder")
@pytest.mark.parametrize(
    ("text", "wanted", "usable"),
    [
        ("lr: 0.1", True, True),
        ("lr: 0.1", False, False),
        ("cache: false", True, False),
        ("imports: [own]", True, False),
    ],
)
def test_own_code_a_cache_that_is_off_and_a_wish_each_end_reuse(text, wanted, usable):
    assert (open_reuse(parse(text), EXACT, wanted=wanted).register is not None) == usable


@pytest.mark.usefixtures("cache_folder")
def test_a_component_from_a_notebook_ends_reuse_and_is_named(monkeypatch, caplog):
    component = replace(backbones.get("tiny"), make=eval("lambda: None", {"__name__": "cell"}))
    monkeypatch.setattr(backbones, "components", lambda: [component])
    assert open_reuse(parse("lr: 0.1"), EXACT).register is None
    text = "stages are neither taken from other experiments nor given: 'tiny' is in no file"
    assert caplog.messages == [text]


def test_first_weights_of_another_fold_stage_or_origin_are_told_apart(source):
    bundles = [load_bundle(source.folder.bundle(*place)) for place in ((0, 0), (1, 0), (0, 1))]
    other = replace(bundles[0].origin, description="elsewhere")
    bundles.append(replace(bundles[0], origin=other))
    assert len({incoming_of_bundle(bundle) for bundle in bundles}) == 4
    models = [load_model(source.folder, *place) for place in ((0, 0), (1, 0), (0, 1), (0, 0))]
    models[3].origin = other
    assert len({incoming_of_model(model) for model in models}) == 4
    again = load_model(source.folder, 0, 0)
    assert incoming_of_model(again) == incoming_of_model(models[0])
    again.head.linear.bias.data[0] += 1
    assert incoming_of_model(again) != incoming_of_model(models[0])
