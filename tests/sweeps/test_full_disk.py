"""A disk that really fills while a sweep runs: a small one of memory, in a user's own namespace."""

import shutil
import subprocess
import sys

import pytest

from pdloss.training.configuration import TrainConfig
from pdloss.training.loop import train
from tests.runs_for_tests import assert_same_bits, final_weights

OPTIONS = {
    "data": "deadleaves(images=1, size=32)", "network": "edsr(blocks=1, width=16, unshuffle=2)", "steps": 6, "batch": 1,
    "crop": 32, "log_every": 1, "save_every": 2, "precision": "float32",
}  # fmt: skip

# One run takes 430 KiB: the second finds the disk full. Then room is made.
SCRIPT = """
mount -t tmpfs -o size=2m tmpfs "$1" || exit 77
head -c $((2097152 - 600 * 1024)) /dev/zero > "$1/ballast"
"$2" -m pdloss sweep "$3"; echo "$?" > "$4/first.status"
find "$1/runs" -type f > "$4/files"
rm "$1/ballast"
"$2" -m pdloss sweep "$3"; echo "$?" > "$4/second.status"
cp -r "$1/runs" "$4/runs"
"""


@pytest.mark.slow
def test_a_run_that_fills_the_disk_ends_with_the_sentence_and_goes_on_bit_for_bit_when_there_is_room(tmp_path):
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare, for a disk of its own")
    lines = [f"{name} = {value!r}" for name, value in OPTIONS.items()]
    losses = "".join(f'[[losses]]\nloss = "{name}"\n' for name in ("l1", "l2"))
    plan = "\n".join([f'out = "{tmp_path / "disk" / "runs"}"', "[train]", *lines, losses])
    (tmp_path / "plan.toml").write_text(plan)
    for folder in ("disk", "kept"):
        (tmp_path / folder).mkdir()
    words = [tmp_path / "disk", sys.executable, tmp_path / "plan.toml", tmp_path / "kept"]
    command = ["unshare", "-rm", "sh", "-c", SCRIPT, "sh", *map(str, words)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if not (tmp_path / "kept" / "first.status").exists():
        pytest.skip(f"no disk can be mounted here: {ended.stderr.strip()[-200:]}")
    first, _, second = ended.stderr.partition("1 done, 1 failed")
    assert "l1: done" in first
    assert "l2: failed No space left on device: " in first
    assert "make room there, or choose another place; nothing half-written stays" in first
    assert "Traceback" not in ended.stderr
    names = [line.rpartition("/")[2] for line in (tmp_path / "kept" / "files").read_text().splitlines()]
    assert {name for name in names if name.startswith(".")} == {".lock"}  # no half-written file
    assert (tmp_path / "kept" / "first.status").read_text() == "1\n"
    assert (tmp_path / "kept" / "second.status").read_text() == "0\n"
    assert "l2: done" in second
    assert "l1: running" not in second
    for loss in ("l1", "l2"):
        train(TrainConfig(**OPTIONS, loss=loss, out=tmp_path / loss))
        assert_same_bits(final_weights(tmp_path / "kept" / "runs" / loss), final_weights(tmp_path / loss))
