import multiprocessing
import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
import torch.nn.functional as F

from pdloss.datasets import Crops, Pairs, Photographs, batches, random_crop
from pdloss.errors import ImageError
from pdloss.ops.streams import generator
from tests.datasets.coded import SIZES, coded


def add_noise(clean, generator):
    return clean + 0.1 * torch.randn(clean.shape, generator=generator)


def noisy_half(clean, generator):
    return add_noise(F.avg_pool2d(clean, 2), generator)


def degrade_in_place(clean, generator):
    return clean.mul_(0)


def count_threads(clean, generator):
    return torch.full((3, 1, 1), float(torch.get_num_threads()))


def crops_of(folder: Path, degradation=add_noise, *, size=8, seed=3, batch=4, **options) -> Crops:
    return Crops(Photographs(folder, **options), degradation, size=size, seed=seed, batch=batch)


def same(one, other) -> bool:
    return torch.equal(one.degraded, other.degraded) and torch.equal(one.target, other.target) and one[2:] == other[2:]


class TestGenerator:
    def test_belongs_to_its_whole_key(self):
        keys = [(1, 23), (12, 3), (1, 2, 3), (123,), ("1", 23), ("a", "b"), ("ab",), (-1, 23), (2**70,)]
        draws = {tuple(torch.rand(4, generator=generator(*key)).tolist()) for key in keys}
        assert len(draws) == len(keys)
        assert tuple(torch.rand(4, generator=generator(12, 3)).tolist()) in draws

    def test_streams_of_neighbouring_keys_are_uncorrelated(self):
        count, length = 400, 50
        values = torch.stack([torch.randn(length, generator=generator(0, step, 1)) for step in range(count)])
        neighbours = (values[1:] * values[:-1]).mean()
        assert abs(neighbours) < 5 / (count * length) ** 0.5  # each product has mean 0, variance 1
        assert abs(values.mean()) < 5 / (count * length) ** 0.5
        assert values.std() == pytest.approx(1, abs=5 / (2 * count * length) ** 0.5)


