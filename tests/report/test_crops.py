"""Where the runs differ, and what is cut out there."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pdloss.errors import ImageError, RunError
from pdloss.report.crops import Tile, kept, strips, tiles, window_of
from pdloss.report.pictures import Window
from pdloss.report.sources import read_comparison
from pdloss.report.windows import SIDE
from tests.report.folders import flat, write_picture, write_pictures, write_run

SCORES = {"psnr": [30.0]}


def opened(tile: Tile) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(tile.uri.partition("base64,")[2]))))


def run_with(folder: Path, restored: np.ndarray, degraded: np.ndarray | None = None, targets: str = "gone") -> Path:
    write_run(folder, SCORES, images=("one.png",), targets=targets)
    write_pictures(folder, "restored", {"one.png": restored})
    if degraded is not None:
        write_pictures(folder, "degraded", {"one.png": degraded})
    return folder


def gradient(height: int, width: int) -> np.ndarray:
    """A picture with another colour at every place."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows % 256, columns % 256, (rows // 256 + columns // 256) % 256], axis=-1).astype(np.uint8)


def test_finds_the_planted_difference(tmp_path: Path) -> None:
    plain, planted = flat(100, 300, 400), flat(100, 300, 400)
    planted[150 : 150 + SIDE, 210 : 210 + SIDE] = 140
    runs = [run_with(tmp_path / "a", plain), run_with(tmp_path / "b", planted)]
    (strip,), _ = strips(read_comparison(runs))
    assert strip.window == Window(150, 210, SIDE, SIDE)
    assert strip.difference == pytest.approx(40.0)
    assert [tile.label for tile in strip.tiles] == ["a", "b"]
    assert (opened(strip.tiles[0]) == 100).all()
    assert (opened(strip.tiles[1]) == 140).all()


def test_shows_the_images_that_differ_most_first(tmp_path: Path) -> None:
    names = ("one.png", "two.png", "three.png")
    for name, levels in (("a", (10, 10, 10)), ("b", (15, 60, 30))):
        write_run(tmp_path / name, {"psnr": [30.0] * 3})
        pictures = {image: flat(level) for image, level in zip(names, levels, strict=True)}
        write_pictures(tmp_path / name, "restored", pictures)
    told: list[tuple[int, int]] = []
    comparison = read_comparison([tmp_path / "a", tmp_path / "b"])
    shown, _ = strips(comparison, lambda done, total: told.append((done, total)))
    assert [(s.image, s.difference, s.reason) for s in shown] == [
        ("two.png", 50.0, "largest disagreement"),
        ("three.png", 20.0, "disagreement no. 2"),
        ("one.png", 5.0, "disagreement no. 3"),
    ]
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_cuts_the_same_place_from_input_run_and_target(tmp_path: Path) -> None:
    whole = gradient(200, 260)
    changed = whole.copy()
    changed[60 : 60 + SIDE, 90 : 90 + SIDE] ^= 64
    write_picture(tmp_path / "targets" / "one.png", whole)
    targets = str(tmp_path / "targets")
    runs = [run_with(tmp_path / "a", whole, whole, targets), run_with(tmp_path / "b", changed, whole, targets)]
    (strip,), notes = strips(read_comparison(runs))
    assert [tile.kind for tile in strip.tiles] == ["degraded", "run", "run", "target"]
    place = (slice(60, 60 + SIDE), slice(90, 90 + SIDE))
    for tile, picture in zip(strip.tiles, (whole, whole, changed, whole), strict=True):
        np.testing.assert_array_equal(opened(tile), picture[place])
    assert notes == []


def test_a_smaller_input_is_cut_where_the_restored_picture_is(tmp_path: Path) -> None:
    small = gradient(60, 80)
    large = small.repeat(4, axis=0).repeat(4, axis=1)
    changed = large.copy()
    changed[101 : 101 + SIDE, 83 : 83 + SIDE] ^= 128
    runs = [run_with(tmp_path / "a", large, small), run_with(tmp_path / "b", changed, small)]
    (strip,), _ = strips(read_comparison(runs))
    assert strip.window == Window(100, 84, SIDE, SIDE)
    degraded, restored = opened(strip.tiles[0]), opened(strip.tiles[1])
    np.testing.assert_array_equal(degraded.repeat(4, axis=0).repeat(4, axis=1), restored)


