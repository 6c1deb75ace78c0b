import numpy as np
import pytest
import torch

from fivefold.core.errors import ResourceError
from fivefold.data.batches import Batch
from fivefold.engine.memory import InParts, is_out_of_memory


def batch_of(count):
    pixels = np.arange(count, dtype=np.uint8).reshape(count, 1, 1, 1)
    return Batch(np.arange(count), pixels, None)


def fits(most, error):
    """Double each pixel, in batches that are not too large."""
    sizes = []

    def run(batch):
        sizes.append(len(batch.indices))
        if len(batch.indices) > most:
            raise error
        assert batch.images.ravel().tolist() == batch.indices.tolist()
        return 2.0 * batch.images.reshape(-1, 1)

    return run, sizes


OUT = [
    torch.OutOfMemoryError("CUDA out of memory"),
    MemoryError(),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
]


@pytest.mark.parametrize("error", OUT)
def test_what_does_not_fit_is_halved_for_good_and_said_once(error, caplog):
    run, sizes = fits(3, error)
    parts = InParts(8)
    for count in (8, 8, 5):
        assert parts.run(run, batch_of(count)).ravel().tolist() == [2 * i for i in range(count)]
    assert sizes == [8, 4, *[2] * 4, *[2] * 4, 2, 2, 1]
    assert [record.message for record in caplog.records] == [
        "a batch of 8 does not fit into memory; going on with 4",
        "a batch of 4 does not fit into memory; going on with 2",
    ]


def test_one_image_that_does_not_fit_is_an_error():
    run, _ = fits(0, OUT[0])
    with pytest.raises(
        ResourceError, match="expected enough memory for 1 image, got CUDA"
    ) as error:
        InParts(2).run(run, batch_of(2))
    assert error.value.slug == "resource/memory"


def test_other_errors_are_left_alone():
    run, sizes = fits(0, RuntimeError("shapes differ"))
    with pytest.raises(RuntimeError, match="shapes differ"):
        InParts(4).run(run, batch_of(4))
    assert sizes == [4]
    assert not is_out_of_memory(ValueError("allocate memory"))
