import timm
import torch

import fivefold.models.nasnet  # noqa: F401  registers the net


def test_nasnet_mobile_has_exactly_as_many_numbers_as_kerass():
    with torch.device("meta"):
        net = timm.create_model("nasnetmobile", num_classes=0)
    statistics = [b for name, b in net.named_buffers() if "running_" in name]
    # Keras counts 4,269,716 without the top, moving averages included.
    assert sum(t.numel() for t in (*net.parameters(), *statistics)) == 4_269_716


def test_nasnet_mobile_ends_in_1056_maps_at_a_32nd_of_the_size():
    with torch.device("meta"):
        net = timm.create_model("nasnetmobile", in_chans=4).eval()
        assert net.forward_features(torch.zeros(1, 4, 224, 224)).shape == (1, 1056, 7, 7)
        assert net(torch.zeros(1, 4, 224, 224)).shape == (1, 1000)


def test_nasnet_mobile_keeps_its_pooling_when_the_last_layer_changes():
    with torch.device("meta"):
        net = timm.create_model("nasnetmobile", global_pool="max")
        net.reset_classifier(5)
        assert net.global_pool.pool_type == "max"
        assert net.last_linear.out_features == 5
