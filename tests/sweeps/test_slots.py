"""The embedded engine, with small real processes in place of trainings."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pdloss.errors import UserError
from pdloss.sweeps.jobs import Job
from pdloss.sweeps.slots import Engine, Slot, cores_here, slots, threads_of

FAILS = "import sys; print('reading'); print('pdloss: the folder is full', file=sys.stderr); sys.exit(1)"


def job(name, folder, after=()):
    return Job(name, "run", {}, folder / name, tuple(after))


def python(code):
    return [sys.executable, "-c", code]


def touch(path):
    return f"from pathlib import Path; Path({str(path)!r}).touch()"


def engine(tmp_path, codes, count=1, **options):
    cores = cores_here()[:1] * count
    places = [Slot(i, (core,), None) for i, core in enumerate(cores)]
    return Engine(tmp_path / "logs", slots=places, command=lambda job: python(codes[job.name]), **options)


def states(progress):
    return {p.job.name: p.state for p in progress}


def finished(job):
    return job.folder.exists()


def test_every_job_runs_once_and_in_order(tmp_path):
    first = job("first", tmp_path)
    jobs = [first, job("b", tmp_path, [first]), job("c", tmp_path, [first])]
    order = tmp_path / "order"
    codes = {
        "first": f"open({str(order)!r}, 'a').write('first\\n'); {touch(first.folder)}",
        **{
            n: f"from pathlib import Path; assert Path({str(first.folder)!r}).exists(); "
            f"open({str(order)!r}, 'a').write('{n}\\n')"
            for n in ("b", "c")
        },
    }
    progress = engine(tmp_path, codes, 2).run(jobs, finished)
    assert states(progress) == {"first": "done", "b": "done", "c": "done"}
    lines = order.read_text().split()
    assert lines[0] == "first"
    assert sorted(lines) == ["b", "c", "first"]


def test_what_is_done_is_not_done_again(tmp_path):
    done = job("done", tmp_path)
    done.folder.touch()
    progress = engine(tmp_path, {"done": "import sys; sys.exit(9)"}).run([done], finished)
    assert [(p.state, p.tries) for p in progress] == [("done", 0)]


def test_a_crash_is_tried_again_and_a_mistake_of_the_user_is_not(tmp_path):
    counter = tmp_path / "count"
    crashing = (
        f"from pathlib import Path; import os, signal; c = Path({str(counter)!r}); "
        "n = len(c.read_text()) if c.exists() else 0; c.write_text('x' * (n + 1)); "
        "n < 2 and os.kill(os.getpid(), signal.SIGKILL)"
    )
    jobs = [job("crashes", tmp_path), job("wrong", tmp_path)]
    progress = engine(tmp_path, {"crashes": crashing, "wrong": FAILS}, retries=2).run(jobs, finished)
    assert [(p.state, p.tries) for p in progress] == [("done", 3), ("failed", 1)]
    assert progress[1].why == "the folder is full"


def test_a_job_that_fails_every_time_lets_the_others_finish(tmp_path):
    bad, good = job("bad", tmp_path), job("good", tmp_path)
    behind = job("behind", tmp_path, [bad])
    codes = {"bad": "import os; os.abort()", "good": "", "behind": ""}
    progress = engine(tmp_path, codes, retries=1).run([bad, behind, good], finished)
    assert states(progress) == {"bad": "failed", "behind": "failed", "good": "done"}
    by_name = {p.job.name: p for p in progress}
    assert by_name["bad"].tries == 2
    assert by_name["bad"].why.startswith("killed by SIGABRT; see ")
    assert by_name["behind"].why == "bad, which it goes on from, failed"


def test_a_job_that_has_no_place_for_its_log_fails_and_the_others_finish(tmp_path):
    (tmp_path / "logs" / "bad.log").mkdir(parents=True)
    progress = engine(tmp_path, {"bad": "", "good": ""}).run([job("bad", tmp_path), job("good", tmp_path)], finished)
    assert states(progress) == {"bad": "failed", "good": "done"}
    assert progress[0].why.startswith("Is a directory: ")


def test_a_calibration_whose_result_cannot_be_kept_fails_and_the_others_finish(tmp_path):
    lost = [Job(name, "calibration", {}, tmp_path / name / "a.json") for name in ("mute", "full")]
    (tmp_path / "full").touch()  # a file, where a folder should be
    codes = {"mute": "", "full": "print('l1 + 0.1*pdl')", "good": ""}
    progress = engine(tmp_path, codes).run([*lost, job("good", tmp_path)], finished)
    assert states(progress) == {"mute": "failed", "full": "failed", "good": "done"}
    assert progress[0].why == "mute: pdloss calibrate printed no loss"
    assert "a part of it is a file" in progress[1].why or "exists" in progress[1].why


def test_where_not_even_the_sentence_can_be_written_a_full_disk_is_said(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    progress = engine(tmp_path, {"a": "import sys; sys.exit(1)"}).run([job("a", tmp_path)], finished)
    assert progress[0].why.startswith(f"No space left on device: {tmp_path / 'logs'}; make room there")
    progress = engine(tmp_path, {"a": FAILS}).run([job("a", tmp_path)], finished)
    assert progress[0].why == "the folder is full"  # its own sentence, where there is one


def test_a_slot_owns_its_cores_and_threads(tmp_path):
    out = tmp_path / "said"
    code = (
        f"import os; open({str(out)!r}, 'w').write(os.environ['OMP_NUM_THREADS'] + ' ' + "
        "os.environ.get('CUDA_VISIBLE_DEVICES', '-') + ' ' + str(sorted(os.sched_getaffinity(0))))"
    )
    core = cores_here()[-1]
    run = Engine(
        tmp_path / "logs",
        slots=[Slot(0, (core,), "3")],
        command=lambda job: python(f"import time; time.sleep(.2); {code}"),
    )
    run.run([job("a", tmp_path)], finished)
    assert out.read_text() == f"1 3 [{core}]"


def test_cores_and_gpus_are_shared_out_and_never_twice(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS")
    made = slots(2, [0, 1, 4, 5, 6], ["0", "1", "2"])
    assert [(s.cores, s.gpu) for s in made] == [((0, 1), "0"), ((4, 5), "1")]
    assert made[0].environment["OMP_NUM_THREADS"] == "2"
    assert [s.gpu for s in slots(3, [0, 1, 2], ["7"])] == ["7", "7", "7"]
    several = slots(2, [0, 1, 2, 3], ["0", "1", "2", "3"], processes=2)
    assert [s.gpu for s in several] == ["0,1", "2,3"]
    assert several[0].environment["OMP_NUM_THREADS"] == "1"
    for wrong in (0, 3):
        with pytest.raises(UserError, match=f"--jobs {wrong} must be from 1 to the 2 cores"):
            slots(wrong, [0, 1])


def test_a_slot_takes_no_more_threads_nor_cores_than_omp_num_threads_allows(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (one,) = slots(1, [0, 1])
    assert (one.cores, one.environment["OMP_NUM_THREADS"], one.environment["MKL_NUM_THREADS"]) == ((0,), "1", "1")
    (two,) = slots(1, [0, 1, 2, 3], processes=2)
    assert two.cores == (0, 1)  # a core for each process
    assert [slot.cores for slot in slots(2, [0, 1, 4, 5])] == [(0,), (4,)]
    (with_gpu,) = slots(1, [0, 1, 2, 3], ["0"])  # where crops are prepared by processes beside the one with the GPU
    assert (with_gpu.cores, with_gpu.environment["OMP_NUM_THREADS"]) == ((0, 1, 2, 3), "1")
    for asked, threads in (("3,1", 3), ("9", 4), ("", 4), ("0", 4), ("many", 4)):
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
        assert threads_of(4) == threads
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads_of(8, processes=4) == 2


def wait_for(path, seconds=60.0):
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} never came"
        time.sleep(0.02)


STUBBORN = """
import signal, sys, time
from pathlib import Path
here = Path(sys.argv[1])
def save(*_):
    (here / 'saved').touch()
    sys.exit(130)
