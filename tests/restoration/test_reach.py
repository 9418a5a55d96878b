"""How far networks look, compared with boxes whose size is known and with changes made far away."""

import pytest
import torch

from pdloss.restoration.reach import measured_reach
from tests.restoration.networks_for_tests import LOCAL, WHOLE, Box, Mean, built


@pytest.mark.parametrize("reach", [0, 5, 20, 40])
def test_a_box_is_felt_no_further_than_it_is_wide_and_a_wide_one_as_far_as_it_is(reach: int) -> None:
    found = measured_reach(Box(reach))
    assert (found.scale, found.grid, found.whole) == (1, 1, False)
    assert found.pixels >= reach and found.pixels <= max(2 * reach, 16)


def test_what_is_an_average_over_everything_is_known() -> None:
    assert measured_reach(Mean()).whole
    assert measured_reach(built(WHOLE)).whole


@pytest.mark.parametrize(("text", "scale", "grid"), [(LOCAL[0], 1, 1), (LOCAL[1], 1, 3), (LOCAL[2], 3, 1)])
def test_the_scale_and_the_grid_of_blocks_are_found(text: str, scale: int, grid: int) -> None:
    found = measured_reach(built(text))
    assert (found.scale, found.grid, found.whole) == (scale, grid, False)


def test_what_lies_beyond_the_reach_changes_less_than_a_tenth_of_a_level() -> None:
    network = built("edsr(blocks=2, width=8, unshuffle=2)")
    reach = measured_reach(network)
    one = torch.rand(1, 3, 24, 200, generator=torch.Generator().manual_seed(5))
    other = one.clone()
    edge = 100 + reach.pixels
    other[..., edge:] = 1 - other[..., edge:]
    with torch.no_grad():
        apart = (network(one) - network(other)).abs().amax((0, 1, 2))
    assert apart[:100].max() <= 0.1 / 255 < apart[100:].max()


def test_the_network_is_left_as_it_was() -> None:
    network = built(LOCAL[0])
    measured_reach(network)
    assert next(network.parameters()).dtype == torch.float32


def test_one_that_cannot_be_measured_counts_as_one_that_looks_at_the_whole() -> None:
    class Square(Box):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if x.shape[-1] != x.shape[-2]:
                raise ValueError("squares only")
            return super().forward(x)

    assert measured_reach(Square(1)).whole
