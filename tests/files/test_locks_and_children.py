"""Locks: one process at a time, and no child keeps what its parent took."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pdloss.errors import RunError
from pdloss.files import locked

pytest.importorskip("fcntl", reason="Windows has no such locks")
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

HOLDER = """
import os, signal, sys, time
from pathlib import Path
from pdloss.files import locked
with locked(Path(sys.argv[1])):
    if not os.fork():
        print(os.getpid(), flush=True)  # the child itself, which has let go of the lock by then
    signal.pause()
"""


def test_a_second_holder_is_refused_or_waits(tmp_path: Path) -> None:
    asked = []
    with locked(tmp_path / "lock") as promised:
        assert promised
        with pytest.raises(RunError), locked(tmp_path / "lock"):
            pass
        other = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path / "lock")], stderr=subprocess.PIPE)
        assert b"RunError" in other.communicate()[1]

    def wait() -> None:
        asked.append("waits")
        first.close()

    first = _entered(tmp_path / "lock")
    with locked(tmp_path / "lock", wait):
        assert asked == ["waits"]


def _entered(path: Path):
    holder = locked(path)
    holder.__enter__()
    holder.close = lambda: holder.__exit__(None, None, None)  # type: ignore[attr-defined]
    return holder


def test_a_killed_holders_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    child = int(holder.stdout.readline())
    try:
        with pytest.raises(RunError), locked(tmp_path / "lock"):
            pass
        holder.kill()
        holder.wait()
        os.kill(child, 0)  # it lives
        with locked(tmp_path / "lock") as promised:
            assert promised
    finally:
        os.kill(child, signal.SIGKILL)
        holder.stdout.close()


def test_a_child_that_leaves_the_lock_does_not_free_it(tmp_path: Path) -> None:
    with locked(tmp_path / "lock"):
        holder = _child_that_leaves(tmp_path)
        assert os.waitstatus_to_exitcode(os.waitpid(holder, 0)[1]) == 0
        with pytest.raises(RunError), locked(tmp_path / "lock"):
            pass


def _child_that_leaves(folder: Path) -> int:
    with locked(folder / "other"):
        child = os.fork()
        if child:
            return child
        try:
            reused = os.open(folder / "reused", os.O_CREAT | os.O_RDWR)  # gets the number of a descriptor let go
        except BaseException:
            os._exit(2)
    try:
        os.fstat(reused)  # leaving the lock behind has closed nothing of the child's own
    except OSError:
        os._exit(1)
    os._exit(0)
