"""Anybody's pictures: what the numbers are, how files are paired, and every way in which two folders do not fit."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from pdloss.assets import sha256
from pdloss.errors import ImageError, OutOfMemoryError, SpecError
from pdloss.evaluation.folders import paired, score
from pdloss.images import pixels_sha256, read_pixels

Folders = tuple[Path, Path]


def pixels(seed: int, height: int = 20, width: int = 24) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def save(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """Three restored pictures, and what they should be."""
    for index in range(3):
        save(tmp_path / "mine" / f"p{index}.png", pixels(index))
        save(tmp_path / "photographs" / f"p{index}.png", pixels(index + 10))
    return tmp_path / "mine", tmp_path / "photographs"


def scored(folders: Folders, *names: str) -> tuple[list[dict[str, float]], list[str]]:
    scores, notes = score(*folders, metric_names=names or ["psnr"], device="cpu")
    return [image.restored for image in scores.images], notes


def test_scores_every_pair_and_says_of_what(folders: Folders) -> None:
    done = []
    result = score(*folders, metric_names=["psnr"], device="cpu", progress=lambda *counts: done.append(counts))
    scores = result.scores
    assert result.notes == []
    for index, image in enumerate(scores.images):
        wanted = peak_signal_noise_ratio(pixels(index + 10), pixels(index))
        assert image.restored["psnr"] == pytest.approx(wanted, abs=1e-4)
        assert image.name == f"p{index}.png"
        assert image.degraded == {}
        assert image.restored_sha256 == sha256(folders[0] / image.name)
        assert image.target_sha256 == pixels_sha256(read_pixels(folders[1] / image.name).pixels)
    assert done == [(1, 3), (2, 3), (3, 3)]
    assert (scores.run, scores.set, scores.targets) == ("mine", "photographs", str(folders[1]))
    assert scores.degradation == "not known: scored from files"
    assert scores.weights_sha256 is None


def test_scores_whole_sets_with_real_weights(folders: Folders, assets_folder: Path) -> None:
    scores = score(*folders, metric_names=["psnr", "fid64"], device="cpu").scores
    same = score(folders[1], folders[1], metric_names=["fid64"], device="cpu").scores
    assert scores.set_metrics.keys() == scores.sets.keys() == {"fid64"}
    assert scores.metrics.keys() == {"psnr"}
    assert scores.sets["fid64"].value > 0.1
    assert same.sets["fid64"].value == pytest.approx(0, abs=1e-6)


def test_files_are_paired_by_name_without_the_suffix(folders: Folders) -> None:
    for index in range(3):
        (folders[0] / f"p{index}.png").rename(folders[0] / f"q{2 - index}.png")
        (folders[1] / f"p{index}.png").unlink()
        save(folders[1] / f"q{2 - index}.tif", pixels(index + 10))
    assert [(pair.restored.name, pair.target.name) for pair in paired(*folders)[0]] == [
        (f"q{index}.png", f"q{index}.tif") for index in range(3)
    ]
    values, _ = scored(folders)
    assert values[0]["psnr"] == pytest.approx(peak_signal_noise_ratio(pixels(12), pixels(2)), abs=1e-4)


def test_a_folder_of_the_targets_name_is_called_by_its_parent_too(folders: Folders) -> None:
    folders[0].rename(folders[0].parent / "deep")
    inner = folders[0].parent / "run" / "photographs"
    inner.parent.mkdir()
    (folders[0].parent / "deep").rename(inner)
    assert score(inner, folders[1], metric_names=["psnr"], device="cpu").scores.run == "run/photographs"


def test_leftovers_on_either_side_are_refused_by_name(folders: Folders) -> None:
    save(folders[0] / "more.png", pixels(0))
    with pytest.raises(ImageError, match=r"mine alone has more\.png; pictures are paired by name"):
        scored(folders)
    save(folders[1] / "other.png", pixels(0))
    with pytest.raises(ImageError, match=r"mine alone has more\.png, and .*photographs alone has other\.png"):
        scored(folders)
    for index in range(7):
        save(folders[1] / f"x{index}.png", pixels(0))
    with pytest.raises(ImageError, match=r"other\.png, x0\.png, x1\.png, x2\.png, x3\.png and 3 more"):
        scored(folders)


def test_of_two_files_of_one_stem_each_has_its_own_partner(folders: Folders) -> None:
    save(folders[1] / "p1.bmp", pixels(20))
    with pytest.raises(ImageError, match=r"photographs alone has p1\.bmp; pictures are paired by name"):
        scored(folders)
    save(folders[0] / "p1.bmp.png", pixels(30))  # as restoring a folder that holds p1.bmp and p1.png calls it
    values, _ = scored(folders)
    assert [image["psnr"] for image in values] == [
        pytest.approx(peak_signal_noise_ratio(pixels(wanted), pixels(given)), abs=1e-4)
        for given, wanted in ((0, 10), (30, 20), (1, 11), (2, 12))
    ]


def test_trees_are_paired_by_path_and_patterns_by_what_their_stars_stand_for(tmp_path: Path) -> None:
    for number, scene in enumerate(("one", "two")):
        save(tmp_path / "set" / scene / "sharp" / "1.png", pixels(number))
        save(tmp_path / "set" / scene / "blur" / "1.png", pixels(number + 2))
        save(tmp_path / "mine" / scene / "sharp" / "1.png", pixels(number + 4))
        save(tmp_path / "others" / scene / "1.png", pixels(number + 6))
    for given, first in (("mine", 4), ("set/*/blur", 2), ("others", 6)):
        scores = score(tmp_path / given, tmp_path / "set" / "*" / "sharp", metric_names=["psnr"], device="cpu").scores
        assert [image.name for image in scores.images] == ["one/sharp/1.png", "two/sharp/1.png"]
        assert scores.targets == str(tmp_path / "set")
        for number, image in enumerate(scores.images):
            wanted = peak_signal_noise_ratio(pixels(number), pixels(number + first))
            assert image.restored["psnr"] == pytest.approx(wanted, abs=1e-4)


def test_pictures_that_were_passed_over_are_named(folders: Folders) -> None:
    (folders[0] / "phone.HEIC").touch()
    assert "1 picture passed over: phone.HEIC (HEIC is not read: save it as PNG)" in scored(folders)[1]


def test_different_sizes_are_refused_with_both(folders: Folders) -> None:
    save(folders[1] / "p2.png", pixels(0, 10, 12))
    with pytest.raises(ImageError, match=r"mine/p2\.png is 24x20 pixels, but .*photographs/p2\.png is 12x10"):
        scored(folders)


@pytest.mark.parametrize("side", [0, 1])
def test_a_truncated_picture_is_refused_by_name(folders: Folders, side: int) -> None:
    path = folders[side] / "p1.png"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ImageError, match=rf"{folders[side].name}/p1\.png"):
        scored(folders)


def test_16_bits_against_8_are_said(folders: Folders) -> None:
    gray = pixels(3)[..., 0]
    save(folders[0] / "p0.png", gray.astype(np.uint16) * 257)
    save(folders[1] / "p0.png", np.repeat(gray[..., None], 3, axis=2))
    values, notes = scored(folders)
    assert values[0]["psnr"] == 120.0
    assert f"1 file of {folders[0]}: 16-bit reduced to 8-bit" in notes


def test_alpha_is_dropped_and_said(folders: Folders) -> None:
    before, _ = scored(folders)
    for index in range(2):
        alpha = pixels(99)[..., :1]
        save(folders[0] / f"p{index}.png", np.concatenate([pixels(index), alpha], axis=2))
    values, notes = scored(folders)
    assert values == before
    assert notes == [f"2 files of {folders[0]}: alpha dropped"]


def test_values_that_are_no_numbers_are_refused_by_name(folders: Folders) -> None:
    values = np.full((20, 24), 0.5, np.float32)
    values[3, 4] = np.nan
    (folders[0] / "p0.png").unlink()
    save(folders[0] / "p0.tif", values)
    with pytest.raises(ImageError, match=r"mine/p0\.tif: some of its floating-point values are not numbers"):
        scored(folders)


def test_empty_and_missing_folders_are_refused_by_name(folders: Folders, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match="empty holds no image"):
        score(tmp_path / "empty", folders[1])
    with pytest.raises(ImageError, match="nowhere does not exist"):
        score(folders[0], tmp_path / "nowhere")


def test_goes_on_without_metrics_that_cannot_be_had_and_says_so(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PDLOSS_ASSETS", raising=False)
    values, notes = scored(folders, "psnr", "lpips", "ms_ssim")
    assert values[0].keys() == {"psnr"}
    assert notes[0].startswith("lpips left out: ")
    assert notes[1:] == ["ms_ssim left out: it needs 161 pixels a side, the smallest image has 20"]


def test_where_no_metric_can_be_had_the_reasons_are_all_there_is(folders: Folders) -> None:
    with pytest.raises(ImageError, match="none of the metrics can be had: ms_ssim left out: .*161.*; ms_ssim_y"):
        scored(folders, "ms_ssim", "ms_ssim_y")


def test_a_metric_that_needs_the_input_is_refused(folders: Folders) -> None:
    with pytest.raises(SpecError, match="unknown metric 'consistency'"):
        scored(folders, "consistency")


def test_memory_that_runs_out_names_the_picture(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    def runs_out(*_: object) -> None:
        np.empty(1 << 50)

    monkeypatch.setattr("pdloss.evaluation.scoring.SetTotals.add", runs_out)
    with pytest.raises(OutOfMemoryError, match=r"\Amemory ran out while scoring [^\n]*p0\.png"):
        score(*folders, metric_names=["psnr"], device="cpu")
