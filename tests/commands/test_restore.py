"""The command restore: the rest of a batch goes on, and the status and a list say what failed."""

import shutil
from pathlib import Path

import pytest

from pdloss.cli import main
from pdloss.picture_files import read
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


def test_tiles_format_and_the_page_before_and_after_are_options(
    made: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, data = made
    argv = ["restore", str(data), "--model", str(run), "--device", "cpu", "--compare", str(tmp_path / "page.html")]
    assert main([*argv, "--out", str(tmp_path / "whole"), "--tile", "auto"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8").count("<figure>") == 2
    assert main([*argv, "--out", str(tmp_path / "tiles"), "--tile", "32", "--format", "tiff"]) == 0
    for name in ("photo0", "photo1"):
        whole, tiles = (read(tmp_path / each).values.astype(int) for each in (f"whole/{name}.png", f"tiles/{name}.tif"))
        assert abs(whole - tiles).max() <= 1
    (tmp_path / "page.html").write_text("mine")
    assert main([*argv, "--out", str(tmp_path / "again")]) == 1
    assert (tmp_path / "page.html").read_text() == "mine" and not (tmp_path / "again").exists()
