"""What loggers write, whichever they are."""

import msgspec
import torch

from pdloss.records import LogLine
from pdloss.training.loggers.contents import numbers, panel
from pdloss.training.watching import Picture


def test_every_number_of_a_line_is_there_under_a_name_of_its_own() -> None:
    line = LogLine(step=3, seconds=1.5, lr=0.25, total=4.0, terms={"l1": 5.0}, gradients={"l1": 6.0},
                   learners={"l1": 7.0}, waiting=0.125, valid={"psnr": 30.0})  # fmt: skip
    flat = []
    for value in msgspec.to_builtins(line).values():
        flat += value.values() if isinstance(value, dict) else [value]
    assert sorted(numbers(line).values()) == sorted(flat[1:]), "all but the step"


def test_a_panel_is_the_middle_of_degraded_restored_and_target_beside_each_other() -> None:
    target = torch.zeros(3, 6, 8)
    target[0, 2:4, 3:5] = 1.0  # the four pixels in the middle
    picture = Picture("a.png", torch.full((3, 3, 4), 0.5), target * 2 - 0.5, target)
    shown = panel(picture, side=2)
    assert shown.shape == (2, 6, 3)
    assert (shown[:, :2] == 128).all()
    assert (shown[:, 2:4] == [255, 0, 0]).all(), "clipped to [0, 1]"
    assert (shown[:, 4:] == [255, 0, 0]).all()


def test_mosaics_of_one_and_four_channels_are_shown_in_gray() -> None:
    target = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(0))
    for degraded in (torch.full((1, 4, 4), 0.2), torch.full((4, 2, 2), 0.2)):
        assert (panel(Picture("a", degraded, target, target))[:, :4] == 51).all()
