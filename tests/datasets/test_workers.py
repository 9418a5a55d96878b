"""Loader workers: results in order, and no failure of theirs is silent."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import torch

from pdloss.datasets import workers
from pdloss.datasets.workers import WorkerPool
from pdloss.errors import ImageError, MissingExtraError, OutOfMemoryError, RunError

posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.fixture(params=["fork", "spawn"])
def method(request, monkeypatch: pytest.MonkeyPatch) -> str:
    """How workers are started."""
    if request.param not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot {request.param}")
    monkeypatch.setattr(workers, "_context", lambda: multiprocessing.get_context(request.param))
    return request.param


def results(function, items, count: int = 2) -> list:
    with WorkerPool(function, count) as crew:
        return list(crew.results(items))


def square(number: int) -> torch.Tensor:
    return torch.tensor(number) ** 2


def pid(_: int) -> int:
    return os.getpid()


class UnlikeError(Exception):
    """An error that pickle makes but cannot read back."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__("unlike any other")


def fails(number: int) -> int:
    if number == 3:
        raise ImageError("cannot read x.png")
    return number


def fails_by_mistake(number: int) -> int:
    return number // (number - 3)


def fails_unlike(number: int) -> int:
    raise UnlikeError(1, 2)


def lacks_a_package(number: int) -> int:
    raise MissingExtraError("scipy", "demo")


def runs_out(number: int) -> object:
    return bytearray(1 << 50)


def dies(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def leaves(number: int) -> int:
    os._exit(3)


def waits(number: int) -> int:
    if number == 3:
        time.sleep(3600)
    return number


def too_large_a_file(number: int) -> tuple[torch.Tensor]:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    return (torch.ones(1 << 20),)


def asked_to_stop(number: int) -> int:
    for each in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"):
        os.kill(os.getpid(), getattr(signal, each))
    return number


def test_results_come_in_order(method: str) -> None:
    assert results(square, range(11), 3) == [torch.tensor(n**2) for n in range(11)]


def test_fewer_items_than_workers_are_no_fault() -> None:
    assert results(square, range(1), 3) == [torch.tensor(0)]
    assert results(square, [], 2) == []


def test_all_workers_take_part() -> None:
    found = results(pid, range(12), 3)
    assert len(set(found)) == 3
    assert os.getpid() not in found


def test_an_error_of_ours_comes_as_it_is() -> None:
    with WorkerPool(fails, 2) as crew:
        found = crew.results(range(9))
        assert [next(found), next(found), next(found)] == [0, 1, 2]
        with pytest.raises(ImageError, match=r"\Acannot read x\.png\Z"):
            next(found)


def test_a_mistake_in_the_function_shows_where_it_is() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        results(fails_by_mistake, range(9))
    assert "fails_by_mistake" in caught.value.__notes__[0]


def test_an_error_that_cannot_travel_is_told_in_words() -> None:
    with pytest.raises(RuntimeError, match="unlike any other"):
        results(fails_unlike, range(9))
    with pytest.raises(RunError, match=r"pip install 'pdloss\[demo\]'"):
        results(lacks_a_package, range(9))


def test_memory_that_runs_out_is_one_sentence() -> None:
    with pytest.raises(OutOfMemoryError, match=r"\Amemory ran out while a loader worker [^\n]*fewer --workers"):
        results(runs_out, range(9))


@posix
def test_a_killed_worker_is_one_sentence(method: str) -> None:
    with pytest.raises(RunError, match=r"\Aa loader worker was killed \(SIGKILL\)[^\n]*--workers 0[^\n]*\Z"):
        results(dies, range(9))


def test_a_worker_that_leaves_is_one_sentence() -> None:
    with pytest.raises(RunError, match=r"\Aa loader worker ended by itself, with exit status 3; --workers 0"):
        results(leaves, range(9))


def test_a_worker_that_keeps_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    others = set(multiprocessing.active_children())
    monkeypatch.setattr(workers, "PATIENCE", 0.5)
    with pytest.raises(RunError, match=r"delivered nothing for 0\.5 seconds: [^\n]*--workers 0"):
        results(waits, range(9))
    assert set(multiprocessing.active_children()) <= others, "it is ended too"


@pytest.mark.skipif(sys.platform != "linux", reason="shared memory is a file on Linux")
def test_a_result_that_cannot_be_handed_over_is_one_sentence() -> None:
    with pytest.raises(RunError, match=r"\Aa loader worker cannot hand over [^\n]*File too large[^\n]*--workers 0"):
        results(too_large_a_file, range(9))


SMALL_MEMORY = """
import torch
from pdloss.datasets.workers import WorkerPool

def large(number):
    return torch.ones(1 << 21), torch.ones(1 << 21)

with WorkerPool(large, 2) as crew:
    kept = list(crew.results(range(9)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/shm is Linux's")
def test_shared_memory_that_is_too_small_is_one_sentence_with_the_cure(tmp_path: Path) -> None:
    (tmp_path / "large.py").write_text(SMALL_MEMORY)
    apart = ["unshare", "-rm"]  # a name space of its own, in which anybody may mount
    small = "mount -t tmpfs -o size=32m tmpfs /dev/shm"
    if not shutil.which("unshare") or subprocess.run([*apart, "sh", "-c", small], capture_output=True).returncode:
        pytest.skip("this system does not let us make its shared memory small")
    done = subprocess.run(
        [*apart, "sh", "-c", f"{small} && exec {sys.executable} {tmp_path / 'large.py'}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = done.stderr.strip().splitlines()[-1]
    assert said.startswith(
        "pdloss.errors.RunError: a loader worker cannot hand over what it prepared: there is no room"
    )
    assert "shared memory of 32 MiB for a batch of 16 MiB; use --workers 0, or give more of it" in said
    assert "--shm-size" in said


@posix
def test_workers_leave_requests_to_stop_to_the_one_who_waits(method: str) -> None:
    assert results(asked_to_stop, range(5)) == list(range(5))


PARENT = """
import sys, threading, time
from pdloss.datasets import workers

def endless(number):
    print(__import__("os").getpid(), flush=True)
    time.sleep(3600)

if __name__ == "__main__":
    import multiprocessing
    multiprocessing.set_start_method(sys.argv[1])
    list(workers.WorkerPool(endless, 2).results(range(9)))
"""


@posix
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_end_with_their_parent_however_it_ends_and_whatever_they_do(method: str, tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(PARENT)
    parent = subprocess.Popen([sys.executable, tmp_path / "parent.py", method], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    children = [int(parent.stdout.readline()) for _ in range(2)]
    parent.kill()
    try:
        # The pipe ends when the last process that can write to it does; a worker left over would sleep for an hour.
        assert parent.communicate(timeout=60) == ("", None)
    except subprocess.TimeoutExpired:
        for child in children:
            os.kill(child, signal.SIGKILL)
        raise


def test_an_uncaught_error_does_not_leave_the_interpreter_waiting_for_workers() -> None:
    script = """
    import time
    from pdloss.datasets.workers import WorkerPool
    crew = WorkerPool(time.sleep, 2)
    found = crew.results([0, 3600, 3600])
    next(found)
    raise SystemExit(5)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], timeout=120, check=False)
    assert done.returncode == 5


@posix
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_that_goes_away_leaves_its_parents_workers_alone() -> None:
    with WorkerPool(square, 1) as crew:
        child = os.fork()
        if not child:
            crew.close()
            os._exit(0)
        os.waitpid(child, 0)
        assert list(crew.results(range(3))) == [torch.tensor(0), torch.tensor(1), torch.tensor(4)]
