"""Pairs that came as pairs: who belongs to whom, the same crop of both, and every way in which they do not fit."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch

from pdloss.datasets import Crops, OwnPairs, Pairs, Photographs, batches
from pdloss.degradations.given import Given
from pdloss.errors import ImageError, SpecError


def saved(path: Path, number: int, height: int = 24, width: int = 32, scale: int = 1) -> None:
    """A picture whose pixels say where they come from: number, row and column, in the target's pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    values = np.stack([np.full_like(rows, number), rows * scale, columns * scale], -1).astype(np.uint8)
    PIL.Image.fromarray(values).save(path)


def gopro(folder: Path) -> Path:
    """Two scenes of the GoPro layout with the same names; blurred pictures have numbers from 100 on."""
    for scene in range(2):
        for frame in range(3):
            number = 10 * scene + frame
            for kind, more in (("sharp", 0), ("blur", 100), ("blur_gamma", 200)):
                saved(folder / "train" / f"scene{scene}" / kind / f"{frame:06d}.png", number + more)
    return folder / "train"


def numbers(pairs: OwnPairs) -> list[tuple[int, int]]:
    return [
        (int(degraded[0, 0, 0]), int(target[0, 0, 0])) for degraded, target in (pairs[i] for i in range(len(pairs)))
    ]


@pytest.mark.parametrize("cached", [False, True])
def test_stars_pair_the_scenes_of_gopro(cached: bool, tmp_path: Path) -> None:
    folder = gopro(tmp_path)
    for _ in range(2):  # the second time from what the first kept
        pairs = OwnPairs(folder / "*" / "sharp", folder / "*" / "blur", cached=cached)
        assert numbers(pairs) == [(number + 100, number) for number in (0, 1, 2, 10, 11, 12)]
        assert pairs.names == [f"scene{scene}/sharp/{frame:06d}.png" for scene in range(2) for frame in range(3)]
    assert pairs.factor == 1
    other = OwnPairs(folder / "**" / "sharp", folder / "**" / "blur_gamma")
    assert numbers(other) == [(number + 200, number) for number in (0, 1, 2, 10, 11, 12)]
    assert len({pairs.fingerprint, other.fingerprint, Photographs(folder / "*" / "sharp").fingerprint}) == 3


