"""What happens when memory runs out, when the overlap is too small, and when a network looks at everything."""

import pytest
import torch

from pdloss.errors import RunError, SpecError
from pdloss.restoration.engine import Done, Engine
from pdloss.restoration.reach import Reach
from tests.restoration.networks_for_tests import Box, Mean

CPU = torch.device("cpu")


class Short(Box):
    """Has room for windows of so many pixels."""

    def __init__(self, room: int) -> None:
        super().__init__(2)
        self.room = room
        self.refused = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[-1] * x.shape[-2] > self.room and x.shape[-2] > 16:
            self.refused += 1
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes.")
        return super().forward(x)


def restored(engine: Engine, image: torch.Tensor) -> tuple[torch.Tensor, Done]:
    height, width = image.shape[-2:]
    scale = engine.reach.scale
    made = torch.zeros(3, height * scale, width * scale)

    def keep(top: int, rows: torch.Tensor) -> None:
        made[:, top : top + rows.shape[1]] = rows

    return made, engine.restore(height, width, lambda r, c: image[:, r, c], keep)


def picture(height: int, width: int) -> torch.Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(1))


def test_a_tile_that_does_not_fit_is_halved_and_the_picture_done_again_wholly() -> None:
    image = picture(200, 300)
    network = Short(100 * 100)
    engine = Engine(network, CPU, precision="float32")
    engine._measured, engine._a_pixel = Reach(1, 1, 8, False), 1.0
    made, done = restored(engine, image)
    torch.testing.assert_close(made, Box(2)(image[None])[0])
    assert network.refused == done.again > 1 and 32 <= done.tile <= 100


def test_memory_that_never_suffices_is_an_error_and_no_part_of_a_picture() -> None:
    engine = Engine(Short(0), CPU, precision="float32")
    engine._measured, engine._a_pixel = Reach(1, 1, 8, False), 1.0
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        restored(engine, picture(200, 300))


def test_an_overlap_that_proves_too_small_is_made_larger_until_it_is_the_whole_picture() -> None:
    image = picture(150, 150)
    engine = Engine(Box(12), CPU, tile=48, precision="float32")
    engine._measured, engine._a_pixel = Reach(1, 1, 2, False), 1.0
    made, done = restored(engine, image)
    assert done.again >= 1 and done.disagreement <= 0.5 / 255
    assert (made - Box(12)(image[None])[0]).abs().max() <= 1 / 255


def test_a_network_that_looks_at_the_whole_picture_is_told_where_tiles_are_not_it() -> None:
    dark = torch.cat([torch.zeros(3, 80, 60), torch.ones(3, 80, 60)], -1)
    engine = Engine(Mean(), CPU, tile=40, precision="float32")
    _, done = restored(engine, dark)
    (note,) = engine.notes
    assert done.tiles > 1 and "looks at the whole picture" in note and "--tile" in note
    whole = Engine(Mean(), CPU, tile=200, precision="float32")
    made, done = restored(whole, dark)
    assert (done.tiles, whole.notes) == (1, [])
    assert torch.equal(made, Mean()(dark[None])[0])


def test_a_result_that_is_not_finite_is_refused() -> None:
    engine = Engine(Box(1), CPU, precision="float32")
    with pytest.raises(RunError, match="not finite"):
        restored(engine, torch.full((3, 40, 40), torch.nan))


def test_too_small_a_tile_is_refused() -> None:
    with pytest.raises(SpecError, match="--tile must be at least 32 pixels, or auto, got 8"):
        Engine(Box(1), CPU, tile=8)


def test_bfloat16_is_given_up_where_the_first_tile_shows_it_a_level_off() -> None:
    class Rough(Box):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x) + (0.01 if torch.is_autocast_enabled("cpu") else 0.0)

    for network, kept in ((Rough(1), False), (Box(1), True)):
        engine = Engine(network, CPU)
        engine.reach  # noqa: B018  # measured before
        engine._half, engine._verified = True, False  # as where bfloat16 is fast
        restored(engine, picture(40, 40))
        assert engine._half is kept


def test_tiles_that_bfloat16_parts_are_done_again_in_float32_with_the_same_overlap() -> None:
    class Wobbly(Box):
        rounded = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if not torch.is_autocast_enabled("cpu"):
                return super().forward(x)
            self.rounded += 1  # the first tile is compared with float32, then restored: the others go the other way
            return super().forward(x) + (0.003 if self.rounded <= 2 else -0.003)

    image = picture(100, 100) * 0.5 + 0.25
    engine = Engine(Wobbly(2), CPU, tile=48)
    engine._measured, engine._a_pixel = Reach(1, 1, 4, False), 1.0
    engine._half, engine._verified = True, False
    made, done = restored(engine, image)
    assert done.again == 1 and done.disagreement < 1e-5
    torch.testing.assert_close(made, Box(2)(image[None])[0])
