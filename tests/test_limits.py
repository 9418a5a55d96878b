"""How much of a received file is looked at: what is honest passes, what would take all memory is refused first."""

import io
import json
import zipfile
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from safetensors.torch import save

from pdloss import limits
from pdloss.cli import main
from pdloss.degradations import degradation
from pdloss.errors import AssetError, ImageError, RunError, SpecError
from pdloss.features import extractor
from pdloss.limits import bounded, check_arrays, check_depth, check_seed, read_header, read_json
from pdloss.losses import objective
from pdloss.networks import network
from pdloss.networks.tensorflow import read_variables
from pdloss.records import RunRecord, Scores, read_log, read_record, write_record
from pdloss.runs import load_weights, write_tensors
from tests.test_records import RUN

DEEP = 5000


@pytest.mark.parametrize("text", ["[" * DEEP, '{"a":' * DEEP + "1" + "}" * DEEP, "[" * 33 + "]" * 33])
def test_json_deeper_than_the_bound_is_refused_before_any_reader_sees_it(text: str) -> None:
    with pytest.raises(ValueError, match="more than 32 deep"):
        read_json(text)


@pytest.mark.parametrize(
    "value", [[[[1]]], {"a": "[[[" * 100}, {"a": '\\"' + "[" * 99}, ["{" * 99 + '"', "\\"], [[1, 2]] * 1000, "[" * 99]
)
def test_what_is_quoted_counts_for_nothing(value: object) -> None:
    assert read_json(json.dumps(value)) == value


def test_a_file_larger_than_the_bound_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 11)
    assert bounded(tmp_path / "large", 11, "record") == b"x" * 11
    with pytest.raises(ValueError, match="it has 11 bytes, and a record at most 10"):
        bounded(tmp_path / "large", 10, "record")
    with pytest.raises(ValueError, match="more than 10 bytes"):
        bounded(Path("/dev/zero"), 10, "record")


@pytest.mark.parametrize("content", [b"[" * DEEP, b'{"run":' * DEEP])
def test_a_record_that_is_too_deep_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "scores.json"
    path.write_bytes(content)
    with pytest.raises(RunError, match="scores.json is not a Scores: its brackets lie more than 32 deep"):
        read_record(path, Scores)
    path.write_bytes(content + b"\n")
    with pytest.raises(RunError, match="is not a training log, or is damaged: line 1: its brackets"):
        read_log(path)


def test_a_record_of_endless_size_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pdloss.records.RECORD_BYTES", 10)
    (tmp_path / "scores.json").write_text("{}" + " " * 10)
    with pytest.raises(RunError, match="it has 12 bytes, and a record at most 10"):
        read_record(tmp_path / "scores.json", Scores)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"[" * DEEP, "32 deep"),
        (b'{"__metadata__":' * DEEP, "32 deep"),
        (b"[1, 2]", "no safetensors header"),
        (b"{}" * 3, "Extra data"),
    ],
)
def test_the_header_of_weights_is_looked_at_before_it_is_read(tmp_path: Path, header: bytes, said: str) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(RunError, match=f"x.safetensors is not a safetensors file, or is damaged: .*{said}"):
        load_weights(path, torch.nn.Identity())
    with pytest.raises(AssetError, match=said):
        extractor(f"{path}")


def test_a_header_of_endless_size_is_refused_and_an_honest_one_read() -> None:
    with pytest.raises(ValueError, match="a header of 17,000,000 bytes"):
        read_header(io.BytesIO((17_000_000).to_bytes(8, "little") + b"{"))
    assert set(read_header(io.BytesIO(save({"a": torch.zeros(2)}, {"b": "c"})))) == {"a", "__metadata__"}


def test_a_header_asks_for_no_network_without_end(tmp_path: Path) -> None:
    for plan in (
        {"heads": {"relu1": [8, 2]}, "widths": [8], "blocks": [10**9]},
        {"heads": {"relu1": [8, 2]}, "widths": [10**6], "blocks": [1]},
        {"heads": {f"relu{i}": [8, 2] for i in range(65)}, "widths": [8], "blocks": [1]},
    ):
        write_tensors(tmp_path / "x.safetensors", {"a": torch.zeros(1)}, {"network": json.dumps(plan)})
        with pytest.raises(AssetError, match="was not written by pdloss distill"):
            extractor(str(tmp_path / "x.safetensors"))


