"""Stopping and going on: no bit changes, and a folder is never mistaken for another run's."""

import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import msgspec
import PIL.Image
import pytest
import torch
from safetensors.torch import load_file

from pdloss.devices.provenance import machine, versions
from pdloss.errors import RunError
from pdloss.images import write_image
from pdloss.records import RunRecord, TrainedOn, read_log
from pdloss.runs import RunFolder
from pdloss.training.loop import train
from pdloss.training.watching import Watcher
from tests.runs_for_tests import assert_same_bits, command, config, final_weights, photographs_in


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """A folder of three small smooth pictures."""
    return photographs_in(tmp_path / "photographs", count=3)


class StopAt(Watcher):
    """Interrupts its own process, as Ctrl-C would, after some step."""

    def __init__(self, step: int) -> None:
        self.at = step

    def step(self, step: int, terms: object) -> None:
        if step == self.at:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(
    "loss",
    [
        "l1",
        "l1 + 0.01*pdl(features='distilled.relu3_3', projection='sphere', ratio=0.2, offset=4)",
        "l1 + 0.01*adversarial(critic='srgan(size=16, width=2)', lr=0.001)",
        "l1 + 0.01*adversarial(critic='unet(width=2)', objective='relativistic', lr=0.001)",
    ],
)
def test_stopping_and_going_on_changes_no_bit(photographs: Path, tmp_path: Path, loss: str) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train(config(photographs, whole, loss=loss, ema=0.9))
    assert train(config(photographs, parts, loss=loss, ema=0.9), StopAt(3)).step == 3
    assert train(config(photographs, parts, loss=loss, ema=0.9)).step == 6
    assert_same_bits(final_weights(whole), final_weights(parts))
    assert_same_bits(load_file(whole / "state.safetensors"), load_file(parts / "state.safetensors"))
    one, other = (read_log(run / "log.jsonl") for run in (whole, parts))
    without_time = [[msgspec.structs.replace(line, seconds=0.0, waiting=0.0) for line in log] for log in (one, other)]
    assert without_time[0] == without_time[1]


def test_workers_change_no_bit(photographs: Path, tmp_path: Path) -> None:
    train(config(photographs, tmp_path / "none"))
    train(config(photographs, tmp_path / "two", workers=2))
    assert_same_bits(final_weights(tmp_path / "none"), final_weights(tmp_path / "two"))


def test_a_user_network_that_draws_random_numbers_resumes_too(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dropout_network.py").write_text(
        "import numpy, torch\n"
        "class Net(torch.nn.Module):\n"
        "    def __init__(self, width=4):\n"
        "        super().__init__()\n"
        "        self.layers = torch.nn.Sequential(torch.nn.Conv2d(3, width, 3, padding=1),\n"
        "            torch.nn.Dropout(0.5), torch.nn.Conv2d(width, 3, 3, padding=1))\n"
        "    def forward(self, x):\n"
        "        return self.layers(x) + 0.01 * numpy.random.rand()\n"
    )
    monkeypatch.chdir(tmp_path)
    own = {"network": "dropout_network:Net(width=5)"}
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train(config(photographs, whole, **own))
    train(config(photographs, parts, **own), StopAt(4))
    torch.manual_seed(99)
    train(config(photographs, parts, **own))
    assert_same_bits(final_weights(whole), final_weights(parts))


def test_a_run_goes_on_without_the_one_that_it_began_from(photographs: Path, tmp_path: Path) -> None:
    small = "edsr(blocks=1, width=4)"
    train(config(photographs, tmp_path / "first", network=small))
    begun = config(photographs, tmp_path / "second", init=tmp_path / "first", network=None, steps=4)
    train(begun, StopAt(2))
    shutil.rmtree(tmp_path / "first")
    assert train(begun).step == 4
    assert "width=4" in RunFolder(tmp_path / "second").record().network


