"""The mark of unfinished work says which files are ours, and is believed inside its folder only."""

import json
from pathlib import Path

import pytest

from pdloss.errors import UserError
from pdloss.files import clear_unfinished, finish, mark_unfinished, unfinished_names


def test_what_the_mark_names_is_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in ("a.png", "mine.txt"):
        (tmp_path / name).touch()
    mark_unfinished(tmp_path, ["a.png", "b.png"])
    assert unfinished_names(tmp_path) == ["a.png", "b.png"]
    assert clear_unfinished(tmp_path) == ["a.png", "b.png"]
    assert not (tmp_path / "a.png").exists() and (tmp_path / "mine.txt").exists()
    finish(tmp_path)
    assert unfinished_names(tmp_path) == []
    assert clear_unfinished(tmp_path) == []


@pytest.mark.parametrize("name", ["../foreign.txt", "/foreign.txt", "sub/../../foreign.txt", ".."])
def test_a_mark_that_names_files_elsewhere_removes_nothing(name: str, tmp_path: Path) -> None:
    (tmp_path / "foreign.txt").touch()
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "a.png").touch()
    (folder / ".unfinished.json").write_text(json.dumps(["a.png", name]))
    with pytest.raises(UserError, match="is not"):
        clear_unfinished(folder)
    assert (tmp_path / "foreign.txt").exists() and (folder / "a.png").exists()


@pytest.mark.parametrize("text", ["{}", "[1]", "[", "\xff", "[" * 100_000, '"abc"'])
def test_a_damaged_mark_is_a_sentence(text: str, tmp_path: Path) -> None:
    (tmp_path / ".unfinished.json").write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match="is damaged; remove it"):
        clear_unfinished(tmp_path)


def test_a_mark_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text('["a.png"]')
    (tmp_path / ".unfinished.json").symlink_to(tmp_path / "list.json")
    with pytest.raises(UserError, match="symbolic link"):
        clear_unfinished(tmp_path)