@pytest.mark.parametrize("text", ["edsr(blocks=1000, width=4096)", "nafnet(width=4096)"])
def test_a_network_larger_than_any_machine_is_counted_and_not_built(text: str) -> None:
    with pytest.raises(SpecError, match=r"would have [\d,]+ parameters, and at most 1,000,000,000 are made room for"):
        network(text)


def test_arrays_that_unpack_to_more_than_the_bound_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez_compressed(tmp_path / "k.npz", k=np.zeros((1000, 1000)))
    with (tmp_path / "k.npz").open("rb") as file:
        check_arrays(file)
        assert file.tell() == 0
    monkeypatch.setattr(limits, "ARRAYS_BYTES", 1_000_000)
    with pytest.raises(AssetError, match="it unpacks to 8,000,128 bytes, and at most 1,000,000"):
        read_variables(tmp_path / "k.npz")
    with pytest.raises(ImageError, match="it unpacks to 8,000,128 bytes"):
        degradation(f"blur(kernel='{tmp_path / 'k.npz'}')")(torch.rand(3, 64, 64), torch.Generator())


def test_no_archive_is_taken_for_arrays(tmp_path: Path) -> None:
    (tmp_path / "k.npz").write_bytes(b"no archive")
    with pytest.raises(zipfile.BadZipFile), (tmp_path / "k.npz").open("rb") as file:
        check_arrays(file)


@pytest.mark.parametrize(
    "command",
    [
        ["train", "--data", "deadleaves(images=4)", "--out", "out", "--loss", "l1"],
        ["calibrate", "--data", "deadleaves(images=4)", "--loss", "l1 + l2", "--share", "0.5"],
        ["degrade", "--data", "data", "--out", "out"],
        ["compare", "a", "b"],
        ["conformance", "pdloss.losses:perceptual_loss"],
        ["distill", "--images", "data", "--check", "data", "--out", "out.safetensors"],
    ],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize("seed", [2**64, -1])
def test_a_seed_beyond_the_generators_is_refused_in_a_sentence(
    command: list[str], seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    from pdloss.images import write_image

    write_image(tmp_path / "data" / "a.png", torch.rand(3, 32, 32))
    assert main([*command, f"--seed={seed}"]) == 2
    assert f"--seed must be from 0 to 18446744073709551615 (2^64 - 1), got {seed}" in capsys.readouterr().err


def test_the_largest_seed_is_taken() -> None:
    check_seed(2**64 - 1)
    torch.manual_seed(2**64 - 1)


def test_depth_is_counted_over_all_of_a_log() -> None:
    check_depth(b'{"a": {"b": [1]}}\n' * 1000)


def test_a_record_whose_text_is_longer_than_any_choice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    write_record(path, RUN)
    assert read_record(path, RunRecord) == RUN
    for field in ("network", "loss", "degradation"):
        path.write_text(json.dumps(msgspec.to_builtins(RUN) | {field: "l1 + " * 10_000 + "l1"}))
        with pytest.raises(RunError, match=rf"length <= 20000 - at `\$.{field}`"):
            read_record(path, RunRecord)


def test_weights_of_layers_must_be_finite() -> None:
    for number in ("1e400", "-1e400", "1e400-1e400"):
        with pytest.raises(SpecError, match="expected a finite number"):
            objective(f"pdl(features='vgg19.relu3_4', layer_weights=[{number}])")


@pytest.mark.parametrize(
    "text", ["noise(sigma=nan)", "noise(sigma=1e400)", "noise(sigma=0..1e400)", "noise(sigma=inf)"]
)
def test_a_strength_that_is_no_number_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(SpecError, match="expected a (finite )?number|finite bounds"):
        degradation(text)
