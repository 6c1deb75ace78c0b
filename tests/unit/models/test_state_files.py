import pickle
import warnings

import pytest
import safetensors.torch
import torch
from torch import nn

from fivefold.core.errors import DataError, UnsafeInputError
from fivefold.models.state_files import (
    names_by_order,
    read_state_file,
    state_differences,
    without_own_prefix,
)

TENSORS = {"a.weight": torch.arange(6.0).view(2, 3), "a.bias": torch.ones(2)}


def same(left, right):
    return left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)


def test_safetensors_are_read(tmp_path):
    safetensors.torch.save_file(TENSORS, tmp_path / "w.safetensors")
    assert same(read_state_file(tmp_path / "w.safetensors"), TENSORS)


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".PTH"])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda t: t,
        lambda t: {"state_dict": t, "epoch": 3},
        lambda t: {"model": t, "args": {"lr": 0.1}},
        lambda t: {"state_dict": {f"module.{k}": v for k, v in t.items()}},
        lambda t: {"state_dict": {}, "state_dict_ema": t},
    ],
)
def test_checkpoints_of_torch_are_read_in_their_usual_wrappings(tmp_path, wrap, suffix):
    torch.save(wrap(TENSORS), tmp_path / f"w{suffix}")
    assert same(read_state_file(tmp_path / f"w{suffix}"), TENSORS)


class Evil:
    def __reduce__(self):
        return (print, ("this ran",))


@pytest.mark.parametrize("protocol", ["zip", 2])
def test_a_checkpoint_that_carries_code_is_refused_and_nothing_runs(tmp_path, capsys, protocol):
    path = tmp_path / "evil.pth"
    if protocol == "zip":
        torch.save({"a": Evil()}, path)
    else:
        path.write_bytes(pickle.dumps(Evil(), protocol=protocol))
    with pytest.raises(UnsafeInputError, match="expected tensors and plain values only") as error:
        read_state_file(path)
    assert error.value.slug == "unsafe/weights-format"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["w.pkl", "w.h5", "w.bin", "w.npz", "w"])
def test_other_formats_are_refused_unread(tmp_path, name):
    (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(UnsafeInputError, match=r"expected weights in \.safetensors, \.pth, \.pt"):
        read_state_file(tmp_path / name)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="which does not exist") as error:
        read_state_file(tmp_path / "gone.pth")
    assert error.value.slug == "weights/not-found"


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("keep", [0, 10, 0.5])
def test_a_damaged_file_is_an_error_and_no_traceback(tmp_path, suffix, keep):
    path = tmp_path / f"w{suffix}"
    if suffix == ".pth":
        torch.save(TENSORS, path)
    else:
        safetensors.torch.save_file(TENSORS, path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep) if isinstance(keep, float) else keep])
    with pytest.raises((DataError, UnsafeInputError), match="expected") as error:
        read_state_file(path)
    assert error.value.slug in {"weights/damaged", "unsafe/weights-format"}


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(tmp_path, bad):
    torch.save({"a.weight": torch.tensor([1.0, bad])}, tmp_path / "w.pth")
    with pytest.raises(DataError, match=r"a\.weight: expected finite weights") as error:
        read_state_file(tmp_path / "w.pth")
    assert error.value.slug == "weights/not-finite"


@pytest.mark.parametrize("content", [[1, 2], {}, {"epoch": 3}, {"state_dict": {"a": 1}}])
def test_a_file_without_tensors_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(DataError, match="tensors") as error:
        read_state_file(tmp_path / "w.pth")
    assert error.value.slug == "weights/mismatch"


def test_a_backbone_is_taken_out_of_weights_that_fivefold_wrote():
    own = {"backbone.net.a.weight": TENSORS["a.weight"], "head.linear.bias": TENSORS["a.bias"]}
    assert same(without_own_prefix(own), {"a.weight": TENSORS["a.weight"]})
    assert same(without_own_prefix(TENSORS), TENSORS)


def test_differences_name_shapes_first_then_what_is_missing_or_unknown():
    net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    tensors = {"0.weight": torch.zeros(5, 3), "0.bias": torch.zeros(2), "other": torch.zeros(1)}
    assert state_differences(net, tensors) == [
        "0.weight is [5, 3], not [2, 3]",
        "1.weight is missing",
        "1.bias is missing",
        "and 1 more",
    ]
    assert state_differences(net, net.state_dict()) == []


def test_tensors_in_the_same_order_take_the_nets_names():
    net = nn.Linear(3, 2)
    renamed = names_by_order({"x.weight": torch.ones(2, 3), "x.bias": torch.zeros(2)}, net, "f")
    assert list(renamed) == ["weight", "bias"]
    net.load_state_dict(renamed)


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"x.weight": torch.ones(2, 3)}, "f: expected 2 tensors, got 1"),
        (
            {"x.weight": torch.ones(2, 4), "x.bias": torch.ones(2)},
            r"expected weight \[2, 3\], got x\.weight \[2, 4\]",
        ),
        (
            {"x.weight": torch.ones(2, 3), "x.running_mean": torch.ones(2)},
            r"expected bias \[2\], got x\.running_mean \[2\]",
        ),
    ],
)
def test_another_number_shape_or_kind_is_no_match(tensors, message):
    with pytest.raises(DataError, match=message):
        names_by_order(tensors, nn.Linear(3, 2), "f")


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: torch.eye(2).to_sparse(), "sparse"),
        (lambda: torch.eye(2).to_sparse_csr(), "sparse"),
        (lambda: torch.empty(2, device="meta"), "meta"),
        (lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8), "quantized"),
        (lambda: torch.ones(2, dtype=torch.complex64), "complex"),
    ],
)
def test_odd_tensors_are_named_and_torch_says_nothing(tmp_path, make, kind):
    with warnings.catch_warnings():  # of making and writing them; reading must be quiet
        warnings.simplefilter("ignore")
        torch.save({"fine": torch.ones(1), "a.weight": make()}, tmp_path / "w.pth")
    sentence = f"w.pth: a.weight: expected dense tensors of real numbers, got a {kind} one"
    with pytest.raises(DataError, match=sentence) as error:
        read_state_file(tmp_path / "w.pth")
    assert error.value.slug == "weights/mismatch"
