from pathlib import Path

import PIL.Image
import pytest
import torch

from pdloss.datasets import Photographs, source
from pdloss.datasets.deadleaves import DeadLeaves
from pdloss.errors import ImageError, SpecError
from pdloss.images import read_pixels


def picture(path: Path, value: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new("RGB", (9, 8), (value, value, value)).save(path)


def test_a_folder_tree_gives_all_images_by_their_path(tmp_path):
    for number, name in enumerate(["b.png", "a/z.png", "a/deep/er/y.jpg", "c/z.png", ".hidden/x.png", "a/.x.png"]):
        picture(tmp_path / name, number)
    (tmp_path / "a" / "readme.txt").write_text("not an image")
    photographs = Photographs(tmp_path)
    assert photographs.names == ["a/deep/er/y.jpg", "a/z.png", "b.png", "c/z.png"]
    assert [int(photographs[i][0, 0, 0]) for i in range(4)] == [2, 1, 0, 3]


def test_a_link_that_goes_round_is_followed_once(tmp_path):
    picture(tmp_path / "a" / "x.png")
    (tmp_path / "a" / "round").symlink_to(tmp_path, target_is_directory=True)
    assert source(tmp_path).names == ["a/x.png"]


def test_a_link_to_a_folder_elsewhere_is_followed(tmp_path):
    picture(tmp_path / "elsewhere" / "x.png")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "linked").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert source(tmp_path / "data").names == ["linked/x.png"]


@pytest.mark.parametrize("parts", [("DIV2K_train_HR", "DIV2K_valid_HR"), ("train", "valid")])
def test_of_a_set_in_two_parts_one_is_taken(parts, tmp_path):
    for part, name in zip(parts, ("0001.png", "0801.png"), strict=True):
        picture(tmp_path / part / name)
    picture(tmp_path / "DIV2K_train_LR_bicubic" / "X4" / "0001x4.png")
    (tmp_path / "readme.txt").write_text("about the set")
    train, valid = source(tmp_path), source(tmp_path, "valid")
    assert (train.names, valid.names) == (["0001.png"], ["0801.png"])
    assert train.note == f"takes the images of {tmp_path / parts[0]}"
    assert source(tmp_path / parts[0]).note == ""


def test_a_folder_with_images_of_its_own_is_taken_whole(tmp_path):
    picture(tmp_path / "train" / "x.png")
    picture(tmp_path / "y.png")
    found = source(tmp_path)
    assert found.names == ["train/x.png", "y.png"]
    assert found.note == ""


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(ImageError, match="holds no image"):
        source(tmp_path)
    with pytest.raises(ImageError, match="does not exist"):
        source(tmp_path / "nowhere")


def test_the_text_of_a_path_is_the_path(tmp_path):
    picture(tmp_path / "x.png")
    assert source(str(tmp_path)).names == source(tmp_path).names == ["x.png"]


def test_pictures_can_be_drawn_instead_of_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photographs = Photographs("deadleaves(images=3, size=32)", cached=True)
    assert photographs.names == ["000000", "000001", "000002"]
    assert torch.equal(photographs[1], DeadLeaves(images=3, size=32).image(1))
    again = Photographs("deadleaves(images=3, size=32, seed=0)", cached=True)
    assert again.fingerprint == photographs.fingerprint
    other = Photographs("deadleaves(images=3, size=32, seed=1)", cached=True)
    assert other.fingerprint != photographs.fingerprint
    assert not torch.equal(other[1], photographs[1])


def test_the_colours_of_a_palettes_file_count(tmp_path):
    text = f"deadleaves(images=1, size=16, palette='{tmp_path / 'ink.png'}')"
    picture(tmp_path / "ink.png", 0)
    before = Photographs(text, cached=True)
    assert before[0].max() == 0
    picture(tmp_path / "ink.png", 99)
    assert Photographs(text).fingerprint != before.fingerprint


def test_a_folder_of_that_name_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(source("deadleaves").names) == 400
    picture(tmp_path / "deadleaves" / "x.png")
    assert source("deadleaves").names == ["x.png"]


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("deadleafs(images=4)", SpecError, "did you mean 'deadleaves'"),
        ("deadleaves(image=4)", SpecError, "images"),
        ("photos", ImageError, "photos does not exist"),
    ],
)
def test_a_slip_is_answered_with_what_was_meant(text, kind, message):
    with pytest.raises(kind, match=message):
        source(text)


def test_beside_train_a_folder_called_test_is_the_part_to_measure_on(tmp_path):
    picture(tmp_path / "set" / "train" / "a.png")
    picture(tmp_path / "set" / "test" / "b.png")
    assert (source(tmp_path / "set").names, source(tmp_path / "set", "valid").names) == (["a.png"], ["b.png"])
    (tmp_path / "set" / "train" / "a.png").unlink()
    (tmp_path / "set" / "train").rmdir()
    assert source(tmp_path / "set", "valid").names == ["test/b.png"]


def test_a_pattern_takes_what_fits_it_and_names_what_there_is_otherwise(tmp_path):
    for number, name in enumerate(["one/x/1.png", "one/y/1.png", "two/x/1.png", "two/x/deep/2.png", "x.png"]):
        picture(tmp_path / name, number)
    assert source(str(tmp_path / "*" / "x")).names == ["one/x/1.png", "two/x/1.png", "two/x/deep/2.png"]
    assert source(tmp_path / "**" / "1.png").names == ["one/x/1.png", "one/y/1.png", "two/x/1.png"]
    assert source(tmp_path / "?wo").names == ["two/x/1.png", "two/x/deep/2.png"]
    with pytest.raises(ImageError, match=r"no image below .* fits \*/z; there are one/x/1\.png, .*\* stands for any"):
        source(tmp_path / "*" / "z")
    picture(tmp_path / "odd*name" / "a.png")
    assert source(tmp_path / "odd*name").names == ["a.png"]


def test_pixels_kept_under_other_rules_of_reading_are_read_anew(tmp_path, monkeypatch):
    picture(tmp_path / "set" / "a.png", 7)
    Photographs(tmp_path / "set", cached=True)
    monkeypatch.setattr("pdloss.datasets.decoded.READING", 99)
    decoded = []
    monkeypatch.setattr("pdloss.datasets.sources.read_pixels", lambda path: decoded.append(path) or read_pixels(path))
    Photographs(tmp_path / "set", cached=True)
    assert len(decoded) == 1