class TestCrops:
    def test_target_is_a_piece_of_the_named_photograph(self, folder):
        crops = crops_of(folder, size=7)
        for item in range(20):
            pair = crops[item]
            number = list(SIZES).index(pair.name)
            image, rows, columns = (pair.target * 255).round().int()
            assert pair.target.dtype == torch.float32
            assert pair.target.shape == pair.degraded.shape == (3, 7, 7)
            assert (image == number).all()
            assert sorted(rows.unique().tolist()) == list(range(rows.min(), rows.min() + 7))
            assert sorted(columns.unique().tolist()) == list(range(columns.min(), columns.min() + 7))
            assert torch.equal(pair.target, torch.stack([image, rows, columns]) / torch.tensor(255.0))

    def test_every_epoch_uses_every_photograph_once_in_a_new_order(self, folder):
        crops = crops_of(folder, batch=3)
        names = [crops[item].name for item in range(100 * len(SIZES))]
        epochs = {tuple(names[start : start + len(SIZES)]) for start in range(0, len(names), len(SIZES))}
        assert all(sorted(epoch) == list(SIZES) for epoch in epochs)
        assert len(epochs) > 50  # of 120 orders, 100 draws hit 68 on average
        first = Counter(names[:: len(SIZES)])
        # Each photograph comes first in a fifth of the epochs, with variance 100 · 0.2 · 0.8.
        assert all(abs(first[name] - 20) < 5 * 16**0.5 for name in SIZES)

    def test_places_and_symmetries_are_uniform(self):
        pixels = torch.from_numpy(coded(0, 5, 6)).permute(2, 0, 1)
        draws, places, stream = 4800, 3 * 4, generator(11)
        counts = Counter(
            tuple(random_crop(pixels, 3, stream)[1:, [0, 0, 2], [0, 2, 0]].flatten().tolist()) for _ in range(draws)
        )
        assert len(counts) == 8 * places  # three corners tell place and symmetry
        expected = draws / len(counts)
        error = (expected * (1 - 1 / len(counts))) ** 0.5
        assert max(abs(count - expected) for count in counts.values()) < 5 * error

    def test_symmetries_are_those_of_the_square(self):
        pixels = torch.arange(27, dtype=torch.uint8).reshape(3, 3, 3)
        square = pixels.permute(1, 2, 0).numpy()
        expected = {np.rot90(one, k).tobytes() for one in (square, square[:, ::-1]) for k in range(4)}
        stream = generator(0)
        drawn = {random_crop(pixels, 3, stream).permute(1, 2, 0).contiguous().numpy().tobytes() for _ in range(200)}
        assert drawn == expected

    def test_an_item_does_not_depend_on_what_was_drawn_before(self, folder):
        forwards = crops_of(folder)
        pairs = [forwards[item] for item in range(30)]
        other = crops_of(folder)
        for item in (29, 3, 17, 3, 0):
            assert same(other[item], pairs[item])
        torch.rand(5)
        assert same(forwards[3], pairs[3])

    def test_items_differ_from_each_other_and_between_seeds(self, folder):
        noises = set()
        for seed in (0, 1):
            crops = crops_of(folder, lambda clean, generator: torch.randn(1, generator=generator), seed=seed)
            noises |= {crops[item].degraded.item() for item in range(50)}
        assert len(noises) == 100

    def test_noise_depends_on_step_and_index_only(self, folder):
        PIL.Image.fromarray(coded(9, 8, 8)).save(folder / "f.png")
        six = crops_of(folder, lambda clean, generator: torch.rand(2, generator=generator), size=8, batch=4)
        stream = generator(3, 5, 2)
        random_crop(six.photographs[six.photographs.names.index(six[22].name)], 8, stream)
        assert torch.equal(six[22].degraded, torch.rand(2, generator=stream))  # item 22 is crop 2 of step 5

    def test_a_degradation_that_works_in_place_leaves_the_target_alone(self, folder):
        crops = crops_of(folder, degrade_in_place, cached=True)
        kept = [crops.photographs[i].clone() for i in range(len(SIZES))]
        pair = crops[0]
        assert pair.degraded.abs().max() == 0
        assert pair.target.max() > 0
        assert all(torch.equal(crops.photographs[i], kept[i]) for i in range(len(SIZES)))

    def test_degrades_with_one_thread_and_gives_the_others_back(self, folder):
        before = torch.get_num_threads()
        torch.set_num_threads(2)
        try:
            assert crops_of(folder, count_threads)[0].degraded.flatten().tolist() == [1, 1, 1]
            assert torch.get_num_threads() == 2
        finally:
            torch.set_num_threads(before)

    @pytest.mark.parametrize("cached", [False, True])
    def test_gives_the_same_items_after_pickling(self, cached, folder):
        crops = crops_of(folder, cached=cached)
        copy = pickle.loads(pickle.dumps(crops))
        assert all(same(copy[item], crops[item]) for item in (0, 7, 40))


