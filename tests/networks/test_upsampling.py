"""Ways of enlarging: any size, the same function as their description, and no mesh where none is promised."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pdloss.errors import SpecError
from pdloss.networks import EDSR, network
from pdloss.networks.upsampling import enlarged

WAYS = ("shuffle", "icnr", "resize")


def picture(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("where", ["scale=2", "scale=3", "scale=4", "unshuffle=2", "unshuffle=3"])
def test_every_way_gives_every_size(how: str, where: str) -> None:
    torch.manual_seed(0)
    net = network(f"edsr(blocks=1, width=4, {where}, upsampling='{how}')")
    times = int(where[-1]) if where.startswith("scale") else 1
    for height, width in ((1, 1), (5, 7)):
        restored = net(picture(2, 3, height, width))
        assert restored.shape == (2, 3, times * height, times * width)
    loss = restored.square().mean()
    loss.backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


@pytest.mark.parametrize("factor", [2, 3])
def test_equal_weights_within_blocks_are_the_nearest_pixel(factor: int) -> None:
    torch.manual_seed(0)
    layers = enlarged(5, 4, factor, "icnr")
    out = nn.Sequential(*layers)(picture(1, 5, 6, 6))
    assert out.equal(F.interpolate(out[..., ::factor, ::factor], scale_factor=factor, mode="nearest"))
    assert out[..., ::factor, ::factor].std() > 0.1
    rough = nn.Sequential(*enlarged(5, 4, factor, "shuffle"))(picture(1, 5, 6, 6))
    assert not rough.equal(F.interpolate(rough[..., ::factor, ::factor], scale_factor=factor, mode="nearest"))


def test_a_resize_leaves_even_surfaces_even() -> None:
    torch.manual_seed(0)
    even = torch.full((1, 5, 8, 8), 0.3)
    for how, spread in (("resize", 0.0), ("icnr", 0.0), ("shuffle", 0.01)):
        out = nn.Sequential(*enlarged(5, 3, 2, how))(even)[..., 4:-4, 4:-4]
        assert out.std((-2, -1)).max() >= spread
        assert spread or out.std((-2, -1)).max() < 1e-6


def test_networks_from_before_have_the_same_weights_and_text() -> None:
    torch.manual_seed(0)
    keys = network("edsr(scale=4, blocks=1, width=4)").state_dict().keys()
    assert [key for key in keys if key.startswith("tail")] == [
        f"tail.{i}.{x}" for i in (0, 2, 4) for x in ("weight", "bias")
    ]
    assert "upsampling" not in EDSR(scale=4).in_full()
    assert "upsampling" in EDSR(scale=4, upsampling="resize").in_full()


def test_nothing_to_enlarge_and_unknown_ways_are_refused() -> None:
    with pytest.raises(SpecError, match="enlarges nothing"):
        EDSR(upsampling="icnr")
    with pytest.raises(SpecError, match="upsampling"):
        network("edsr(scale=2, upsampling='bilinear')")