signal.signal(signal.SIGTERM, save)
(here / 'began').touch()
time.sleep(60)
"""

SWEEP = """
import sys
from pathlib import Path
from pdloss.sweeps.jobs import Job
from pdloss.sweeps.slots import Engine, Slot, cores_here
here = Path(sys.argv[1])
command = [sys.executable, '-c', sys.argv[2], str(here)]
run = Engine(here / 'logs', slots=[Slot(0, (cores_here()[0],), None)], command=lambda job: command)
print([p.state for p in run.run([Job('a', 'run', {}, here / 'a'), Job('b', 'run', {}, here / 'b')], lambda job: False)])
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_or_killed_sweep_has_its_jobs_save(tmp_path, number):
    process = subprocess.Popen(
        [sys.executable, "-c", SWEEP, str(tmp_path), STUBBORN], stdout=subprocess.PIPE, text=True
    )
    wait_for(tmp_path / "began")
    os.kill(process.pid, number)
    printed, _ = process.communicate(timeout=120)
    wait_for(tmp_path / "saved")
    if number != signal.SIGKILL:
        assert printed.strip() == "['stopped', 'stopped']"


def test_says_all_along_how_it_stands(tmp_path):
    told = []
    run = engine(tmp_path, {"a": "", "b": ""}, watch=lambda progress: told.append([p.state for p in progress]))
    run.run([job("a", tmp_path), job("b", tmp_path)], finished)
    assert told[0] == ["running", "waiting"]
    assert told[-1] == ["done", "done"]
    assert Path(tmp_path / "logs" / "a.log").exists()
