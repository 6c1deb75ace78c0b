import logging

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models.segmentation import deeplabv3_resnet50

from fivefold.core.errors import DataError
from fivefold.core.types import Head
from fivefold.models import ModelSpec, build_classifier
from fivefold.models.voc import find_voc, settled

HEADS = (Head("", "sigmoid", ("disk",)),)
SPEC = ModelSpec("DeepLabV3", HEADS, (64, 64, 3), backbone="ResNet50")


@pytest.mark.slow
def test_the_encoder_is_the_one_of_torchvisions_deeplab(tmp_path):
    reference = deeplabv3_resnet50(weights=None, weights_backbone=None)
    save_file(reference.state_dict(), tmp_path / "resnet50_pascal_voc.safetensors")
    model = build_classifier(SPEC, weights="pascal_voc", directory=tmp_path).eval()
    assert model.origin.source == "resnet50_pascal_voc.safetensors"
    images = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        theirs = reference.backbone.eval()(images)["out"]
        torch.testing.assert_close(model.backbone(images)[-1], theirs, rtol=1e-4, atol=1e-4)
    assert model.input_spec.interpolation == "bilinear"


def test_without_a_file_or_a_network_it_says_where_it_has_looked(tmp_path, monkeypatch):
    cached = "fivefold.models.places.torch_cache"
    monkeypatch.setattr(cached, lambda url: tmp_path / url.rpartition("/")[2])
    monkeypatch.setattr("fivefold.models.places.is_offline", lambda: True)
    with pytest.raises(DataError, match="expected those of pascal_voc for 'ResNet101'") as e:
        find_voc("resnet101", tmp_path)
    assert e.value.slug == "weights/not-found"
    assert "deeplabv3_resnet101_coco" in str(e.value)


def test_a_net_without_such_weights_begins_with_imagenets_and_says_so(caplog):
    with caplog.at_level(logging.WARNING):
        assert settled("pascal_voc", "mobilenetv2") == "imagenet"
    assert "nobody has published pascal_voc weights of mobilenetv2" in caplog.text
    assert "ResNet50 and ResNet101 have them" in caplog.text


@pytest.mark.parametrize(
    ("weights", "backbone"), [("pascal_voc", "resnet50"), ("none", "vgg16"), ("imagenet", "vgg16")]
)
def test_other_wishes_stay_as_they_are(weights, backbone, caplog):
    assert settled(weights, backbone) == weights
    assert not caplog.records
