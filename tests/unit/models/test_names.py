import dataclasses
import subprocess
import sys

import pytest

from fivefold.models import names
from fivefold.models.names import (
    KERAS_NAMES,
    backbone_names,
    backbone_problem,
    backbones,
    is_known,
    timm_name,
)
from fivefold.models.timm_list import TimmList, timm_list


@pytest.mark.parametrize("name", ["ResNet50", "resnet50", "RESNET50", " resnet50 "])
def test_names_of_the_table_are_known_in_any_case(name):
    assert timm_name(name) == "resnet50"


def test_a_keras_name_means_kerass_net_and_not_a_namesake():
    assert timm_name("xception") == "legacy_xception"
    assert timm_name("MobileNet") == "mobilenetv1_100"
    assert timm_name("EfficientNetB3") == "tf_efficientnet_b3"


def test_timm_names_are_known_with_and_without_a_tag():
    assert timm_name("test_resnet") == "test_resnet"
    assert timm_name("resnet18.a1_in1k") == "resnet18.a1_in1k"


@pytest.mark.parametrize("name", ["resnet18.no_such_tag", "no_such_net", "", "hf-hub:x/resnet18"])
def test_what_timm_does_not_list_is_unknown(name):
    assert timm_name(name) is None
    assert not is_known(name)


def test_an_unknown_name_is_answered_with_the_closest():
    problem = backbone_problem("EfficentNetB0", "config.yaml:3:1")
    assert problem.slug == "config/unknown-name"
    assert str(problem) == (
        "config.yaml:3:1: architecture: expected the name of a known backbone, "
        "got 'EfficentNetB0'\n    did you mean 'EfficientNetB0'?"
    )


def test_the_closest_may_be_one_of_timms():
    assert "vit_base_patch16_224" in backbone_problem("vit_bas_patch16_224").hint


def test_a_known_name_has_no_problem():
    assert backbone_problem("NASNetMobile") is None


def test_a_users_own_net_is_known():
    import tiny  # noqa: F401  registers the net

    assert is_known("Tiny")
    assert timm_name("tiny") is None


def test_the_list_names_own_nets_then_the_table_then_timm_without_repeats():
    names = backbone_names()
    own = len(backbones.names())
    assert names[own : own + len(KERAS_NAMES)] == list(KERAS_NAMES)
    assert "vit_base_patch16_224" in names
    assert len({name.casefold() for name in names}) == len(names)


def test_names_are_answered_without_loading_torch():
    code = (
        "import sys; from fivefold.models.names import backbone_names, is_known, timm_name; "
        "assert is_known('DenseNet201') and timm_name('vgg16') == 'vgg16'; "
        "assert is_known('vit_base_patch16_224') and not is_known('vit_bas_patch16_224'); "
        "assert is_known('resnet18.a1_in1k') and not is_known('resnet18.no_such_tag'); "
        "assert is_known('tf_efficientnet_b0_ap') and len(backbone_names()) > 1300; "
        "sys.exit('torch' in sys.modules or 'timm' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("version", ["0.0.1", None])
def test_names_of_another_timm_are_those_that_it_has(monkeypatch, version):
    import timm  # noqa: F401  loaded by other tests or not: the answers are the same

    listed = dataclasses.replace(timm_list(), version=version or timm_list().version)
    known = {"resnet18", "resnet18.a1_in1k", "tf_efficientnet_b0_ap"}
    unknown = {"resnet19", "resnet18.nothing"}
    monkeypatch.setattr(names, "timm_list", lambda: listed)
    before = [is_known(name) for name in (*known, *unknown)]
    monkeypatch.delitem(sys.modules, "timm")
    assert before == [is_known(name) for name in (*known, *unknown)] == [True] * 3 + [False] * 2


def test_a_name_that_the_list_lacks_is_asked_of_another_timm(monkeypatch):
    import timm

    shorter = TimmList("0.0.1", {"resnet18": ()}, frozenset())
    monkeypatch.setattr(names, "timm_list", lambda: shorter)
    monkeypatch.setattr(names, "_timm_has", timm.is_model)
    monkeypatch.delitem(sys.modules, "timm")
    assert is_known("resnet34")
    assert not is_known("resnet35")


MUSKET = """
vgg16 vgg19 resnet18 resnet34 resnet50 resnet101 resnet152 resnet50v2 resnet101v2 resnet152v2
resnext50 resnext101 inceptionv3 inceptionresnetv2 xception densenet121 densenet169 densenet201
seresnet18 seresnet34 seresnet50 seresnet101 seresnet152 seresnext50 seresnext101 senet154
mobilenet mobilenetv2 nasnetlarge nasnetmobile
"""


@pytest.mark.parametrize("spelling", [str.lower, str.upper, str.title])
def test_every_backbone_that_musket_names_is_known_in_any_case(spelling):
    assert [name for name in MUSKET.split() if timm_name(spelling(name)) is None] == []
    assert {name.casefold() for name in KERAS_NAMES} >= set(MUSKET.split())
