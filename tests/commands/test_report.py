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
    with pytest.raises(RunError, match="--set"):
        main([str(run), "--out", str(tmp_path / "out")])
    assert main([str(run), "--out", str(tmp_path / "out"), "--set", "set5"]) == 0
    assert "<h1>set5</h1>" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_wrong_usage_ends_with_status_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([str(write_run(tmp_path / "a", SCORES))])
    assert stop.value.code == 2
    assert "--out" in capsys.readouterr().err