@pytest.mark.parametrize(
    ("target", "degraded", "data", "given"),
    [
        ("HR/{}.png", "LR/{}x2.png", "HR", "LR"),
        ("HR/{}.png", "LR/{}_X2.png", "HR", "LR"),
        ("HR/{}.png", "LR/{}.bmp", "HR", "LR"),
        ("Canon/{}_HR.png", "Canon/{}_LR2.png", "*/*_HR.png", "*/*_LR2.png"),
        ("Data/{}/GT_SRGB_010.PNG", "Data/{}/NOISY_SRGB_010.PNG", "Data/*/GT_SRGB_*.PNG", "Data/*/NOISY_SRGB_*.PNG"),
    ],
)
def test_names_of_known_sets_find_their_partners(
    target: str, degraded: str, data: str, given: str, tmp_path: Path
) -> None:
    for number in (1, 2, 3):
        saved(tmp_path / target.format(f"000{number}"), number)
        saved(tmp_path / degraded.format(f"000{number}"), number + 100, 12, 16, scale=2)
    pairs = OwnPairs(tmp_path / data, tmp_path / given)
    assert numbers(pairs) == [(101, 1), (102, 2), (103, 3)]
    assert pairs.factor == 2


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_crops_show_the_same_place_of_both_in_the_same_symmetry(factor: int, tmp_path: Path) -> None:
    for number in range(3):
        saved(tmp_path / "hr" / f"{number}.png", number, 24, 32)
        saved(tmp_path / "lr" / f"{number}.png", number + 100, 24 // factor, 32 // factor, scale=factor)
    pairs = OwnPairs(tmp_path / "hr", tmp_path / "lr")
    crops = Crops(pairs, Given(factor), size=8, seed=3, batch=4)
    seen = set()
    for item in range(120):
        degraded, target, name = crops[item]
        assert degraded.shape == (3, 8 // factor, 8 // factor)
        small, large = (degraded * 255).round().int(), (target * 255).round().int()
        assert name == f"{int(large[0, 0, 0])}.png"
        assert int(small[0, 0, 0]) == int(large[0, 0, 0]) + 100
        cells = large[1:].reshape(2, 8 // factor, factor, 8 // factor, factor)
        assert torch.equal(small[1:], cells.amin(dim=(2, 4)))  # each pixel is the upper left one of its cell
        down, right = int(large[1, -1, 0] - large[1, 0, 0]), int(large[2, 0, -1] - large[2, 0, 0])
        seen.add((down, right, int(large[2, -1, 0] - large[2, 0, 0]), int(large[1, 0, -1] - large[1, 0, 0])))
        again = Crops(pairs, Given(factor), size=8, seed=3, batch=4)[item]
        assert torch.equal(again.degraded, degraded)
        assert torch.equal(again.target, target)
    assert len(seen) == 8


def test_workers_change_no_bit(tmp_path: Path) -> None:
    folder = gopro(tmp_path)
    pairs = OwnPairs(folder / "*" / "sharp", folder / "*" / "blur", cached=True)
    crops = Crops(pairs, Given(1), size=8, seed=0, batch=2)
    for one, other in zip(batches(crops, 0, 3), batches(crops, 0, 3, workers=1), strict=True):
        assert torch.equal(one.degraded, other.degraded)
        assert torch.equal(one.target, other.target)


def test_whole_pairs_are_cut_to_the_factor(tmp_path: Path) -> None:
    saved(tmp_path / "hr" / "a.png", 1, 25, 35)
    saved(tmp_path / "lr" / "a.png", 2, 6, 8, scale=4)
    ((degraded, target, name),) = [Pairs(OwnPairs(tmp_path / "hr", tmp_path / "lr"), Given(4), seed=0)[0]]
    assert (degraded.shape, target.shape, name) == ((3, 6, 8), (3, 24, 32), "a.png")
    assert float(target[1, 23, 0] * 255) == pytest.approx(23)


def test_photographs_without_a_partner_are_listed_or_left_out(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        saved(tmp_path / "hr" / name, 1)
    for name in ("b.jpg", "c.jpg", "d.jpg"):
        saved(tmp_path / "lr" / name, 2)
    with pytest.raises(
        ImageError, match=r"hr alone has a\.png; .*lr alone has d\.jpg; .*leave them out with --skip-dam"
    ):
        OwnPairs(tmp_path / "hr", tmp_path / "lr")
    pairs = OwnPairs(tmp_path / "hr", tmp_path / "lr", skip_damaged=True)
    assert pairs.names == ["b.png", "c.png"]
    assert [note.rpartition(" ")[2] for note in pairs.notes] == ["a.png", "d.jpg"]
    saved(tmp_path / "other" / "z.png", 3)
    with pytest.raises(ImageError, match=r"nothing in .*other belongs to anything in .*hr"):
        OwnPairs(tmp_path / "hr", tmp_path / "other")


@pytest.mark.parametrize("side", ["hr", "lr"])
def test_damage_on_either_side_costs_the_pair_only_if_asked(side: str, tmp_path: Path) -> None:
    for number in range(3):
        saved(tmp_path / "hr" / f"{number}.png", number)
        saved(tmp_path / "lr" / f"{number}.png", number + 100)
    (tmp_path / side / "1.png").write_bytes(b"no picture")
    with pytest.raises(ImageError, match=rf"{side}/1\.png: not an image.*--skip-damaged"):
        OwnPairs(tmp_path / "hr", tmp_path / "lr")
    pairs = OwnPairs(tmp_path / "hr", tmp_path / "lr", skip_damaged=True)
    assert numbers(pairs) == [(100, 0), (102, 2)]
    assert list(pairs.hashes) == pairs.names == ["0.png", "2.png"]
    assert list(pairs.skipped) == ["1.png"]


def test_sizes_that_do_not_fit_are_refused_with_both(tmp_path: Path) -> None:
    saved(tmp_path / "hr" / "a.png", 1, 24, 32)
    saved(tmp_path / "lr" / "a.png", 1, 12, 17)
    with pytest.raises(ImageError, match=r"hr/a\.png of 32x24 pixels and .*lr/a\.png of 17x12 do not fit"):
        OwnPairs(tmp_path / "hr", tmp_path / "lr")
    with pytest.raises(ImageError, match="do not fit"):
        OwnPairs(tmp_path / "lr", tmp_path / "hr")
    saved(tmp_path / "lr" / "a.png", 1, 12, 16)
    saved(tmp_path / "hr" / "b.png", 1, 24, 32)
    saved(tmp_path / "lr" / "b.png", 1, 6, 8)
    with pytest.raises(ImageError, match=r"differ in scale: .*a\.png of 16x12, but .*b\.png of 8x6; give one scale"):
        OwnPairs(tmp_path / "hr", tmp_path / "lr")


def test_crops_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    saved(tmp_path / "hr" / "a.png", 1, 25, 35)
    saved(tmp_path / "lr" / "a.png", 2, 6, 8)
    pairs = OwnPairs(tmp_path / "hr", tmp_path / "lr")
    with pytest.raises(SpecError, match="a crop of 10 pixels cannot be degraded 4 times smaller"):
        Crops(pairs, Given(4), size=10, seed=0, batch=1)
    with pytest.raises(ImageError, match=r"a\.png is 35x25 pixels, smaller than the crop of 28x28"):
        Crops(pairs, Given(4), size=28, seed=0, batch=1)
    assert Crops(pairs, Given(4), size=24, seed=0, batch=1)[0].target.shape == (3, 24, 24)


def test_progress_counts_the_files_of_both(tmp_path: Path) -> None:
    folder, seen = gopro(tmp_path), []
    OwnPairs(folder / "*/sharp", folder / "*/blur", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 12) for done in range(1, 13)]


def test_blurred_pictures_beside_sharp_ones_are_never_taken_for_clean(tmp_path: Path) -> None:
    folder = gopro(tmp_path)
    sentence = r"holds pairs, \*/blur beside \*/sharp, .*clean ones by '.*train/\*/sharp'.*--degraded '.*train/\*/blur'"
    with pytest.raises(ImageError, match=sentence):
        Photographs(folder)
    with pytest.raises(ImageError, match=sentence):
        OwnPairs(folder, folder / "*" / "blur")
    assert len(Photographs(folder / "*" / "sharp")) == 6
    assert len(Photographs(folder / "**")) == 18
