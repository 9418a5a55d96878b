"""A real Ray of two workers on this machine: retries, mistakes, a killed worker, and a killed driver gone on."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pdloss.errors import MissingExtraError, RunError
from pdloss.sweeps import cluster

DRIVER = """
import sys
from pathlib import Path
from pdloss.sweeps import cluster, work
from pdloss.sweeps.jobs import Job

here, codes = Path(sys.argv[1]), eval(sys.argv[2])
work.command = lambda job, processes=1: [sys.executable, "-c", codes[job.name], str(here)]
cluster.work.command = work.command
made = {}
for name in codes:
    made[name] = Job(name, "run", {}, here / name, (made["first"],) if name == "after" else ())
engine = cluster.RayEngine(here / "logs", retries=1)
for queued in engine.run(list(made.values()), lambda job: (here / f"{job.name}.done").exists()):
    print(queued.job.name, queued.state, queued.why, sep="|")
"""

ONCE = "from pathlib import Path; here = Path(sys.argv[1]); first = not (here / '{0}.tried').exists(); "
DONE = "(here / '{0}.done').touch()"
BEGIN = "import os, signal, sys, time; " + ONCE + "(here / '{0}.tried').touch(); "

CODES = {
    "first": (BEGIN + DONE).format("first"),
    # The worker that runs the job, as a machine that is lost.
    "lost": (BEGIN + "first and os.kill(os.getppid(), signal.SIGKILL); time.sleep(1 if first else 0); " + DONE).format(
        "lost"
    ),
    "crashes": (BEGIN + "first and os.abort(); " + DONE).format("crashes"),
    "never": BEGIN.format("never") + "os.abort()",
    "wrong": BEGIN.format("wrong")
    + "first or os.abort(); print('pdloss: no such folder', file=sys.stderr); sys.exit(1)",
    "after": (BEGIN + "assert (here / 'first.done').exists(); " + DONE).format("after"),
}

SLOW = (
    "import signal, sys, time; from pathlib import Path; here = Path(sys.argv[1])\n"
    "def save(*_):\n    (here / 'saved').touch()\n    sys.exit(130)\n"
    "signal.signal(signal.SIGTERM, save)\n"
    "(here / 'began').touch()\n"
    "again = (here / 'saved').exists()\n"
    "time.sleep(0 if again else 120)\n"
)


def driver(folder, codes):
    words = [sys.executable, "-c", DRIVER, str(folder), repr(codes)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def said(printed):
    """What the driver printed, without what Ray says between."""
    return [line.split("|") for line in printed.splitlines() if line.count("|") == 2]


@pytest.mark.slow
def test_jobs_are_collected_as_they_finish_and_a_lost_worker_is_made_up_for(tmp_path):
    pytest.importorskip("ray", reason="needs pdloss[ray]")
    process = driver(tmp_path, CODES)
    printed, complaint = process.communicate(timeout=240)
    states = {name: (state, why) for name, state, why in said(printed)}
    assert {name: state for name, (state, _) in states.items()} == {
        "first": "done", "lost": "done", "crashes": "done", "never": "failed", "wrong": "failed", "after": "done"
    }, complaint  # fmt: skip
    assert "killed by SIGABRT" in states["never"][1]
    assert states["wrong"][1] == "no such folder"


@pytest.mark.slow
def test_a_killed_driver_takes_no_job_with_it_unsaved_and_the_same_goes_on(tmp_path):
    pytest.importorskip("ray", reason="needs pdloss[ray]")
    process = driver(tmp_path, {"slow": SLOW})
    wait_for(tmp_path / "began")
    started = descendants(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    wait_for(tmp_path / "saved")
    for left in started:
        with contextlib.suppress(ProcessLookupError):
            os.kill(left, signal.SIGKILL)
    process.communicate(timeout=60)
    printed, complaint = driver(tmp_path, {"slow": SLOW}).communicate(timeout=240)
    assert said(printed) == [["slow", "done", ""]], complaint


def test_a_cluster_that_does_not_answer_is_named(tmp_path, monkeypatch):
    def init(*_, **__):
        raise ConnectionError("could not find any running instance")

    monkeypatch.setattr(cluster, "import_module", lambda name: type("Ray", (), {"init": staticmethod(init)}))
    with pytest.raises(RunError, match="no Ray cluster answers at there:1: could not find any running instance; start"):
        cluster.RayEngine(tmp_path, address="there:1")


def test_a_cluster_too_small_for_one_job_is_named(tmp_path, monkeypatch):
    ray = {"init": staticmethod(lambda *_, **__: None), "cluster_resources": staticmethod(lambda: {"CPU": 2.0})}
    monkeypatch.setattr(cluster, "import_module", lambda name: type("Ray", (), ray))
    with pytest.raises(RunError, match="takes 1 processors and 0.5 GPUs, the Ray cluster has 2 and 0: ask for less"):
        cluster.RayEngine(tmp_path, num_gpus=0.5)


def test_without_ray_the_extra_is_named(tmp_path, monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(cluster, "import_module", absent)
    with pytest.raises(MissingExtraError, match=r"pdloss\[ray\]"):
        cluster.RayEngine(tmp_path)


def descendants(parent):
    """The processes that one started, and those that they did; Ray leaves some of them behind a killed driver."""
    parents = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(process.name)] = int((process / "stat").read_text().rpartition(") ")[2].split()[1])
    found, ahead = [], [parent]
    while ahead:
        children = [pid for pid, of in parents.items() if of == ahead[0]]
        found, ahead = [*found, *children], [*ahead[1:], *children]
    return found


def wait_for(path, seconds=120.0):
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} never came"
        time.sleep(0.05)
