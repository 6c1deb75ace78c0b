import hashlib

import pytest
import torch

from fivefold.core.errors import DataError
from fivefold.models.origins import WeightsOrigin, hash_in_name, read_file, read_published


def saved(folder, name="net.pth"):
    torch.save({"weight": torch.ones(2)}, folder / name)
    return folder / name


def test_a_users_file_is_described_by_its_name_and_hash(tmp_path):
    path = saved(tmp_path)
    origin = read_file(path).origin
    assert (origin.kind, origin.source) == ("file", "net.pth")
    assert origin.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_hash_in_the_name_of_a_published_file_is_checked(tmp_path):
    path = saved(tmp_path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    good = path.rename(tmp_path / f"net-{digest[:8]}.pth")
    found = read_published(WeightsOrigin("cache", "somewhere", "mit"), good)
    assert (found.origin.sha256, found.origin.licence) == (digest, "mit")
    bad = good.rename(tmp_path / "net-0123abcd.pth")
    with pytest.raises(DataError, match=r"expected SHA-256 0123abcd…, as its name says") as error:
        read_published(WeightsOrigin("cache", "somewhere"), bad)
    assert error.value.slug == "weights/damaged"


def test_names_without_a_hash_promise_nothing(tmp_path):
    assert hash_in_name(tmp_path / "model.safetensors") == ""
    assert hash_in_name(tmp_path / "efficientnet-lite0-57934424.pth") == "57934424"
