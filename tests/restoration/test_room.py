"""How large tiles are, for the memory there is."""

import torch

from pdloss.restoration import room
from pdloss.restoration.reach import Reach
from tests.restoration.networks_for_tests import built

CPU = torch.device("cpu")


def test_a_wider_network_takes_more_memory_for_a_pixel_and_gets_smaller_tiles(monkeypatch) -> None:
    narrow, wide = (room.bytes_for_a_pixel(built(f"edsr(blocks=1, width={width})")) for width in (8, 32))
    assert 3 < wide / narrow < 5
    monkeypatch.setattr(room, "free_memory", lambda _: 400e6)
    reach = Reach(1, 1, 16, False)
    small, large = (room.fitting_tile(each, reach, CPU) for each in (wide, narrow))
    assert room.LEAST <= small < large <= 1024
    assert (large + 40) ** 2 * narrow <= 100e6, "a quarter of what is free"


def test_the_least_tile_is_tried_where_nothing_is_free(monkeypatch) -> None:
    monkeypatch.setattr(room, "free_memory", lambda _: 0.0)
    assert room.fitting_tile(1e4, Reach(1, 1, 16, False), CPU) == room.LEAST


def test_free_memory_is_at_most_that_of_the_machine() -> None:
    import os

    assert 0 < room.free_memory(CPU) <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_a_processor_takes_one_tile_at_a_time_and_a_gpu_as_many_as_fit(monkeypatch) -> None:
    reach = Reach(1, 1, 16, False)
    monkeypatch.setattr(room, "free_memory", lambda _: 1e9)
    assert room.fitting_batch(1e3, 256, reach, CPU) == 1
    gpu = torch.device("cuda")
    assert 1 == room.fitting_batch(1e4, 256, reach, gpu) < room.fitting_batch(1e3, 256, reach, gpu) <= 8
