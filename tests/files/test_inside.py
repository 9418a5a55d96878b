"""Names stay names: nothing that a file or an option says leads out of a folder."""

from pathlib import Path

import pytest

from pdloss.errors import UserError
from pdloss.files import is_plain, name_inside, path_inside


@pytest.mark.parametrize("name", ["a", "a b.png", "..a", "Ω", "caf\udce9", ".hidden", "a:b"])
def test_a_name_is_the_file_of_that_name(name: str, tmp_path: Path) -> None:
    assert is_plain(name)
    assert name_inside(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize("name", ["", ".", "..", "../a", "a/b", "/etc/passwd", "a\\b", "..\\a", "a\0b", "a/"])
def test_a_path_is_no_name(name: str, tmp_path: Path) -> None:
    assert not is_plain(name)
    with pytest.raises(UserError, match="--set .* is not one name inside"):
        name_inside(tmp_path, name, "--set")


def test_a_name_longer_than_any_file_system_takes_is_refused_and_the_longest_is_not(tmp_path: Path) -> None:
    name_inside(tmp_path, "é" * 127 + "a").touch()
    with pytest.raises(UserError, match="255 bytes"):
        name_inside(tmp_path, "é" * 128)


def test_a_path_may_lead_down_and_nowhere_else(tmp_path: Path) -> None:
    assert path_inside(tmp_path, "a/b/c.png") == tmp_path / "a" / "b" / "c.png"
    for wrong in ("", "/a", "a/../../b", "../b", "a//b", "a/./b", "a\\..\\b"):
        with pytest.raises(UserError, match="is not"):
            path_inside(tmp_path, wrong)


@pytest.mark.parametrize("place", ["a", "a/b", "a/b/c"])
def test_a_link_anywhere_on_the_way_is_refused_even_to_nothing(place: str, tmp_path: Path) -> None:
    link = tmp_path / "folder" / place
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="symbolic link"):
        path_inside(tmp_path / "folder", "a/b/c")


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert name_inside(tmp_path / "link", "a") == tmp_path / "link" / "a"
