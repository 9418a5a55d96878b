"""One process at a time, through a file that is never written to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pdloss.errors import RunError, UserError
from pdloss.files import locked

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX locks")

HOLDS = (
    "import sys, pathlib\n"
    "from pdloss.files import locked\n"
    "with locked(pathlib.Path(sys.argv[1])):\n"
    "    print('held', flush=True)\n"
    "    sys.stdin.readline()\n"
)


def test_another_process_is_refused_or_waited_for(tmp_path: Path) -> None:
    lock, told = tmp_path / ".lock", []
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(lock)], **pipes) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RunError, match="at work elsewhere"), locked(lock, busy="at work elsewhere"):
            pass

        def wait() -> None:
            told.append("waits")
            holder.stdin.write("\n")
            holder.stdin.flush()

        with locked(lock, wait) as held:
            assert held
    assert told == ["waits"]
    with locked(lock) as held:
        assert held


def test_a_lock_that_is_a_link_is_refused_and_what_it_names_is_whole(tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("dear diary")
    (tmp_path / ".lock").symlink_to(tmp_path / "diary.txt")
    with pytest.raises(UserError, match="symbolic link"), locked(tmp_path / ".lock"):
        pass
    assert (tmp_path / "diary.txt").read_text() == "dear diary"
