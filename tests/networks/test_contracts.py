"""What every network promises: any size, gradients everywhere, its own random start, half precision, any layout."""

import inspect

import pytest
import torch

from pdloss._types import Network
from pdloss.errors import SpecError
from pdloss.networks import NETWORKS, MultiScaleNetwork, network
from tests.networks.helpers import errors_on_one_pair, parameters, picture

NAFNET = "nafnet(width=4, encoder=(1, 1), decoder=(1, 1))"
TINY = {
    "edsr(blocks=1, width=4)": 1,
    "srn(width=4)": 1,
    "srn(width=4, lstm=True, resize='tf1')": 1,
    "srn(width=4, lstm=True, planes=True)": 1,
    "dsdeblur(width=4)": 1,
    "dsdeblur(width=4, planes=False, resize='tf1')": 1,
    "srresnet(blocks=1, width=4)": 4,
    "srresnet(blocks=1, width=4, scale=2, batch_norm=False)": 2,
    NAFNET: 1,
}
"""Small networks, and how much larger than its input their output is."""

EVERY = pytest.mark.parametrize("text", TINY)


def tiny(text: str, seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return network(text).double()


def test_every_network_is_among_those_tested() -> None:
    assert {text.partition("(")[0] for text in TINY} == set(NETWORKS.table)


@EVERY
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (16, 2), (33, 47)])
def test_any_size_goes_in(text: str, size: tuple[int, int]) -> None:
    net, scale = tiny(text).eval(), TINY[text]
    assert isinstance(net, Network)
    with torch.no_grad():
        restored = net(picture(2, 3, *size))
    assert restored.shape == (2, 3, scale * size[0], scale * size[1])
    assert restored.isfinite().all()


@EVERY
def test_every_parameter_gets_a_gradient(text: str) -> None:
    net = tiny(text)
    for name, parameter in net.named_parameters():
        if name.endswith((".beta", ".gamma")):  # these begin at zero, and hide what they scale until they have moved
            torch.nn.init.ones_(parameter)
    net(picture(2, 3, 17, 20)).square().mean().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@EVERY
def test_the_seed_decides_the_weights(text: str) -> None:
    first, again, other = tiny(text), tiny(text), tiny(text, seed=1)
    same = [torch.equal(p, q) for p, q in zip(first.parameters(), again.parameters(), strict=True)]
    assert all(same)
    assert not torch.equal(next(first.parameters()), next(other.parameters()))


@EVERY
def test_an_image_is_restored_alike_alone_and_in_a_batch(text: str) -> None:
    net, batch = tiny(text).eval(), picture(3, 3, 19, 18)
    with torch.no_grad():
        torch.testing.assert_close(net(batch)[1:2], net(batch[1:2]))


@EVERY
def test_the_layout_in_memory_changes_nothing(text: str) -> None:
    net, image = tiny(text).eval(), picture(2, 3, 18, 21)
    with torch.no_grad():
        expected = net(image)
        net.to(memory_format=torch.channels_last)
        torch.testing.assert_close(net(image.to(memory_format=torch.channels_last)), expected)


@EVERY
def test_half_precision_comes_close_and_learns(text: str) -> None:
    net, image = tiny(text).float(), picture(1, 3, 16, 16).float()
    expected = net(image).detach()
    with torch.autocast("cpu", torch.bfloat16):
        restored = net(image).float()
    assert 0 < (restored - expected).abs().max() < 0.05 * expected.abs().max()
    restored.square().mean().backward()
    assert all(p.grad.isfinite().all() for p in net.parameters())


LEARNING = {
    "srn(width=8)": (2e-3, 25),
    "dsdeblur(width=8, planes=False)": (1e-3, 25),
    "srresnet(blocks=1, width=16, scale=2)": (1e-2, 60),
    "nafnet(width=12, encoder=(1, 1), decoder=(1, 1))": (1e-2, 60),
}
"""Small networks, and the rate and steps in which they learn eight by eight pixels."""


@pytest.mark.parametrize("text", LEARNING)
def test_learns_one_pair_by_heart(text: str) -> None:
    torch.manual_seed(0)
    net, side = network(text), 16 if "scale=2" in text else 8
    degraded, target = picture(1, 3, 8, 8).float(), picture(1, 3, side, side).float().flip(3)
    errors = errors_on_one_pair(net, degraded, target, steps=LEARNING[text][1], lr=LEARNING[text][0])
    assert errors[-1] < 0.4 * target.var().item() < errors[0]


@EVERY
def test_the_text_in_full_makes_the_same_network(text: str) -> None:
    choice = NETWORKS.parse(text)
    assert NETWORKS.parse(choice.in_full()) == choice == NETWORKS.parse(str(choice))
    assert parameters(network(choice.in_full())) == parameters(choice.build())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("srn(width=0)", r"srn\(width=0\)"),
        ("srn(resize='bicubic')", r"srn\(resize='bicubic'\): expected one of 'antialiased', 'tf1'"),
        ("srn(lstm=1)", r"srn\(lstm=1\)"),
        ("dsdeblur(lstm=True)", "dsdeblur has no option 'lstm'"),
        ("srresnet(scale=3)", r"srresnet\(scale=3\): expected one of 2, 4"),
        ("srresnet(blocks=0)", r"srresnet\(blocks=0\)"),
        ("nafnet(encoder=())", r"nafnet\(encoder=\[\]\)"),
        ("nafnet(middle=-1)", r"nafnet\(middle=-1\)"),
        ("nafnet(encoder=(1, -1), decoder=(1, 1))", "nafnet.encoder"),
        ("nafnett", "unknown network 'nafnett'; did you mean 'nafnet'"),
    ],
)
def test_options_out_of_range_are_named(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        network(text)


@EVERY
@pytest.mark.parametrize("channels", [1, 4])
def test_planes_of_a_mosaic_are_refused_with_the_layout_to_choose(text: str, channels: int) -> None:
    net = tiny(text)
    # Below the check of shapes, which comes with the tests only.
    forward = inspect.unwrap(type(net).forward_scales if isinstance(net, MultiScaleNetwork) else type(net).forward)
    with pytest.raises(SpecError, match=rf"restores RGB images, and got {channels} channels: .*layout='masked'"):
        forward(net, torch.rand(2, channels, 16, 16, dtype=torch.float64))
