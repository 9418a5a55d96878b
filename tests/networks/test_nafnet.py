"""NAFNet: published sizes and configurations, the published graph."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pdloss.errors import SpecError
from pdloss.networks import NAFNet, network
from pdloss.networks.nafnet import NAFBlock, NAFNetwork
from tests.networks.helpers import parameters, picture

SIDD = "encoder=(2, 2, 4, 8), middle=12, decoder=(2, 2, 2, 2)"


def small(**options: object) -> NAFNetwork:
    """A small network whose blocks, unlike in the beginning, do something."""
    torch.manual_seed(0)
    net = NAFNet(**{"width": 4, "encoder": (1, 2), "middle": 1, "decoder": (2, 1), **options}).build().double()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return net


def by_hand(width: int, encoder: tuple[int, ...], middle: int, decoder: tuple[int, ...]) -> int:
    """Parameters level by level: a block of c channels has 7c² + 33c."""

    def blocks(c: int, count: int) -> int:
        return count * (7 * c * c + 33 * c)

    levels = len(encoder)
    total = (27 * width + width) + (27 * width + 3)
    for level in range(levels):
        c = width * 2**level
        total += blocks(c, encoder[level]) + (8 * c * c + 2 * c)  # a 2x2 convolution down
        total += blocks(c, decoder[levels - 1 - level]) + 2 * c * 4 * c  # a 1x1 convolution up, before the shuffle
    return total + blocks(width * 2**levels, middle)


# Millions as the authors state them where they do: issues 51 and 60 of megvii-research/NAFNet say 29.16 and 115.9.
@pytest.mark.parametrize(
    ("text", "millions"),
    [
        ("nafnet", 17.11),
        ("nafnet(width=64)", 67.89),
        (f"nafnet({SIDD})", 29.16),
        (f"nafnet(width=64, {SIDD})", 115.98),
    ],
)
def test_has_the_published_number_of_parameters(text: str, millions: float) -> None:
    with torch.device("meta"):
        net = network(text)
    sidd, width = SIDD in text, 64 if "64" in text else 32
    shape = ((2, 2, 4, 8), 12, (2, 2, 2, 2)) if sidd else ((1, 1, 1, 28), 1, (1, 1, 1, 1))
    assert parameters(net) == by_hand(width, *shape)
    assert round(parameters(net) / 1e6, 2) == millions


def block_reference(block: NAFBlock, x: Tensor) -> Tensor:
    """The block's formula, on (C, H, W) planes of one image."""

    def norm(x: Tensor, layer: torch.nn.Module) -> Tensor:
        centred = x - x.mean(0)
        return (
            centred / (centred.square().mean(0) + 1e-6).sqrt() * layer.weight[:, None, None] + layer.bias[:, None, None]
        )

    def mix(x: Tensor, layer: torch.nn.Conv2d) -> Tensor:
        return torch.einsum("oi,ihw->ohw", layer.weight[:, :, 0, 0], x) + layer.bias[:, None, None]

    c = x.shape[0]
    y = mix(norm(x, block.norm1), block.conv1)
    y = torch.stack(
        [F.conv2d(y[None, k : k + 1], block.conv2.weight[k : k + 1], padding=1)[0, 0] for k in range(2 * c)]
    )
    y = y + block.conv2.bias[:, None, None]
    y = y[:c] * y[c:]
    y = y * mix(y.mean((1, 2), keepdim=True), block.sca[1])
    x = x + block.beta[0] * mix(y, block.conv3)
    y = mix(norm(x, block.norm2), block.conv4)
    return x + block.gamma[0] * mix(y[:c] * y[c:], block.conv5)


def test_a_block_is_its_formula() -> None:
    block = small().encoders[0][0]
    image = picture(2, 4, 5, 6)
    torch.testing.assert_close(block(image)[1], block_reference(block, image[1]))


def test_the_levels_are_those_of_the_published_graph() -> None:
    net, image = small(), picture(1, 3, 8, 12)
    (enc1, enc2), (dec2, dec1) = net.encoders, net.decoders
    assert [len(blocks) for blocks in (enc1, enc2, net.middle_blks, dec2, dec1)] == [1, 2, 1, 2, 1]
    x1 = enc1(F.conv2d(image, net.intro.weight, net.intro.bias, padding=1))
    x2 = enc2(F.conv2d(x1, net.downs[0].weight, net.downs[0].bias, stride=2))
    x = net.middle_blks(F.conv2d(x2, net.downs[1].weight, net.downs[1].bias, stride=2))
    x = dec2(x2 + F.pixel_shuffle(F.conv2d(x, net.ups[0][0].weight), 2))
    x = dec1(x1 + F.pixel_shuffle(F.conv2d(x, net.ups[1][0].weight), 2))
    expected = image + F.conv2d(x, net.ending.weight, net.ending.bias, padding=1)
    torch.testing.assert_close(net(image), expected)


def test_other_sizes_are_those_with_their_border_repeated() -> None:
    net, image = small(), picture(1, 3, 5, 7)
    padded = torch.cat([image, *[image[:, :, -1:]] * 3], 2)
    padded = torch.cat([padded, padded[..., -1:]], 3)
    torch.testing.assert_close(net(image), net(padded)[..., :5, :7])


def test_blocks_begin_as_nothing() -> None:
    block, image = NAFBlock(4).double(), picture(1, 4, 3, 3)
    assert torch.equal(block(image), image)


def test_its_parameters_have_the_authors_names() -> None:
    names = {name.partition(".")[0] for name, _ in small().named_parameters()}
    assert names == {"intro", "encoders", "downs", "middle_blks", "ups", "decoders", "ending"}
    inside = {name.rpartition("0.0.")[2] for name, _ in small().named_parameters() if name.startswith("encoders.0.0.")}
    convolutions = {
        f"{layer}.{kind}" for layer in ("conv1", "conv2", "conv3", "conv4", "conv5") for kind in ("weight", "bias")
    }
    norms = {f"norm{i}.{kind}" for i in (1, 2) for kind in ("weight", "bias")}
    assert inside == convolutions | norms | {"sca.1.weight", "sca.1.bias", "beta", "gamma"}


def test_a_level_may_have_no_blocks() -> None:
    net = small(encoder=(0, 1), middle=0, decoder=(0, 0))
    assert net(picture(1, 3, 4, 4)).shape == (1, 3, 4, 4)


def test_its_text_makes_it_again() -> None:
    choice = NAFNet(width=8, encoder=(1, 2), middle=3, decoder=(4, 5))
    assert str(choice) == "nafnet(width=8, encoder=(1, 2), middle=3, decoder=(4, 5))"
    assert parameters(network(str(choice))) == parameters(choice.build())
    one = NAFNet(encoder=(2,), decoder=(1,))
    assert parameters(network(str(one))) == parameters(one.build())


def test_as_many_levels_go_up_as_go_down() -> None:
    with pytest.raises(SpecError, match=r"encoder=\(1, 1\), decoder=\(1, 1, 1, 1\).*give both the same length"):
        network("nafnet(encoder=(1, 1))")
