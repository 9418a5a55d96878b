"""``pdloss report`` as typed."""

from pathlib import Path

import pytest

from pdloss.commands.report import main
from pdloss.errors import RunError
from tests.report.folders import write_run

SCORES = {"psnr": [30.0, 31.0, 32.0]}


def test_writes_the_page_and_prints_its_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [write_run(tmp_path / name, SCORES) for name in ("a", "b")]
    assert main([*map(str, runs), "--out", str(tmp_path / "out")]) == 0
    page = tmp_path / "out" / "index.html"
    assert capsys.readouterr().out == f"{page}\n"
    assert "<h1>kodak</h1>" in page.read_text(encoding="utf-8")


def test_the_set_can_be_chosen(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", SCORES)
    write_run(run, SCORES, set_name="set5")
    for name in ("kodak", "set5"):
        assert main([str(run), "--out", str(tmp_path / "out"), "--set", name]) == 0
        assert f"<h1>{name}</h1>" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    with pytest.raises(RunError, match="no scores of 'bsd', only of kodak, set5"):
        main([str(run), "--out", str(tmp_path / "out"), "--set", "bsd"])


def test_the_papers_table_and_the_files_are_made_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "a", SCORES)
    out, files = tmp_path / "out", tmp_path / "files"
    assert main([str(run), "--out", str(out), "--paper", "--export", str(files)]) == 0
    assert capsys.readouterr().out.splitlines() == [str(out / "index.html"), str(files)]
    assert "Table II, denoising" in (out / "index.html").read_text(encoding="utf-8")
    assert {"scores.csv", "scores.tex", "paper-1.tex"} <= {path.name for path in files.iterdir()}


def test_a_task_that_the_paper_has_no_table_of_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", SCORES, task="demosaic")
    with pytest.raises(RunError, match="leave --paper out"):
        main([str(run), "--out", str(tmp_path / "out"), "--paper"])
    assert not (tmp_path / "out").exists()


def test_wrong_usage_ends_with_status_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([str(write_run(tmp_path / "a", SCORES))])
    assert stop.value.code == 2
    assert "--out" in capsys.readouterr().err
