import json

import pytest

from fivefold.config import json_schema, musket_markdown, reference_markdown
from fivefold.config.keys import ExperimentKeys
from fivefold.config.mask_keys import DECODER_OPTIONS
from fivefold.config.musket import EXPERIMENT_KEYS, SYNONYMS
from fivefold.config.sections import DatasetSection
from fivefold.config.stage_keys import StageConfig


def test_json_schema_knows_every_key_and_no_other():
    schema = json.loads(json.dumps(json_schema()))
    keys = {field.alias or name for name, field in ExperimentKeys.model_fields.items()}

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    others = EXPERIMENT_KEYS.keys() | SYNONYMS.keys() | DECODER_OPTIONS.keys()
    assert schema["properties"].keys() == keys | others
    assert schema["additionalProperties"] is False
    assert schema["properties"]["saveLast"]["deprecated"] is True
    assert schema["properties"]["weights"]["anyOf"][-1] == {"type": "null"}
    assert schema["$defs"]["StageConfig"]["required"] == ["epochs"]


@pytest.mark.parametrize("model", [ExperimentKeys, StageConfig, DatasetSection])
def test_every_key_says_what_it_means(model):
    assert all(field.description for field in model.model_fields.values())


def test_reference_has_a_row_for_every_key():
    page = reference_markdown()

    assert "| `lr` | number > 0, ≤ 1000 | `0.001` | Learning rate. |\n" in page
    assert "| `optimizer` | text or mapping | `Adam` |" in page
    assert "| `epochs` | whole number ≥ 1, ≤ 1000000 | required |" in page
    for model in (ExperimentKeys, StageConfig, DatasetSection):
        for name, field in model.model_fields.items():
            assert f"| `{field.alias or name}` |" in page


def test_musket_page_says_what_happens_to_each_key():
    page = musket_markdown()

    assert "| batch_size | works | the same as `batch` |\n" in page
    assert "| crops | works |" in page
    assert "| gpus | not yet supported |" in page
    assert "| saveLast | accepted with a warning, without effect |" in page
    assert "| stages.negatives | works |" in page
    assert "| lr | works | Learning rate. |" in page
