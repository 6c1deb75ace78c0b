import subprocess
import sys

from torch._dynamo.utils import is_compile_supported

from fivefold.models.timm_import import _stand_ins, _StandIn

CODE = """
import sys
from fivefold.models import ModelSpec, build_classifier
from fivefold.core.types import Head
spec = ModelSpec("resnet18", (Head("", "softmax", ("a", "b")),), (64, 64, 3))
build_classifier(spec)
print("torchvision" in sys.modules, "torch._dynamo" in sys.modules)
import torchvision, torch
torchvision.ops.roi_align(torch.ones(1, 1, 8, 8), torch.zeros(1, 5), 2)
from torch._dynamo.utils import is_compile_supported
print(is_compile_supported("cpu"))
"""


def test_a_net_of_timm_is_built_without_torchs_compiler_which_still_works_afterwards():
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=240)
    supported = is_compile_supported("cpu")
    assert done.stdout.split() == ["True", "False", str(supported)]


def test_a_function_of_a_stand_in_is_that_of_the_module():
    stand_in = _StandIn("torch._dynamo.utils")
    assert stand_in.is_compile_supported is not is_compile_supported
    assert stand_in.is_compile_supported("cpu") == is_compile_supported("cpu")


def test_a_compiler_that_is_there_stays():
    before = sys.modules["torch._dynamo.utils"]
    with _stand_ins():
        assert sys.modules["torch._dynamo.utils"] is before
    assert sys.modules["torch._dynamo.utils"] is before
