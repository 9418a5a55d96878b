"""EDSR: published sizes, any image size, the same function as its formula."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pdloss.errors import SpecError
from pdloss.networks import EDSR, NETWORKS, network
from pdloss.networks.edsr import EDSRNetwork

MEAN = torch.tensor([0.4488, 0.4371, 0.4040], dtype=torch.float64).view(1, 3, 1, 1)
"""Mean colour of DIV2K, in the published code as 255 times this."""


def parameters(net: torch.nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def picture(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def small(**options: object) -> EDSRNetwork:
    torch.manual_seed(0)
    return EDSR(**{"blocks": 2, "width": 4, **options}).build().double()


# Counted in the authors' code, without its frozen colour shift.
@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("edsr(scale=2)", 1_369_859),
        ("edsr(scale=3)", 1_554_499),
        ("edsr(scale=4)", 1_517_571),
        ("edsr(scale=2, blocks=32, width=256, residual_scale=0.1)", 40_729_603),
        ("edsr(scale=3, blocks=32, width=256, residual_scale=0.1)", 43_680_003),
        ("edsr(scale=4, blocks=32, width=256, residual_scale=0.1)", 43_089_923),
    ],
)
def test_has_the_published_number_of_parameters(text: str, count: int) -> None:
    with torch.device("meta"):
        net = network(text)
    assert parameters(net) == count
    assert net.mean.flatten().tolist() == pytest.approx(MEAN.flatten().tolist())


def test_a_network_made_without_memory_works_once_it_has_weights() -> None:
    real = small(scale=2)
    with torch.device("meta"):
        empty = EDSR(scale=2, blocks=2, width=4).build()
    empty.load_state_dict(real.state_dict(), assign=True)
    image = picture(1, 3, 5, 4)
    torch.testing.assert_close(empty.double()(image), real(image))


def test_the_defaults_are_the_baseline_without_its_upsampler() -> None:
    assert parameters(EDSR().build()) == 1_369_859 - (64 * 256 * 9 + 256)
    assert str(EDSR()) == "edsr"


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (7, 5)])
def test_the_output_is_larger_by_the_scale(scale: int, size: tuple[int, int]) -> None:
    assert small(scale=scale)(picture(2, 3, *size)).shape == (2, 3, scale * size[0], scale * size[1])


@pytest.mark.parametrize("unshuffle", [2, 3, 8])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (5, 7), (8, 16)])
def test_any_size_goes_through_blocks_of_pixels(unshuffle: int, size: tuple[int, int]) -> None:
    restored = small(unshuffle=unshuffle)(picture(2, 3, *size))
    assert restored.shape == (2, 3, *size)
    assert restored.isfinite().all()


def reference(net: EDSRNetwork, image: Tensor, residual_scale: float, shuffles: list[int]) -> Tensor:
    """The published graph, from its description, with the weights in the order in which they are used."""
    weights = iter(net.parameters())

    def convolve(x: Tensor) -> Tensor:
        return F.conv2d(x, next(weights), next(weights), padding=1)

    first = convolve(image - MEAN)
    x = first
    for _ in range(2):
        x = x + residual_scale * convolve(F.relu(convolve(x)))
    x = first + convolve(x)
    for factor in shuffles:
        x = spread(convolve(x), factor)
    return convolve(x) + MEAN


def spread(x: Tensor, factor: int) -> Tensor:
    """Groups of factor² channels laid out as factor x factor pixels, one by one."""
    b, c, h, w = x.shape
    out = torch.empty(b, c // factor**2, h * factor, w * factor, dtype=x.dtype)
    for channel in range(c):
        row, column = divmod(channel % factor**2, factor)
        out[:, channel // factor**2, row::factor, column::factor] = x[:, channel]
    return out


@pytest.mark.parametrize(("scale", "shuffles"), [(1, []), (2, [2]), (3, [3]), (4, [2, 2])])
def test_computes_the_published_graph(scale: int, shuffles: list[int]) -> None:
    net, image = small(scale=scale, residual_scale=0.3), picture(2, 3, 5, 6)
    torch.testing.assert_close(net(image), reference(net, image, 0.3, shuffles))


def test_blocks_of_pixels_are_channels_and_the_border_is_repeated() -> None:
    net, image = small(unshuffle=2), picture(1, 3, 5, 3)
    padded = torch.cat([image, image[:, :, -1:]], 2)
    padded = torch.cat([padded, padded[..., -1:]], 3) - MEAN
    blocks = torch.stack([padded[:, c, i::2, j::2] for c in range(3) for i in range(2) for j in range(2)], 1)
    head = net.head(blocks)
    expected = spread(net.tail[0](head + net.body(head)), 2)[..., :5, :3] + MEAN
    torch.testing.assert_close(net(image), expected)


def test_without_weights_the_output_is_the_mean_colour() -> None:
    net = small(scale=2)
    for parameter in net.parameters():
        torch.nn.init.zeros_(parameter)
    torch.testing.assert_close(net(picture(1, 3, 3, 3)), MEAN.expand(1, 3, 6, 6), atol=1e-7, rtol=0)
    assert "mean" not in net.state_dict()


@pytest.mark.parametrize("options", [{"scale": 4}, {"scale": 3}, {"unshuffle": 4, "residual_scale": 0.1}])
def test_every_parameter_gets_a_gradient(options: dict[str, object]) -> None:
    net = small(**options)
    net(picture(1, 3, 9, 9)).square().mean().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_an_image_is_restored_alike_alone_and_in_a_batch() -> None:
    net, batch = small(unshuffle=2), picture(3, 3, 7, 6)
    torch.testing.assert_close(net(batch)[1:2], net(batch[1:2]))


@pytest.mark.parametrize("options", [{}, {"scale": 2}, {"unshuffle": 2}])
def test_learns_one_pair_by_heart(options: dict[str, int]) -> None:
    side = 8 * options.get("scale", 1)
    degraded, target = picture(1, 3, 8, 8).float(), picture(1, 3, side, side).float().flip(3)
    net = small(width=24, **options).float()
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)
    errors = []
    for _ in range(150):
        error = F.mse_loss(net(degraded), target)
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
        errors.append(error.item())
    assert errors[-1] < 0.1 * target.var().item() < errors[0] * 2


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_blocks_of_pixels_are_refused_together_with_a_scale(scale: int) -> None:
    with pytest.raises(SpecError, match=rf"edsr\(unshuffle=2\) needs scale=1, got scale={scale}"):
        NETWORKS.parse(f"edsr(scale={scale}, unshuffle=2)")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("edsr(scale=5)", r"edsr\(scale=5\): expected one of 1, 2, 3, 4"),
        ("edsr(blocks=0)", r"edsr\(blocks=0\)"),
        ("edsr(width=-1)", r"edsr\(width=-1\)"),
        ("edsr(residual_scale=0)", r"edsr\(residual_scale=0\)"),
        ("edsr(unshuffle=9)", r"edsr\(unshuffle=9\)"),
        ("edrs", "unknown network 'edrs'; did you mean 'edsr'"),
    ],
)
def test_options_out_of_range_are_named(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        network(text)