def test_a_target_larger_than_the_restored_picture_was_cut_from_its_top_left(tmp_path: Path) -> None:
    target = gradient(41, 62)
    write_picture(tmp_path / "targets" / "one.png", target)
    run = run_with(tmp_path / "a", target[:40, :60] ^ 32, targets=str(tmp_path / "targets"))
    (strip,), _ = strips(read_comparison([run]))
    np.testing.assert_array_equal(opened(strip.tiles[-1]) ^ 32, opened(strip.tiles[-2]))


def test_one_run_is_compared_with_the_target(tmp_path: Path) -> None:
    restored = flat(100, 200, 300)
    restored[40 : 40 + SIDE, 20 : 20 + SIDE] = 90
    write_picture(tmp_path / "targets" / "one.png", flat(100, 200, 300))
    (strip,), _ = strips(read_comparison([run_with(tmp_path / "a", restored, targets=str(tmp_path / "targets"))]))
    assert (strip.window, strip.difference) == (Window(40, 20, SIDE, SIDE), 10.0)


def test_goes_on_without_targets_and_says_so(tmp_path: Path) -> None:
    runs = [run_with(tmp_path / name, flat(level), flat(level)) for name, level in (("a", 10), ("b", 20))]
    (strip,), notes = strips(read_comparison(runs))
    assert [tile.kind for tile in strip.tiles] == ["degraded", "run", "run"]
    assert any("Target pictures are no longer" in note for note in notes)
    alone, notes = strips(read_comparison(runs[:1]))
    assert alone == []
    assert any("Target pictures are no longer" in note for note in notes)


def test_goes_on_without_restored_pictures_and_says_so(tmp_path: Path) -> None:
    bare = write_run(tmp_path / "bare", SCORES, images=("one.png",))
    runs = [bare, run_with(tmp_path / "a", flat(10)), run_with(tmp_path / "b", flat(20))]
    (strip,), notes = strips(read_comparison(runs))
    assert [(tile.label, tile.run) for tile in strip.tiles] == [("a", 1), ("b", 2)]
    assert notes[0].startswith("bare keeps no restored pictures")
    (runs[2] / "restored" / "kodak" / "one.png").unlink()
    shown, notes = strips(read_comparison(runs))
    assert shown == []
    assert any("lack the restored picture of one.png" in note for note in notes)


def test_refuses_pictures_of_different_sizes(tmp_path: Path) -> None:
    runs = [run_with(tmp_path / "a", flat(1, 40, 60)), run_with(tmp_path / "b", flat(1, 40, 50))]
    with pytest.raises(RunError, match=r"one.png: a restored 60 x 40 pixels, b 50 x 40"):
        strips(read_comparison(runs))


def test_names_a_damaged_picture(tmp_path: Path) -> None:
    runs = [run_with(tmp_path / name, flat(1)) for name in "ab"]
    damaged = runs[1] / "restored" / "kodak" / "one.png"
    damaged.write_bytes(damaged.read_bytes()[:40])
    with pytest.raises(ImageError, match=r"cannot read .*b/restored/kodak/one\.png"):
        strips(read_comparison(runs))


def test_sixteen_bit_grey_targets_are_rounded_as_evaluation_rounds_them(tmp_path: Path) -> None:
    (tmp_path / "targets").mkdir()
    Image.fromarray(np.full((40, 60), 200 * 256 + 7, np.uint16)).save(tmp_path / "targets" / "one.png")
    run = run_with(tmp_path / "a", flat(100), targets=str(tmp_path / "targets"))
    (strip,), _ = strips(read_comparison([run]))
    assert (opened(strip.tiles[-1]) == round((200 * 256 + 7) / 257)).all()


