from pathlib import Path

import pytest

from fivefold.core.damage import checked, way_out
from fivefold.core.errors import StateError


@pytest.mark.parametrize(
    "name",
    [
        "weights/best-3.1.json",
        "weights/best-3.1.safetensors",
        "predictions/validation-3.1.npz",
    ],
)
def test_the_way_out_of_a_damaged_stage_names_all_its_files(name):
    assert way_out(Path("run") / name) == (
        "in run delete weights/best-3.1.safetensors, weights/best-3.1.json and "
        "predictions/validation-3.1.npz; `fivefold fit` then trains from this stage on again"
    )


def test_predictions_of_the_holdout_need_no_training():
    assert way_out(Path("run/predictions/holdout-0.1.npz")) == (
        "delete it and run/summary.yaml; `fivefold fit` then predicts it again"
    )


@pytest.mark.parametrize("name", ["validation-0.1.maps", "holdout.1.maps", "holdout.1.npz"])
def test_maps_need_no_training(name):
    assert way_out(Path("run/predictions") / name) == (
        "delete it and run/summary.yaml; `fivefold fit` then predicts it again"
    )


@pytest.mark.parametrize("name", ["copy/best-3.1.json", "weights/best.json", "x.npz", "best-0.1"])
def test_a_file_from_elsewhere_is_to_be_restored(name):
    assert "restore it or make it again" in way_out(Path("run") / name)


@pytest.mark.parametrize("value", [5, None, [], "x"])
def test_what_is_no_mapping_is_told_without_a_place(value):
    with pytest.raises(StateError, match=r"^a: expected a list, got |^a: .*\n    do this") as error:
        checked(Path("a"), dict[str, int], value, "do this")
    assert error.value.slug == "state/damaged"
