import sys
import textwrap

import pytest

from fivefold.core.musket_imports import _Finder, install

OURS = ("classification_pipeline", "keras", "musket_core", "segmentation_pipeline")


@pytest.fixture(autouse=True)
def _as_before():
    finders = list(sys.meta_path)
    sys.meta_path[:] = [f for f in finders if not isinstance(f, _Finder)]
    yield
    sys.meta_path[:] = finders
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        del sys.modules[name]


def run(code):
    found = {}
    exec(textwrap.dedent(code), found)
    return found


def test_muskets_import_lines_reach_the_same_objects():
    install()
    found = run("""
        from musket_core.datasets import CompositeDataSet, PredictionItem
        from musket_core import image_datasets
        from musket_core.coders import rle_encode as by_rows
        from segmentation_pipeline.impl.rle import *
        from segmentation_pipeline.impl import datasets, rle
    """)
    from fivefold.data import PredictionItem, coders, datasets, rle

    assert found["PredictionItem"] is PredictionItem
    assert found["CompositeDataSet"] is datasets.CompositeDataSet
    assert found["image_datasets"].SubDataSet is datasets.SubDataSet
    assert found["datasets"].SubDataSet is datasets.SubDataSet
    assert found["by_rows"] is coders.rle_encode
    assert found["rle_encode"] is found["rle"].rle_encode is rle.rle_encode
    assert rle.__spec__.name == rle.__name__ == "fivefold.data.rle"


def test_classification_is_found_where_musket_had_it():
    install()
    found = run("from classification_pipeline import classification")
    from fivefold import classification

    assert found["classification"].parse is classification.parse


def test_segmentation_is_found_where_musket_had_it():
    install()
    found = run("from segmentation_pipeline import segmentation")
    from fivefold import segmentation

    assert found["segmentation"].parse is segmentation.parse
    assert found["segmentation"].ansemblePredictions is segmentation.ansemblePredictions


def test_a_musket_that_is_installed_is_left_alone(tmp_path, monkeypatch):
    (tmp_path / "musket_core").mkdir()
    (tmp_path / "musket_core" / "datasets.py").write_text("PredictionItem = 'theirs'")
    monkeypatch.syspath_prepend(tmp_path)
    install()
    found = run("from musket_core.datasets import PredictionItem")
    assert found["PredictionItem"] == "theirs"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("from musket_core import generic", "use `from fivefold import classification`"),
        ("from musket_core.image_datasets import BlendedDataSet", "use `augmentation:`"),
        ("from musket_core import augmenters", "docs/custom-parts.md shows how to write one"),
        ("from musket_core import tasks", "tasks are not supported; loop over `cfg.predict_on_d"),
    ],
)
def test_what_is_not_here_says_what_to_use_instead(line, reason):
    install()
    with pytest.raises(ImportError, match=f"of Musket's is not in fivefold: {reason}"):
        run(line)


def test_nothing_is_found_before_somebody_asks_for_it():
    with pytest.raises(ModuleNotFoundError, match="musket_core"):
        run("import musket_core.datasets")
    install()
    install()
    assert sum(isinstance(finder, _Finder) for finder in sys.meta_path) == 1
    with pytest.raises(ModuleNotFoundError, match=r"musket_core\.parralel"):
        run("import musket_core.parralel")


def test_parts_of_ones_own_are_added_as_in_musket_and_keras():
    install()
    found = run("""
        import keras
        from keras.utils import get_custom_objects
        from musket_core.configloader import registerMetric
        from musket_core.losses import keras_loss
        from musket_core import metrics
        same = keras.utils.get_custom_objects() is get_custom_objects()
        metrics.final_metric, metrics.keras_metric
    """)
    from fivefold.experiment.musket import custom

    assert found["same"]
    assert found["keras_loss"] is custom.keras_loss
    assert found["registerMetric"] is custom.registerMetric


@pytest.mark.parametrize(
    "line",
    [
        "from keras import backend as K",
        "import keras.backend as K",
        "from keras.layers import Dense",
        "from musket_core.losses import lovasz_loss",
    ],
)
def test_what_keras_has_beside_is_written_with_torch(line):
    install()
    with pytest.raises(ImportError, match=r"is not in fivefold: .*with torch.*custom-parts\.md"):
        run(line)


def test_libraries_that_look_for_keras_find_none(tmp_path, monkeypatch):
    package = tmp_path / "site-packages"
    package.mkdir()
    (package / "curious_library.py").write_text(
        "import importlib.util\nfound = importlib.util.find_spec('keras')\n"
    )
    monkeypatch.syspath_prepend(package)
    install()
    assert run("from curious_library import found")["found"] is None
    del sys.modules["curious_library"]