class TestBatches:
    def test_stacks_the_items_of_each_step(self, folder):
        crops = crops_of(folder, noisy_half)
        steps = list(batches(crops, 2, 5))
        assert len(steps) == 3
        for step, batch in enumerate(steps, start=2):
            pairs = [crops[step * 4 + index] for index in range(4)]
            assert batch.degraded.shape == (4, 3, 4, 4)
            assert torch.equal(batch.degraded, torch.stack([pair.degraded for pair in pairs]))
            assert torch.equal(batch.target, torch.stack([pair.target for pair in pairs]))
            assert batch.names == [pair.name for pair in pairs]

    def test_holds_nothing_between_equal_steps(self, folder):
        assert list(batches(crops_of(folder), 3, 3)) == []

    def test_workers_change_nothing(self, folder):
        alone = list(batches(crops_of(folder), 0, 7))
        helped = list(batches(crops_of(folder), 0, 7, workers=2))
        mapped = list(batches(crops_of(folder, cached=True), 0, 7, workers=2))
        assert len(helped) == len(mapped) == 7
        assert all(map(same, helped, alone))
        assert all(map(same, mapped, alone))

    @pytest.mark.parametrize("workers", [0, 2])
    def test_going_on_equals_never_having_stopped(self, workers, folder):
        whole = list(batches(crops_of(folder), 0, 8))
        rest = list(batches(crops_of(folder), 5, 8, workers))
        assert len(rest) == 3
        assert all(map(same, rest, whole[5:]))

    @pytest.mark.parametrize("workers", [0, 1])
    def test_leave_the_global_random_state_alone(self, workers, folder):
        torch.manual_seed(5)
        state = torch.get_rng_state()
        first = list(batches(crops_of(folder), 0, 3, workers))
        assert torch.equal(torch.get_rng_state(), state)
        torch.manual_seed(6)
        assert all(map(same, batches(crops_of(folder), 0, 3, workers), first))

    def test_workers_use_one_thread(self, folder):
        (batch,) = batches(crops_of(folder, count_threads), 0, 1, workers=1)
        assert batch.degraded.flatten().tolist() == [1] * 12

    def test_workers_end_when_the_batches_are_no_longer_wanted(self, folder):
        others = set(multiprocessing.active_children())
        steps = batches(crops_of(folder), 0, 1000, workers=2)
        next(steps)
        assert len(set(multiprocessing.active_children()) - others) == 2
        steps.close()
        assert set(multiprocessing.active_children()) <= others

    def test_are_not_pinned_unless_asked(self, folder):
        (batch,) = batches(crops_of(folder), 0, 1)
        assert not batch.target.is_pinned()

    @pytest.mark.parametrize("workers", [0, 2])
    def test_pinning_changes_nothing_but_the_place(self, workers, folder, monkeypatch):
        pinned = []
        monkeypatch.setattr("pdloss.datasets.crops._pinned", lambda batch: pinned.append(batch) or batch)
        others = set(multiprocessing.active_children())
        steps = batches(crops_of(folder), 2, 9, workers, pin=True)
        assert all(map(same, steps, batches(crops_of(folder), 2, 9)))
        assert len(pinned) == 7
        some = batches(crops_of(folder), 0, 1000, workers, pin=True)
        next(some)
        some.close()
        assert set(multiprocessing.active_children()) <= others

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="pinned memory needs a CUDA device")
    def test_are_pinned_when_asked(self, folder):
        (batch,) = batches(crops_of(folder), 0, 1, pin=True)
        assert batch.target.is_pinned()
        assert batch.degraded.is_pinned()
        assert len(batch.names) == 4


class TestPairs:
    def test_are_the_whole_photographs(self, folder):
        pairs = Pairs(folder, noisy_half, seed=0)
        assert len(pairs) == len(SIZES)
        for number, (name, (height, width)) in enumerate(SIZES.items()):
            pair = pairs[number]
            assert pair.name == name
            assert pair.degraded.shape == (3, height // 2, width // 2)
            expected = coded(number, height, width).astype(np.float32) / np.float32(255)
            np.testing.assert_array_equal(pair.target.permute(1, 2, 0).numpy(), expected)

    def test_noise_depends_on_seed_and_file_name_only(self, folder):
        before = Pairs(Photographs(folder), add_noise, seed=1)[3]
        (folder / "a.png").unlink()
        PIL.Image.new("RGB", (9, 9)).save(folder / "z.png")
        after = Pairs(folder, add_noise, seed=1)
        assert same(after[2], before)
        assert same(after[2], before)
        assert not torch.equal(Pairs(folder, add_noise, seed=2)[2].degraded, before.degraded)
        (folder / "d.png").rename(folder / "dd.png")
        assert not torch.equal(Pairs(folder, add_noise, seed=1)[2].degraded, before.degraded)


def test_real_photographs_load_whole(images_folder):
    photographs = Photographs(images_folder / "valid" / "set5", smallest=96)
    assert len(photographs) > 0
    assert photographs.skipped == {}
    pair = Crops(photographs, add_noise, size=96, seed=0, batch=1)[0]
    with PIL.Image.open(images_folder / "valid" / "set5" / pair.name) as picture:
        whole = torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)
    assert torch.equal(photographs[photographs.names.index(pair.name)], whole)
    assert 0 <= pair.target.min() < pair.target.max() <= 1


@pytest.mark.parametrize("workers", [0, 1])
def test_a_photograph_that_vanished_meanwhile_is_named_in_one_line(tmp_path: Path, workers: int) -> None:
    PIL.Image.new("RGB", (20, 20)).save(tmp_path / "gone.png")
    photographs = Photographs(tmp_path)
    (tmp_path / "gone.png").unlink()
    crops = Crops(photographs, lambda clean, generator: clean, size=8, seed=0, batch=1)
    with pytest.raises(ImageError, match=r"\Acannot read [^\n]*gone.png[^\n]*\Z"):
        next(batches(crops, 0, 1, workers))
