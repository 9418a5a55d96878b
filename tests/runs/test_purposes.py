"""What a network is trained for goes on unless the user says otherwise."""

from pathlib import Path

import pytest

from pdloss.errors import RunError
from pdloss.files.tensors import write_tensors
from pdloss.records import RunRecord
from pdloss.runs import RunFolder
from pdloss.runs.purposes import Purpose, purpose, trained_for, weights_file
from pdloss.training.loop import train
from pdloss.training.watching import Watcher
from tests.runs_for_tests import SMALL, config, photographs_in, trained_run

TINY = "edsr(blocks=1, width=8, unshuffle=2)"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small pictures."""
    return photographs_in(tmp_path_factory.mktemp("photographs"))


@pytest.fixture(scope="module")
def jpeg(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run trained for a step against JPEG's blocks of one quality."""
    out = tmp_path_factory.mktemp("runs") / "jpeg"
    return trained_run(out, data, task="jpeg", degradation="jpeg(quality=17)", steps=1)


def asked(begin: Path | None, **said: object) -> Purpose:
    return purpose(**{"task_name": None, "network": None, "degradation": None, "crop": None, **said}, begin=begin)


@pytest.mark.parametrize("as_file", [False, True])
def test_a_run_or_a_file_of_its_weights_tells_what_it_was_trained_for(jpeg: Path, as_file: bool) -> None:
    begin = weights_file(jpeg) if as_file else jpeg
    found = asked(begin)
    assert (found.task, str(found.network), found.crop) == ("jpeg", TINY, 16)
    assert str(found.degradation).startswith("jpeg(quality=17")
    assert found.why == f"as {begin} was trained"
    assert asked(begin, task_name="jpeg") == found


def test_what_the_user_says_comes_first(jpeg: Path) -> None:
    found = asked(jpeg, degradation="noise(sigma=0.2)", crop=32, network="srn")
    assert (str(found.degradation), found.crop, str(found.network)) == ("noise(sigma=0.2)", 32, "srn")
    assert (found.task, found.why) == ("jpeg", "as asked for")
    other = asked(jpeg, task_name="deblur")
    assert (other.task, other.crop, str(other.network)) == ("deblur", 128, TINY), "only the network goes on"
    assert str(other.degradation).startswith("blur")
    assert other.why == "the default of the task deblur"


def test_without_anything_it_is_the_task_denoise() -> None:
    found = asked(None)
    assert (found.task, str(found.degradation), found.crop, found.why) == (
        *("denoise", "noise", 128),
        "the default of the task denoise",
    )


def test_a_file_that_does_not_tell_is_said_to(tmp_path: Path) -> None:
    write_tensors(tmp_path / "w.safetensors", {}, {"network": TINY, "crop": "-3"})
    found = asked(tmp_path / "w.safetensors")
    assert (str(found.network), found.crop) == (TINY, 128)
    assert (
        found.why
        == f"the default of the task denoise; {tmp_path / 'w.safetensors'} does not say what it was trained for"
    )
    (tmp_path / "t.safetensors").write_text("text")
    with pytest.raises(RunError, match=r"t\.safetensors cannot be read as a safetensors file"):
        trained_for(tmp_path / "t.safetensors")
    with pytest.raises(RunError, match="nowhere is not a run folder: it does not exist"):
        trained_for(tmp_path / "nowhere")


class Notebook(Watcher):
    """Keeps what the start line is made of."""

    def start(self, record: RunRecord, *rest: object) -> None:
        self.record, self.why = record, rest[-1]


def test_a_training_goes_on_with_the_task_and_degradation_of_the_run_it_began_from(
    data: Path, jpeg: Path, tmp_path: Path
) -> None:
    notebook, bare = Notebook(), {"network": None, "crop": None, "steps": 1}
    train(config(data, tmp_path / "run", init=jpeg, **bare), notebook)
    was, now = RunFolder(jpeg).record(), RunFolder(tmp_path / "run").record()
    assert (now.task, now.degradation, now.network, now.crop) == (was.task, was.degradation, was.network, SMALL["crop"])
    assert notebook.why == f"as {jpeg} was trained"
    train(config(data, tmp_path / "run", **bare), notebook)
    assert notebook.why == f"as {tmp_path / 'run'} was trained"
