import pytest
from PIL import Image

from fivefold.core.errors import DataError
from fivefold.core.progress import Silent
from fivefold.experiment.datasets import open_inputs
from fivefold.experiment.inference import readable


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("image\nprobe_1.png\nprobe_2.png\n")
    return path


def test_missing_images_are_said_with_the_path_that_was_looked_for(table, caplog):
    with pytest.raises(DataError, match=r"none of 2 readable\n    looked for .*") as error:
        readable(open_inputs(table), Silent())
    assert error.value.slug == "data/nothing-to-predict"
    looked_for = f"looked for {table.parent / 'probe_1.png'}"
    assert error.value.hint == f"{looked_for}; --images DIR says where a table's images are"
    assert f"probe_1.png: not predicted: missing: {looked_for}" in caplog.text
    assert "audit" not in str(error.value) + "".join(record.message for record in caplog.records)


def test_what_cannot_be_predicted_is_said_once(table, caplog):
    Image.new("RGB", (4, 4)).save(table.parent / "probe_1.png")
    assert readable(open_inputs(table), Silent()).ids == ("probe_1.png",)
    assert len(caplog.records) == 1
