"""The pieces that networks share, against their formulas."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pdloss.networks.blocks import HalvingConv2d, ResidualBlock, conv_relu_conv
from tests.networks.helpers import picture
from tests.oracles import tensorflow1 as oracle


@pytest.mark.parametrize("kernel", [3, 5])
def test_a_residual_block_is_its_formula(kernel: int) -> None:
    torch.manual_seed(0)
    block, x = ResidualBlock(4, 0.3, kernel).double(), picture(2, 4, 6, 7)
    first, _, second = block.body
    inside = F.relu(F.conv2d(x, first.weight, first.bias, padding=kernel // 2))
    expected = x + 0.3 * F.conv2d(inside, second.weight, second.bias, padding=kernel // 2)
    torch.testing.assert_close(block(x), expected)
    assert first.kernel_size == (kernel, kernel)


def test_two_convolutions_keep_the_size() -> None:
    assert conv_relu_conv(2, 5)(torch.zeros(1, 2, 3, 4)).shape == (1, 2, 3, 4)


@pytest.mark.parametrize("kernel", [3, 5])
def test_halving_pads_as_tensorflow_does(kernel: int) -> None:
    torch.manual_seed(0)
    layer, x = HalvingConv2d(2, 3, kernel).double(), picture(2, 2, 6, 10)
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    expected = oracle.conv2d(x.permute(0, 2, 3, 1).numpy(), weight.transpose(2, 3, 1, 0), bias, stride=2)
    torch.testing.assert_close(layer(x), torch.from_numpy(expected).permute(0, 3, 1, 2))


@pytest.mark.parametrize(("kernel", "before"), [(3, 0), (5, 1)])
def test_halving_looks_this_far_to_the_top_left(kernel: int, before: int) -> None:
    layer = HalvingConv2d(1, 1, kernel)
    with torch.no_grad():
        layer.bias.zero_()
        layer.weight.zero_()[0, 0, before, before] = 1
    image = torch.from_numpy(np.arange(64.0, dtype=np.float32).reshape(1, 1, 8, 8))
    assert torch.equal(layer(image), image[..., ::2, ::2])
