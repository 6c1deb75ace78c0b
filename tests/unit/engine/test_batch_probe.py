from dataclasses import replace

import pytest
from bundles import spec_of

from fivefold.core.cache_home import CacheHome
from fivefold.engine import batch_probe
from fivefold.engine.batch_probe import USUAL, choose_batch
from fivefold.models import build_classifier

MANY = 10**9


@pytest.fixture(scope="module")
def model():
    return build_classifier(spec_of()).eval()


@pytest.fixture
def probes(monkeypatch):
    """Answer with made-up speeds by size of batch, and count how often they were asked for."""
    asked, rates = [], {}

    def rate(model, shape, size, workers):
        asked.append(size)
        found = rates.get(size, 1.0)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(batch_probe, "_rate", rate)
    return rates, asked


def test_the_fastest_is_remembered(probes, model, tmp_path):
    rates, asked = probes
    rates |= {8: 1.2, 16: 2.0, 32: 1.5, 64: 1.0}
    home = CacheHome(tmp_path, 10**9)
    assert choose_batch(home, model, spec_of(), MANY, ()) == 16
    rates[64], before = 9.0, len(asked)
    assert choose_batch(home, model, spec_of(), MANY, ()) == 16
    assert len(asked) == before


@pytest.mark.parametrize("found", [{16: 1.05}, {}, {32: 2.0, 64: 2.1}, {8: MemoryError(), 64: 5.0}])
def test_the_usual_size_stays_where_no_other_is_clearly_faster(probes, model, tmp_path, found):
    probes[0].update(found)
    assert choose_batch(CacheHome(tmp_path, 10**9), model, spec_of(), MANY, ()) == USUAL


def test_another_net_of_the_same_name_is_probed_again(probes, model, tmp_path):
    probes[0].update({64: 9.0})
    home = CacheHome(tmp_path, 10**9)
    assert choose_batch(home, model, spec_of(), MANY, ["net.py 1"]) == 64
    probes[0].update({64: 0.1, 8: 9.0})
    assert choose_batch(home, model, spec_of(), MANY, ["net.py 1"]) == 64
    assert choose_batch(home, model, spec_of(), MANY, ["net.py 2"]) == 8


def test_a_net_that_cuts_images_is_probed_on_its_own(probes, model, tmp_path):
    probes[0].update({64: 9.0})
    home = CacheHome(tmp_path, 10**9)
    assert choose_batch(home, model, spec_of(), MANY, ()) == 64
    probes[0].update({64: 0.1, 8: 9.0})
    assert choose_batch(home, model, replace(spec_of(), crops=2), MANY, ()) == 8


def test_nothing_is_probed_without_a_cache_or_for_few_images(probes, model, tmp_path):
    probes[0].update({64: 9.0})
    assert choose_batch(None, model, spec_of(), MANY, ()) == USUAL
    assert choose_batch(CacheHome(tmp_path, 10**9), model, spec_of(), 1000, ()) == USUAL
    assert not probes[1]
    assert not list(tmp_path.iterdir())


def test_a_damaged_choice_is_made_again(probes, model, tmp_path, caplog):
    probes[0].update({64: 9.0})
    home = CacheHome(tmp_path, 10**9)
    assert choose_batch(home, model, spec_of(), MANY, ()) == 64
    (path,) = home.folder("probes").iterdir()
    path.write_text(path.read_text().replace("64", "65536"))
    assert choose_batch(home, model, spec_of(), MANY, ()) == 64
    assert "what a probe found is damaged, it is measured again" in caplog.text


def test_what_cannot_be_remembered_is_not_used(probes, model, tmp_path, caplog):
    probes[0].update({64: 9.0})
    (tmp_path / "probes").write_text("a file where a folder belongs")
    assert choose_batch(CacheHome(tmp_path, 10**9), model, spec_of(), MANY, ()) == USUAL
    assert "what a probe found is not remembered for the next run" in caplog.text


def test_a_probe_runs_the_model(model, tmp_path):
    assert choose_batch(CacheHome(tmp_path, 10**9), model, spec_of(), MANY, ()) in (8, 16, 32, 64)
