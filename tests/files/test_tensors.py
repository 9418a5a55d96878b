"""Files of tensors: what was not written is not read."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from pdloss.errors import RunError
from pdloss.files.tensors import read_tensors, unverified, write_tensors

TENSORS = {"b": torch.arange(5), "a": torch.linspace(0, 1, 6).reshape(2, 3), "none": torch.zeros(0)}
HEADER = {"step": "7", "network": "edsr(text='é')"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A small file."""
    write_tensors(tmp_path / "t.safetensors", TENSORS, HEADER)
    return tmp_path / "t.safetensors"


def test_everything_comes_back_and_other_programs_can_read_it(file: Path) -> None:
    tensors, header, verified = read_tensors(file)
    assert (header, verified) == (HEADER, True)
    for read in (tensors, load_file(file)):
        assert read.keys() == TENSORS.keys()
        assert all(
            torch.equal(read[name], tensor) and read[name].dtype == tensor.dtype for name, tensor in TENSORS.items()
        )
    assert unverified(file) == ""


def test_every_flipped_bit_is_found(file: Path) -> None:
    whole = file.read_bytes()
    header, said = int.from_bytes(whole[:8], "little") + 8, set()
    for place in range(len(whole)):
        for bit in range(8):
            file.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
            try:
                read = read_tensors(file)
            except RunError as error:
                said.add(str(file) in str(error))
                continue
            assert place < header, "a space of the header became another space"
            assert read.verified
            assert read.header == HEADER
            assert all(torch.equal(read.tensors[name], tensor) for name, tensor in TENSORS.items())
    assert said == {True}, "the file is named"


@pytest.mark.parametrize("gone", ["sha256", "sealed_by"])
def test_a_digest_that_is_gone_is_damage(file: Path, gone: str) -> None:
    data = file.read_bytes()
    length = int.from_bytes(data[:8], "little")
    entries = json.loads(data[8 : 8 + length])
    del entries["__metadata__"][gone]
    text = json.dumps(entries).encode()
    file.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])
    with pytest.raises(RunError, match="t.safetensors is damaged: its content is not what was written"):
        read_tensors(file)


def test_files_of_version_0_1_0_are_read_and_said_to_be_unverified(tmp_path: Path) -> None:
    file = tmp_path / "old.safetensors"
    save_file(TENSORS, file, metadata=HEADER)
    assert read_tensors(file)[1:] == (HEADER, False)
    assert "old.safetensors carries no digest" in unverified(file)
    save_file(TENSORS, file)
    assert read_tensors(file)[1:] == ({}, False)
    assert "old.safetensors carries no digest" in unverified(file)


@pytest.mark.parametrize(
    "content", [b"", b"text", b"\xff" * 64, (2).to_bytes(8, "little") + b"[]", b"\x02" + bytes(7) + b"{}x"]
)
def test_what_is_no_such_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.safetensors").write_bytes(content)
    with pytest.raises(RunError, match="odd.safetensors is not a safetensors file, or is damaged"):
        read_tensors(tmp_path / "odd.safetensors")
    with pytest.raises(RunError, match="none.safetensors does not exist"):
        read_tensors(tmp_path / "none.safetensors")
    with pytest.raises(RunError, match="cannot be read: Is a directory"):
        read_tensors(tmp_path)
    assert unverified(tmp_path) == unverified(tmp_path / "none.safetensors") == ""
