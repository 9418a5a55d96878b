"""Nothing that stands where users have their files is replaced, but what was written there before."""

import contextlib
import json
from pathlib import Path

import pytest

from pdloss.errors import UserError
from pdloss.files import output, write_text


def written(path: Path, text: str, overwrite: bool = False) -> None:
    with output(path, overwrite=overwrite):
        write_text(path, text)


def test_a_file_of_the_user_s_stays_and_the_sentence_has_the_cure(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("mine")
    with pytest.raises(UserError, match=r"a\.csv exists already.*--out, or give --overwrite"):
        written(path, "new")
    assert path.read_text() == "mine"
    written(path, "new", overwrite=True)
    assert path.read_text() == "new"


def test_what_was_written_here_may_be_written_again(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for text in ("one", "two", "three"):
        written(path, text)
    assert path.read_text() == "three"


def test_what_was_changed_since_is_the_user_s(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    written(path, "one")
    path.write_text("one, with a remark")
    with pytest.raises(UserError, match="was changed since pdloss wrote it"):
        written(path, "two")
    assert path.read_text() == "one, with a remark"


def test_what_was_written_moves_with_its_folder(tmp_path: Path) -> None:
    written(tmp_path / "old" / "a.csv", "one")
    (tmp_path / "old").rename(tmp_path / "new")
    written(tmp_path / "new" / "a.csv", "two")
    assert (tmp_path / "new" / "a.csv").read_text() == "two"


def test_of_several_files_none_is_touched_if_one_is_not_ours(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "a.csv", tmp_path / "b.csv"
    written(ours, "one")
    theirs.write_text("mine")
    with pytest.raises(UserError, match=r"b\.csv"), output(ours, None, theirs):
        write_text(ours, "two")
    assert (ours.read_text(), theirs.read_text()) == ("one", "mine")


def test_what_was_written_before_a_failure_is_known_as_ours(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    with contextlib.suppress(ZeroDivisionError), output(first, second):
        write_text(first, "one")
        raise ZeroDivisionError
    second.write_text("mine")
    written(first, "two")
    with pytest.raises(UserError, match=r"b\.csv exists"):
        written(second, "two")


def test_a_link_is_not_ours_even_to_a_file_that_is(tmp_path: Path) -> None:
    written(tmp_path / "a.csv", "one")
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")
    (tmp_path / ".pdloss.jsonl").write_text((tmp_path / ".pdloss.jsonl").read_text().replace("a.csv", "b.csv"))
    with pytest.raises(UserError, match=r"b\.csv exists"):
        written(tmp_path / "b.csv", "two")


def test_a_dangling_link_is_in_the_way_too(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / "nothing")
    with pytest.raises(UserError, match="exists already"):
        written(tmp_path / "a.csv", "new")


@pytest.mark.parametrize("damage", [b"\xff\xfe", b'{"name": 3}\n', b"[1]\nnull\n", b"[" * 100_000, b""])
def test_a_damaged_list_protects_everything(damage: bytes, tmp_path: Path) -> None:
    written(tmp_path / "a.csv", "one")
    (tmp_path / ".pdloss.jsonl").write_bytes(damage)
    with pytest.raises(UserError, match="exists already"):
        written(tmp_path / "a.csv", "two")


def test_a_list_that_is_a_link_is_neither_read_nor_written_through(tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("dear diary\n")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / ".pdloss.jsonl").symlink_to(tmp_path / "diary.txt")
    written(folder / "a.csv", "one")
    assert (tmp_path / "diary.txt").read_text() == "dear diary\n"
    with pytest.raises(UserError, match="exists already"):
        written(folder / "a.csv", "two")


def test_a_name_that_is_no_text_is_known_again(tmp_path: Path) -> None:
    path = tmp_path / "caf\udce9.csv"
    try:
        path.touch()
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    path.unlink()
    for text in ("one", "two"):
        written(path, text)
    assert json.loads((tmp_path / ".pdloss.jsonl").read_text().splitlines()[0])["name"] == path.name


def test_a_folder_in_the_place_of_a_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is a folder; name a file"):
        written(tmp_path, "x", overwrite=True)


def test_what_could_not_be_written_is_refused_before_the_work_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    begun = []
    for path, said in (
        (tmp_path / "file" / "a.csv", "file is no folder"),
        (tmp_path / "file" / "new" / "a.csv", "file is no folder"),
        (tmp_path / ("x" * 300), "cannot be written: .*; choose another --csv"),
    ):
        with pytest.raises(UserError, match=said), output(path, overwrite=True, option="--csv"):
            begun.append(path)
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(UserError, match="is write-protected"), output(tmp_path / "new" / "a.csv"):
        begun.append("new")
    assert not begun
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_file_in_the_working_folder_needs_no_folder_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(Path("a.csv"), "one")
    assert Path("a.csv").read_text() == "one"
