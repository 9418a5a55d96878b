"""Nothing damaged passes: a run's files are what was written, or are named, and the checkpoint before is offered."""

import hashlib
import json
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from pdloss import networks
from pdloss.errors import RunError, UserError
from pdloss.evaluation import load_network
from pdloss.files.tensors import read_tensors, write_tensors
from pdloss.records import read_log
from pdloss.runs import RunFolder
from pdloss.training.loop import train
from pdloss.training.watching import Watcher
from tests.runs_for_tests import assert_same_bits, config, final_weights, photographs_in


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Photographs, and a run of six steps with a checkpoint every two."""
    folder = tmp_path_factory.mktemp("damage")
    data = photographs_in(folder / "photographs", count=3)
    train(config(data, folder / "run", save_every=2, ema=0.9))
    return data, folder / "run"


@pytest.fixture
def run(trained: tuple[Path, Path], tmp_path: Path) -> RunFolder:
    """A copy of it."""
    for file in trained[1].rglob("*"):
        if file.is_file():
            copy = tmp_path / "run" / file.relative_to(trained[1])
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    return RunFolder(tmp_path / "run")


def flipped(data: bytes, place: int, bit: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]


def resumed(run: RunFolder) -> dict[str, Tensor]:
    """All that a training would go on with."""
    network = networks.network(run.record().network)
    optimiser = torch.optim.Adam(network.parameters())
    state = run.resume(network, optimiser, run.record().steps)
    states = optimiser.state_dict()["state"]
    held = {f"{index}.{key}": value for index, values in states.items() for key, value in values.items()}
    return {**network.state_dict(), **held, "state": torch.tensor(state), "random": torch.get_rng_state()}


def everything(run: RunFolder) -> tuple[object, ...]:
    """All that resuming, evaluating and reporting read of a run."""
    network = networks.network(run.record().network)
    run.load(network)
    return run.record(), run.trained_on(), resumed(run), network.state_dict(), read_log(run.log)


def same(one: object, other: object) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return torch.equal(one, other) if isinstance(one, Tensor) and isinstance(other, Tensor) else one == other


def test_a_flipped_bit_is_a_sentence_that_names_the_file(run: RunFolder) -> None:
    chance = random.Random(7)
    expected = everything(run)
    newest = run.latest_weights()[1]
    named = 0
    for file in (run.state, newest, run.config, run.path / "photographs.json", run.log):
        whole = file.read_bytes()
        places = [chance.randrange(len(whole) - 1) for _ in range(60)]  # a log without its last end is one cut short
        places += [chance.randrange(min(len(whole) - 1, 4000)) for _ in range(40)]  # headers
        for place in places:
            file.write_bytes(flipped(whole, place, chance.randrange(8)))
            try:
                found = everything(run)
            except UserError as error:
                named += str(file) in str(error)
            else:
                assert all(same(one, other) for one, other in zip(found, expected, strict=True)), (file, place)
                named += 1
        file.write_bytes(whole)
    assert named == 500


def test_training_does_not_go_on_with_a_damaged_file(trained: tuple[Path, Path], run: RunFolder) -> None:
    for file in (run.state, run.config, run.path / "photographs.json", run.log):
        whole = file.read_bytes()
        file.write_bytes(flipped(whole, len(whole) // 2, 0))
        with pytest.raises(RunError, match=re.escape(str(file))):
            train(config(trained[0], run.path, save_every=2, ema=0.9))
        file.write_bytes(whole)


def test_evaluation_does_not_take_damaged_weights_and_is_offered_those_before(run: RunFolder) -> None:
    expected = read_tensors(run.weights_file(4)).tensors
    newest = run.weights_file(6)
    newest.write_bytes(flipped(newest.read_bytes(), newest.stat().st_size - 9, 3))
    sentence = (
        r"06.safetensors is damaged: .*remove it \(rm .*6.safetensors\), and the weights before it, of step 4, are"
    )
    with pytest.raises(RunError, match=sentence):
        load_network(run.path, torch.device("cpu"))
    newest.unlink()
    assert_same_bits(dict(load_network(run.path, torch.device("cpu")).state_dict()), expected)


def test_a_damaged_checkpoint_is_named_and_going_on_from_the_one_before_ends_in_the_same_bits(
    trained: tuple[Path, Path], run: RunFolder
) -> None:
    data, whole = trained
    run.state.write_bytes(flipped(run.state.read_bytes(), run.state.stat().st_size - 9, 3))
    with pytest.raises(RunError) as caught:
        train(config(data, run.path, save_every=2, ema=0.9))
    said = str(caught.value)
    assert "state.safetensors is damaged" in said
    assert "the one before it, after step 4, is whole" in said
    assert f"rm {run.state}" in said
    run.state.unlink()
    assert train(config(data, run.path, save_every=2, ema=0.9)).step == 6
    assert_same_bits(final_weights(whole), final_weights(run.path))
    assert_same_bits(read_tensors(RunFolder(whole).state).tensors, read_tensors(run.state).tensors)
    assert [line.step for line in read_log(run.log)] == [2, 4, 6]


def test_if_both_checkpoints_are_damaged_that_is_said(run: RunFolder) -> None:
    for file in (run.state, run.previous):
        file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(RunError, match="the one before it, .*state.previous.safetensors, is damaged too"):
        resumed(run)
    run.state.unlink()
    with pytest.raises(RunError, match=r"state.previous.safetensors is .*damaged: .*remove it .* to start again"):
        resumed(run)


def test_the_state_before_is_there_at_every_moment(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    network = networks.network(run.record().network)
    optimiser = torch.optim.Adam(network.parameters())
    state = run.resume(network, optimiser)
    seen = []

    def watched(path: Path, target: Path) -> Path:
        seen.append([int(read_tensors(file).header["step"]) for file in (run.state, run.previous)])
        return rename(path, target)

    rename = Path.replace
    monkeypatch.setattr(Path, "replace", watched)
    run.save(state._replace(step=7), network, optimiser)
    assert seen[-2:] == [[6, 4], [6, 6]], "before the older takes its second name, and before the newer takes the first"
    assert [int(read_tensors(file).header["step"]) for file in (run.state, run.previous)] == [7, 6]
    assert [path.name for path in run.path.glob(".*")] == [".lock"] * (run.path / ".lock").exists()


def test_where_files_cannot_have_two_names_the_state_is_copied(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Path, target: Path) -> None:
        raise OSError("no such thing on this file system")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    before = run.state.read_bytes()
    network = networks.network(run.record().network)
    optimiser = torch.optim.Adam(network.parameters())
    run.save(run.resume(network, optimiser)._replace(step=7), network, optimiser)
    assert run.previous.read_bytes() == before


Change = Callable[[dict[str, Tensor], dict[str, str]], object]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors, header: header.update(step="-5"), "said to be after step -5 of 6"),
        (lambda tensors, header: header.update(step="7"), "said to be after step 7 of 6"),
        (lambda tensors, header: header.update(step="six"), "invalid literal"),
        (lambda tensors, header: header.update(seconds="nan"), "said to be after nan seconds"),
        (lambda tensors, header: header.pop("seconds"), "lacks 'seconds'"),
        (lambda tensors, header: header.pop("random"), "lacks 'random'"),
        (lambda tensors, header: header.update(random="[1]"), "cannot be resumed from"),
        (lambda tensors, header: header.update(random='{"python": [3, [1], null], "numpy": []}'), "cannot be resumed"),
        (lambda tensors, header: tensors.pop("random.torch"), "lacks 'random.torch'"),
        (
            lambda tensors, header: [tensors.pop(key) for key in [*tensors] if "optimiser" in key],
            "lacks all that",
        ),
        (lambda tensors, header: tensors.pop("optimiser.3.exp_avg"), "lacks 'exp_avg'"),
        (lambda tensors, header: tensors.update({"optimiser.3.step": torch.tensor(-5.0)}), "said to be after step -5"),
        (lambda tensors, header: tensors["optimiser.3.exp_avg"].fill_(torch.inf), "optimiser holds of its parameter 3"),
        (lambda tensors, header: tensors.update({"optimiser.99.step": torch.tensor(1.0)}), "out of range"),
        (
            lambda tensors, header: tensors["network.head.weight"].fill_(torch.nan),
            "head.weight holds values",
        ),
        (lambda tensors, header: tensors.pop("network.head.weight"), "Missing key"),
        (
            lambda tensors, header: tensors.update({"network.head.weight": tensors["network.head.weight"].int()}),
            "head.weight holds int32, where the network has float32",
        ),
    ],
)
def test_a_state_that_cannot_be_is_refused_though_it_is_as_it_was_written(
    run: RunFolder, change: Change, message: str
) -> None:
    tensors, header, _ = read_tensors(run.state)
    change(tensors, header)
    write_tensors(run.state, tensors, header)
    with pytest.raises(RunError, match=message) as caught:
        resumed(run)
    assert str(caught.value).startswith(f"{run.state} cannot be resumed from: ")
    assert "the one before it, after step 4, is whole" in str(caught.value)


class Notebook(Watcher):
    """Keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_a_run_of_version_0_1_0_goes_on_and_what_could_not_be_verified_is_said(
    trained: tuple[Path, Path], run: RunFolder
) -> None:
    data, _ = trained
    tensors, header, _ = read_tensors(run.previous)
    save_file(tensors, run.state, metadata=header)
    run.previous.unlink()
    text = run.config.read_text()
    by_size = {name: (data / name).stat().st_size for name in run.photographs()}
    record = json.loads(text)
    for key in ("content_sha256", "machine", "init_sha256"):
        record.pop(key)
    lines = "".join(f"{name}\0{size}\n" for name, size in by_size.items())
    record["data_fingerprint"] = hashlib.sha256(lines.encode()).hexdigest()
    run.config.write_text(json.dumps(record))
    (run.path / "photographs.json").write_text(json.dumps({"images": run.photographs()}))
    notebook = Notebook()
    assert train(config(data, run.path, save_every=2, ema=0.9), notebook).step == 6
    assert_same_bits(final_weights(trained[1]), final_weights(run.path))
    unverified, by_name = notebook.notes
    assert unverified == f"{run.state} carries no digest, as files of version 0.1.0 do not, so it could not be verified"
    assert "knew its photographs by name and size only" in by_name
