"""What a folder holds: pictures that are read, pictures that are not, and what systems leave."""

import shutil
from pathlib import Path

import pytest

from pdloss.errors import ImageError
from pdloss.picture_files import SUFFIXES, by_key, list_images, passed_over, written_names


def test_lists_images_by_name_and_passes_over_the_rest(tmp_path: Path) -> None:
    given = [f"{letter}{suffix}" for letter, suffix in zip("abcdefghijklmnopqrst", SUFFIXES, strict=False)]
    for name in (*given, "z.PNG", "y.Tif", ".hidden.png", "._a.jpg", "notes.txt", "desktop.ini", "Thumbs.db", "x"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in list_images(tmp_path)] == sorted([*given, "z.PNG", "y.Tif"])
    assert {".png", ".jpg", ".jpeg", ".jfif", ".webp", ".tif", ".tiff", ".bmp", ".ppm", ".pgm"} <= set(SUFFIXES)


def test_says_what_is_wrong_with_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"absent does not exist"):
        list_images(tmp_path / "absent")
    with pytest.raises(ImageError, match=r"is a whole disk"):
        list_images(Path(tmp_path.anchor), below=True)
    (tmp_path / "file").touch()
    with pytest.raises(ImageError, match=r"file is not a folder"):
        list_images(tmp_path / "file")
    with pytest.raises(ImageError, match=r"holds no image \(looked for \.png .*\)$"):
        list_images(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "valid").mkdir()
    (tmp_path / "valid" / "a.png").touch()
    with pytest.raises(ImageError, match=r"one level below, in valid$"):
        list_images(tmp_path)
    (tmp_path / "empty" / "a.heic").touch()
    with pytest.raises(ImageError, match=r"holds no image .*; 1 picture passed over: a\.heic \(HEIC is not read"):
        list_images(tmp_path / "empty")


def test_pictures_that_are_not_read_are_named_with_the_reason_and_clutter_is_not(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").touch()
    assert passed_over(tmp_path) == ""
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._photo.heic", "notes.txt", "data.json"):
        (tmp_path / name).touch()
    (tmp_path / "x.png").mkdir()
    (tmp_path / "x.heic").mkdir()
    assert passed_over(tmp_path) == ""
    for number in range(7):
        (tmp_path / f"{number}.HEIC").touch()
    (tmp_path / "x.png" / "drawing.gif").touch()
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    said = passed_over(tmp_path, below=True)
    assert said.startswith(
        "9 pictures passed over: 0.HEIC, 1.HEIC, 2.HEIC, 3.HEIC, 4.HEIC and 2 more (HEIC is not read"
    )
    assert "gone.jpg (the link leads nowhere)" in said
    assert "x.png/drawing.gif (GIF has 256 colours at most" in said
    assert [path.name for path in list_images(tmp_path, below=True)] == ["photo.jpg"]


def test_links_that_go_round_are_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "b.png").symlink_to(tmp_path / "b.png")
    (tmp_path / "c").symlink_to(tmp_path, target_is_directory=True)
    assert [path.name for path in list_images(tmp_path, below=True)] == ["a.png"]
    assert passed_over(tmp_path, below=True) == "1 picture passed over: b.png (the link leads nowhere)"


def test_results_lie_as_their_sources_do_and_keep_apart() -> None:
    names = ["a.jpg", "b/a.JPG", "c/a.jpg", "c/a.png", "d/a.bmp", "d/a.tif", "e/a.b.png", "000001"]
    written = written_names(names)
    assert list(written.values()) == [
        *("a.png", "b/a.png", "c/a.jpg.png", "c/a.png", "d/a.bmp.png", "d/a.tif.png", "e/a.b.png", "000001.png")
    ]
    assert written_names(["a.jpg", "A.png"]) == {"a.jpg": "a.jpg.png", "A.png": "A.png"}
    assert written_names(["a.png", "A.png"]) == {"a.png": "a.png", "A.png": "A.png"}
    assert written_names(list(written.values())) == {name: name for name in written.values()}
    with pytest.raises(ImageError, match=r"a\.PNG and a\.png would both be written as a\.png; rename one"):
        written_names(["a.PNG", "a.png"])
    with pytest.raises(ImageError, match=r"would both be written as a\.jpg\.png; rename one"):
        written_names(["a.jpg", "a.png", "a.jpg.png"])


def test_a_folder_of_results_pairs_with_what_it_was_made_of(tmp_path: Path) -> None:
    sources = ["one/a.jpg", "one/a.png", "two/a.webp"]
    results = list(written_names(sources).values())
    assert list(by_key(results)) == list(by_key(sources)) == ["one/a.jpg", "one/a", "two/a"]
    shutil.rmtree(tmp_path)
