"""Files stand whole under their name, or not at all."""

import contextlib
import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pdloss.errors import UserError
from pdloss.files import remove_unfinished, write_atomically, write_folder, write_text


def test_writes_the_file_and_makes_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.txt"
    write_atomically(path, lambda temporary: temporary.write_text("whole"))
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_what_stood_there_stays_until_the_new_file_is_finished(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text("old")
    seen = []

    def write(temporary: Path) -> None:
        temporary.write_text("new")
        seen.append((path.read_text(), temporary.parent == path.parent, temporary.suffix))

    write_atomically(path, write)
    assert seen == [("old", True, ".json")]
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt(), ValueError("odd")])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "c.txt"
    path.write_text("old")

    def write(temporary: Path) -> None:
        temporary.write_text("ha")
        raise error

    with pytest.raises(type(error)):
        write_atomically(path, write)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EFBIG])
def test_an_error_of_the_system_names_the_file_asked_for(tmp_path: Path, code: int) -> None:
    path = tmp_path / "c.txt"

    def write(temporary: Path) -> None:
        raise OSError(code, os.strerror(code))

    with pytest.raises(OSError) as caught:
        write_atomically(path, write)
    expected = OSError(code, os.strerror(code), str(path))
    assert type(caught.value) is type(expected)
    assert str(caught.value) == str(expected)


def test_a_disk_that_fills_up_on_the_last_bytes_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.txt"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, lambda temporary: temporary.write_text("new"))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_data_reach_the_disk_before_the_name_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c.txt"
    synced = []

    def fsync(handle: int) -> None:
        synced.append((os.fstat(handle).st_size, path.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    write_atomically(path, lambda temporary: temporary.write_text("12345"))
    assert synced == [(5, False)]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_a_killed_process_leaves_the_old_file_and_what_can_be_told_from_others_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "c.txt"
    path.write_text("old")
    others = {path, tmp_path / ".lock", tmp_path / ".c.txt", tmp_path / ".c.backup12.txt"}
    for other in others - {path}:
        other.touch()
    program = (
        "import os, pathlib, signal, sys\n"
        "from pdloss.files import write_atomically\n"
        "def write(temporary):\n"
        "    temporary.write_text('ha')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_atomically(pathlib.Path(sys.argv[1]), write)\n"
    )
    assert subprocess.run([sys.executable, "-c", program, str(path)]).returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == len(others) + 1
    remove_unfinished(tmp_path)
    assert set(tmp_path.iterdir()) == others


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_the_file_is_as_open_as_the_umask_lets_it_be(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        write_atomically(tmp_path / "c.txt", lambda temporary: temporary.write_text("x"))
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "c.txt").stat().st_mode) == mode


def test_a_folder_in_the_way_is_an_error_that_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "inside").touch()
    with pytest.raises(OSError):
        write_atomically(tmp_path / "c", lambda temporary: temporary.write_text("x"))
    assert list(tmp_path.iterdir()) == [tmp_path / "c"]
    with pytest.raises(OSError):
        write_atomically(tmp_path / "c" / "inside" / "d.txt", lambda temporary: temporary.write_text("x"))


def test_a_private_file_is_nobody_else_s_at_any_moment(tmp_path: Path) -> None:
    path, modes = tmp_path / "secret.json", []

    def write(temporary: Path) -> None:
        temporary.write_text("s")
        modes.append(stat.S_IMODE(temporary.stat().st_mode))

    write_atomically(path, write, private=True)
    assert [*modes, stat.S_IMODE(path.stat().st_mode)] == [0o600, 0o600]


def test_only_the_leftovers_of_the_file_named_are_removed(tmp_path: Path) -> None:
    ours, others = tmp_path / ".c.txt.abcd_123.txt", tmp_path / ".d.txt.abcd_123.txt"
    for path in (ours, others):
        path.touch()
    remove_unfinished(tmp_path, of="c.txt")
    assert list(tmp_path.iterdir()) == [others]


def test_a_text_with_letters_that_utf_8_lacks_is_written_with_them_spelled(tmp_path: Path) -> None:
    write_text(tmp_path / "c.txt", "caf\udce9 \u2191")
    assert (tmp_path / "c.txt").read_bytes() == b"caf\\udce9 \xe2\x86\x91"


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with contextlib.suppress(ZeroDivisionError), write_folder(tmp_path / "out") as folder:
        (folder / "half").touch()
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    with write_folder(tmp_path / "out") as folder:
        (folder / "whole").touch()
        assert not (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "whole"]


def test_a_link_in_the_place_of_the_unfinished_folder_is_refused_and_what_it_names_stays(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "kept").touch()
    (tmp_path / ".out.unfinished").symlink_to(foreign)
    with pytest.raises(UserError, match="symbolic link"), write_folder(tmp_path / "out"):
        pass
    assert (foreign / "kept").exists()


def test_a_file_where_the_folder_should_be_is_called_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match=r"Not a directory: '.*/file'"):
        write_text(tmp_path / "file" / "a.txt", "x")