def test_targets_are_turned_upright_as_evaluation_turns_them(tmp_path: Path) -> None:
    upright = gradient(40, 60)
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by a quarter, clockwise
    (tmp_path / "targets").mkdir()
    Image.fromarray(np.rot90(upright)).save(tmp_path / "targets" / "one.png", exif=exif)
    run = run_with(tmp_path / "a", upright ^ 16, targets=str(tmp_path / "targets"))
    (strip,), _ = strips(read_comparison([run]))
    np.testing.assert_array_equal(opened(strip.tiles[-1]) ^ 16, opened(strip.tiles[-2]))


def test_the_worst_case_is_the_image_on_which_the_best_run_loses_most(tmp_path: Path) -> None:
    names = ("one.png", "two.png", "three.png", "four.png", "five.png", "six.png")
    plain = {"psnr": [30.0] * 6, "lpips": [0.5] * 6}
    sharp = {"psnr": [29.0] * 6, "lpips": [0.4, 0.4, 0.1, 0.6, 0.4, 0.4]}
    for name, scores, step in (("plain", plain, 0), ("sharp", sharp, 1)):
        write_run(tmp_path / name, scores, images=names)
        apart = {image: flat(100 + step * (60 - 10 * place)) for place, image in enumerate(names)}
        write_pictures(tmp_path / name, "restored", apart)
    shown, _ = strips(read_comparison([tmp_path / "plain", tmp_path / "sharp"]))
    assert [(s.image, s.reason) for s in shown] == [
        ("one.png", "largest disagreement"),
        ("two.png", "disagreement no. 2"),
        ("three.png", "disagreement no. 3"),
        ("four.png", "worst case"),
    ]


def test_an_image_is_found_by_name_or_stem_and_others_are_refused(tmp_path: Path) -> None:
    other = flat(100, 200, 200)
    other[30:142, 50:162] = 200
    comparison = read_comparison([run_with(tmp_path / "a", flat(100, 200, 200)), run_with(tmp_path / "b", other)])
    for name in ("one", "one.png"):
        assert kept(comparison, name)[0] == "one.png"
        assert window_of(comparison, name) == Window(30, 50, SIDE, SIDE)
    with pytest.raises(RunError, match=r"not scored on 'two', but on one\.png"):
        kept(comparison, "two")
    (tmp_path / "a" / "restored" / "kodak" / "one.png").unlink()
    (tmp_path / "b" / "restored" / "kodak" / "one.png").unlink()
    with pytest.raises(RunError, match=r"no run keeps its restored picture of one\.png"):
        kept(comparison, "one")


def test_equal_names_in_different_folders_are_told_apart(tmp_path: Path) -> None:
    names, runs = ("one/sharp/1.jpg", "two/sharp/1.jpg"), []
    for number, run in enumerate("ab"):
        folder = write_run(tmp_path / run, {"psnr": [30.0, 31.0]}, images=names, targets=str(tmp_path / "set"))
        shades = {name: flat(40 * (place + 1) + number, 60, 60) for place, name in enumerate(names)}
        write_pictures(folder, "restored", shades)
        runs.append(folder)
    for place, name in enumerate(names):
        write_picture((tmp_path / "set" / name).with_suffix(".png"), flat(200 + place, 60, 60))
        (tmp_path / "set" / name).with_suffix(".png").rename(tmp_path / "set" / name)
    comparison = read_comparison(runs)
    for place, name in enumerate(names):
        assert kept(comparison, name)[0] == kept(comparison, name.removesuffix(".jpg"))[0] == name
        found, _ = kept(comparison, name)
        shown = tiles(comparison, comparison.runs, found, Window(0, 0, 8, 8))
        assert [int(tile.picture[0, 0, 0]) for tile in shown] == [40 * (place + 1), 40 * (place + 1) + 1, 200 + place]
    with pytest.raises(RunError, match="not scored on '1', but on one/sharp/1"):
        kept(comparison, "1")
    assert list(comparison.called.values()) == ["one-sharp-1", "two-sharp-1"]


def test_a_single_run_without_its_target_has_no_window(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no longer at gone; give a box"):
        window_of(read_comparison([run_with(tmp_path / "a", flat(1))]), "one")
