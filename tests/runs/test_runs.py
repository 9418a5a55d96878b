"""The run folder: whole files, refusals, the log."""

import os
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from pdloss.errors import RunError, UserError
from pdloss.files.tensors import write_tensors
from pdloss.records import LogLine, read_log
from pdloss.runs import RunFolder, load_weights
from pdloss.runs.states import State
from tests.runs.parts import network_and_optimiser


def line(step: int) -> LogLine:
    return LogLine(step=step, seconds=1.0, lr=0.1, total=0.5, terms={"l1": 0.5}, gradients={"l1": 0.1})


def test_a_damaged_state_is_refused(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    network, optimiser = network_and_optimiser()
    run.save(State(7, 12.5), network, optimiser)
    run.state.write_bytes(run.state.read_bytes()[:-50])
    with pytest.raises(RunError, match=r"state.safetensors is .*damaged: .*; remove it \(rm .*\) to start again"):
        run.resume(network, optimiser)


def test_the_log_is_cut_where_training_goes_on(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    for step in (1, 2, 3):
        run.append_log(line(step))
    with run.log.open("ab") as file:
        file.write(b'{"step":4,"sec')  # the process was killed while writing
    assert [entry.step for entry in read_log(run.log)] == [1, 2, 3]
    run.cut_log(2)
    assert read_log(run.log) == [line(1), line(2)]
    assert run.log.read_bytes().endswith(b"}\n")


def test_the_newest_weights_are_found_by_their_step(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    with pytest.raises(RunError, match="has no weights yet"):
        run.latest_weights()
    network, optimiser = network_and_optimiser()
    for step in (900, 1000, 10):
        run.save(State(step, 0.0), network, optimiser)
    assert run.latest_weights() == (1000, tmp_path / "weights" / "000001000.safetensors")


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    save_file({"other": torch.zeros(1)}, tmp_path / "w.safetensors")
    with pytest.raises(RunError, match=r"w.safetensors belongs to another network: .*"):
        load_weights(tmp_path / "w.safetensors", torch.nn.Conv2d(1, 1, 1))
    with pytest.raises(RunError, match="does not exist"):
        load_weights(tmp_path / "none.safetensors", torch.nn.Conv2d(1, 1, 1))


def test_the_same_weights_make_the_same_file(tmp_path: Path) -> None:
    header = {"format": "pt", "network": "edsr(text='é')", "source": "b", "step": "1"}
    tensors = {"b": torch.arange(3), "a": torch.rand(2, 5), "c": torch.tensor(1.5, dtype=torch.float64)}
    bytes_written = set()
    for _ in range(20):
        write_tensors(tmp_path / "w.safetensors", tensors, header)
        bytes_written.add((tmp_path / "w.safetensors").read_bytes())
    assert len(bytes_written) == 1
    with safe_open(tmp_path / "w.safetensors", "pt") as file:
        assert header.items() < file.metadata().items(), "what seals it stands there too"
        assert {name: file.get_tensor(name).dtype for name in tensors} == {n: t.dtype for n, t in tensors.items()}
        assert all(torch.equal(file.get_tensor(name), tensor) for name, tensor in tensors.items())


def test_of_weights_that_do_not_fit_a_few_are_named(tmp_path: Path) -> None:
    save_file({"other": torch.zeros(1)}, tmp_path / "w.safetensors")
    deep = torch.nn.Sequential(*(torch.nn.Conv2d(1, 1, 1) for _ in range(50)))
    with pytest.raises(RunError) as caught:
        load_weights(tmp_path / "w.safetensors", deep)
    said = str(caught.value)
    assert said.endswith('Missing key(s) in state_dict: "0.weight", "0.bias", "1.weight" and 97 more')


def test_no_pickle_is_read_or_written(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.save(State(1, 0.0), *network_and_optimiser())
    for path in tmp_path.rglob("*.safetensors"):
        assert path.read_bytes()[8:9] == b"{", "a safetensors header"
    torch.save({"0.weight": torch.zeros(1)}, tmp_path / "pickle.safetensors")
    with pytest.raises(RunError, match="is not a safetensors file"):
        load_weights(tmp_path / "pickle.safetensors", torch.nn.Conv2d(1, 1, 1))


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX locks")
@pytest.mark.parametrize(
    "place", [".lock", "log.jsonl", "state.safetensors", "weights", "tensorboard", "wandb", "mlflow"]
)
def test_a_link_in_the_folder_is_not_written_through(place: str, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.write_text("whole")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / place).symlink_to(foreign)
    with pytest.raises(UserError, match="symbolic link"), RunFolder(tmp_path / "run").locked():
        pass
    assert foreign.read_text() == "whole"
