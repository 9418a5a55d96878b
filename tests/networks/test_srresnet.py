"""SRResNet: published sizes, the published graph."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pdloss.networks import SRResNet, network
from pdloss.networks.srresnet import SRResNetwork
from tests.networks.helpers import parameters, picture


def small(**options: object) -> SRResNetwork:
    torch.manual_seed(0)
    return SRResNet(**{"blocks": 2, "width": 4, **options}).build().double()


# By hand: a 9x9 entrance, 16 blocks, one more convolution, steps of 147,713, a 9x9 exit; batch norm has 128 a layer.
@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("srresnet", 1_549_462),
        ("srresnet(scale=2)", 1_549_462 - 147_713),
        ("srresnet(batch_norm=False)", 1_549_462 - 33 * 128),
    ],
)
def test_has_the_published_number_of_parameters(text: str, count: int) -> None:
    with torch.device("meta"):
        assert parameters(network(text)) == count


def reference(net: SRResNetwork, image: Tensor, steps: int, norm: bool) -> Tensor:
    """The published graph, from its description, with the weights in the order in which they are used."""
    weights = iter(net.parameters())

    def convolve(x: Tensor) -> Tensor:
        kernel, bias = next(weights), next(weights)
        return F.conv2d(x, kernel, bias, padding=kernel.shape[-1] // 2)

    def convolve_and_norm(x: Tensor) -> Tensor:
        x = convolve(x)
        if not norm:
            return x
        mean, var = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), keepdim=True, unbiased=False)
        gain, shift = next(weights), next(weights)
        return (x - mean) / (var + 1e-5).sqrt() * gain.view(1, -1, 1, 1) + shift.view(1, -1, 1, 1)

    def prelu(x: Tensor) -> Tensor:
        return torch.where(x > 0, x, next(weights) * x)

    x = first = prelu(convolve(image))
    for _ in range(2):
        inside = convolve_and_norm(x)
        x = x + convolve_and_norm(prelu(inside))
    x = first + convolve_and_norm(x)
    for _ in range(steps):
        x = prelu(F.pixel_shuffle(convolve(x), 2))
    return (convolve(x) + 1) / 2


@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize(("scale", "steps"), [(2, 1), (4, 2)])
def test_computes_the_published_graph(scale: int, steps: int, norm: bool) -> None:
    net, image = small(scale=scale, batch_norm=norm), picture(2, 3, 5, 6)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    torch.testing.assert_close(net(image), reference(net, image, steps, norm))


def test_in_eval_mode_an_image_is_restored_alike_alone_and_in_a_batch() -> None:
    net, batch = small(), picture(3, 3, 6, 7)
    net(batch)
    assert not torch.allclose(net(batch)[1:2], net(batch[1:2]))
    net.eval()
    torch.testing.assert_close(net(batch)[1:2], net(batch[1:2]))


def test_minus_one_to_one_becomes_zero_to_one() -> None:
    net = small()
    for parameter in net.parameters():
        torch.nn.init.zeros_(parameter)
    last = net.tail[-1]
    for value, expected in ((-1.0, 0.0), (0.0, 0.5), (1.0, 1.0)):
        torch.nn.init.constant_(last.bias, value)
        assert torch.equal(net(picture(1, 3, 2, 2)), torch.full((1, 3, 8, 8), expected, dtype=torch.float64))