def test_a_run_killed_at_random_moments_ends_in_the_same_bits(photographs: Path, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    options = ["--loss", "l1", "--steps", "400", "--save-every", "3", "--log-every", "1"]
    subprocess.run(command(photographs, whole, *options), check=True, capture_output=True)

    moments = random.Random(5)
    kills = 0
    while kills < 6:
        steps_before = len(read_log(parts / "log.jsonl"))
        process = subprocess.Popen(
            command(photographs, parts, *options), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        while len(read_log(parts / "log.jsonl")) <= steps_before and process.poll() is None:
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        _, complaint = process.communicate()
        assert process.returncode == -signal.SIGKILL, complaint.decode()
        kills += 1
    assert 0 < len(read_log(parts / "log.jsonl")) < 400
    subprocess.run(command(photographs, parts, *options), check=True, capture_output=True)

    assert_same_bits(final_weights(whole), final_weights(parts))
    assert_same_bits(load_file(whole / "state.safetensors"), load_file(parts / "state.safetensors"))
    assert [line.step for line in read_log(parts / "log.jsonl")] == list(range(1, 401))
    assert not [path for path in parts.rglob(".*") if path.name != ".lock"], "temporary files are left behind"


def test_a_finished_run_stays_as_it_is(photographs: Path, tmp_path: Path) -> None:
    train(config(photographs, tmp_path / "run"))
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    assert train(config(photographs, tmp_path / "run")).step == 6
    assert before == {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}


def test_another_configuration_is_refused_with_the_difference(photographs: Path, tmp_path: Path) -> None:
    train(config(photographs, tmp_path / "run"))
    with pytest.raises(RunError, match=r"loss was 'l1', is 'l2'; .*lr was 0.001, is 0.002"):
        train(config(photographs, tmp_path / "run", loss="l2", lr=2e-3))


def test_a_folder_in_which_no_step_was_kept_is_made_anew(photographs: Path, tmp_path: Path) -> None:
    train(config(photographs, tmp_path / "other"))
    begun = RunFolder(tmp_path / "run")  # as a process leaves it that is killed before its first checkpoint
    begun.open(
        msgspec.structs.replace(RunFolder(tmp_path / "other").record(), loss="l2()", batch=7), TrainedOn(images={})
    )
    train(config(photographs, tmp_path / "run"))
    assert_same_bits(final_weights(tmp_path / "other"), final_weights(tmp_path / "run"))
    assert begun.record().batch == 2
    assert [line.step for line in read_log(tmp_path / "run" / "log.jsonl")] == [2, 4, 6]


def test_weights_without_a_state_are_not_lost_either(photographs: Path, tmp_path: Path) -> None:
    train(config(photographs, tmp_path / "run"))
    (tmp_path / "run" / "state.safetensors").unlink()
    with pytest.raises(RunError, match="another configuration"):
        train(config(photographs, tmp_path / "run", loss="l2"))


def test_other_photographs_are_refused_but_a_moved_folder_is_not(photographs: Path, tmp_path: Path) -> None:
    train(config(photographs, tmp_path / "run"), StopAt(2))
    moved = photographs.rename(tmp_path / "moved")
    assert train(config(moved, tmp_path / "run")).step == 6
    write_image(moved / "new.png", torch.rand(3, 40, 40))
    with pytest.raises(RunError, match=r"not those that it was trained on: 1 added \(new.png\)"):
        train(config(moved, tmp_path / "run"))


class Notebook(Watcher):
    """Keeps what is said at the start."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def start(self, record: RunRecord, *rest: object) -> None:
        self.record = record


def test_after_a_move_the_new_places_are_said(photographs: Path, tmp_path: Path) -> None:
    valid = photographs_in(tmp_path / "valid", count=1)
    train(config(photographs, tmp_path / "run", valid=valid), StopAt(2))
    moved, notebook = (path.rename(path.with_name(f"new-{path.name}")) for path in (photographs, valid)), Notebook()
    data, valid = moved
    run = (tmp_path / "run").rename(tmp_path / "new-run")
    assert train(config(data, run, valid=valid), notebook).step == 6
    assert (notebook.record.data, notebook.record.valid) == (str(data), str(valid))
    assert notebook.notes == []


def test_another_picture_of_the_same_size_and_time_is_named(photographs: Path, tmp_path: Path) -> None:
    picture = photographs / "photo1.bmp"
    PIL.Image.new("RGB", (40, 40), "red").save(picture)
    train(config(photographs, tmp_path / "run"), StopAt(2))
    status = picture.stat()
    time.sleep(0.02)
    PIL.Image.new("RGB", (40, 40), "blue").save(picture)
    os.utime(picture, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(RunError, match=r"not those that it was trained on: 1 changed \(photo1.bmp\); choose"):
        train(config(photographs, tmp_path / "run"))


@pytest.mark.parametrize("spelling", ["absolute", "relative", "link", "moved", "left out"])
def test_a_run_goes_on_however_its_beginning_is_spelled(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelling: str
) -> None:
    monkeypatch.chdir(tmp_path)
    train(config(photographs, Path("first"), steps=1))
    train(config(photographs, Path("run"), init=Path("first")), StopAt(2))
    (tmp_path / "link").symlink_to("first")
    if spelling == "moved":
        (tmp_path / "first").rename(tmp_path / "moved")
    init = {"absolute": tmp_path / "first", "relative": Path("./x/../first"), "link": Path("link"), "left out": None}
    (tmp_path / "x").mkdir()
    assert train(config(photographs, Path("run"), init=init.get(spelling, Path(spelling)))).step == 6
    train(config(photographs, Path("other"), steps=1, seed=1))
    with pytest.raises(RunError, match="init was 'first', is 'other'"):
        train(config(photographs, Path("run"), init=Path("other")))


def test_other_versions_and_threads_are_said_once(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(config(photographs, tmp_path / "run"), StopAt(2))
    notebook = Notebook()
    now = {**versions(), "torch": "9.9"}
    monkeypatch.setattr("pdloss.training.setup.versions", lambda: now)
    here = {**machine(torch.device("cpu")), "threads": "64"}
    monkeypatch.setattr("pdloss.training.setup.machine", lambda *_: here)
    train(config(photographs, tmp_path / "run"), notebook)
    (note,) = notebook.notes
    assert note.startswith("goes on with torch 9.9 (was ")
    assert note.endswith("threads 64 (was 1): bits may differ from an uninterrupted run")


def test_a_folder_with_other_files_is_refused(photographs: Path) -> None:
    with pytest.raises(RunError, match="holds other files"):
        train(config(photographs, photographs))


def test_two_trainings_in_one_folder_are_refused(photographs: Path, tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run").locked(), pytest.raises(RunError, match="another process"):
        train(config(photographs, tmp_path / "run"))


def test_a_full_disk_while_saving_leaves_the_old_checkpoint(photographs: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="file size limits are POSIX")
    run = tmp_path / "run"
    train(config(photographs, run, save_every=2), StopAt(2))
    before = (run / "state.safetensors").read_bytes()
    room = len(before) // 2

    options = ["--loss", "l1", "--steps", "6", "--save-every", "2", "--log-every", "2", "--precision", "float32"]
    full = subprocess.run(
        command(photographs, run, *options),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert full.returncode == 1
    complaint = [line for line in full.stderr.splitlines() if line.startswith("pdloss: ")]
    assert len(complaint) == 1
    assert "File too large" in complaint[0]
    assert ".safetensors" in complaint[0]
    assert "Traceback" not in full.stderr
    assert (run / "state.safetensors").read_bytes() == before
    assert not list(run.rglob(".*.safetensors")), "half a file is left behind"
    assert train(config(photographs, run, save_every=2)).step == 6
