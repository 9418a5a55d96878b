"""The command restore: the rest of a batch goes on, and the status and a list say what failed."""

import shutil
from pathlib import Path

import pytest

from pdloss.cli import main
from tests.runs_for_tests import photographs_in, trained_run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tiny run and its photographs."""
    folder = tmp_path_factory.mktemp("restoration")
    data = photographs_in(folder / "photographs")
    return trained_run(folder / "run", data), data


def test_a_batch_with_a_bad_file_ends_with_status_one_and_the_list(
    made: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, data = made
    shutil.copytree(data, tmp_path / "mixed")
    (tmp_path / "mixed" / "a.png").write_bytes(b"no picture")
    argv = ["restore", str(tmp_path / "mixed"), "--model", str(run), "--out", str(tmp_path / "out"), "--device", "cpu"]
    assert main(argv) == 1
    said = capsys.readouterr()
    assert said.out.splitlines() == [str(tmp_path / "out" / f"photo{i}.png") for i in range(2)]
    assert "1 of 3 pictures not restored:\n" in said.err
    assert str(tmp_path / "mixed" / "a.png") in said.err.splitlines()[-1]
