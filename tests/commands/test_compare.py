"""``pdloss compare`` as typed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pdloss.commands.compare import main
from pdloss.comparison import Comparison, MatchedComparison
from pdloss.errors import RunError, SpecError
from pdloss.records import Metric, read_record
from tests.comparison.test_paired import FIRST, SECOND, two_runs
from tests.comparison.test_sweeps import run_folders
from tests.report.folders import write_run


def test_prints_who_is_better(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(list(map(str, two_runs(tmp_path, FIRST, SECOND)))) == 0
    said = capsys.readouterr().out
    assert "b against a" in said
    line = next(line for line in said.splitlines() if line.strip().startswith("LPIPS ↓"))
    assert line.split()[-1] == "better"


def test_fits_eighty_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    main(list(map(str, two_runs(tmp_path, FIRST, SECOND))))
    said = capsys.readouterr().out
    assert "…" not in said
    assert all(len(line.rstrip()) <= 80 for line in said.splitlines())


def test_many_metrics_are_shown_in_tables_below_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    keys = [f"metric {i}" for i in range(9)]
    metrics = {key: Metric(label=key, better="higher", protocol="") for key in keys}
    runs = [
        write_run(tmp_path / name, {key: [start + i for i in range(3)] for key in keys}, metrics=metrics)
        for name, start in (("one", 0.1234), ("other", 0.2345))
    ]
    main(list(map(str, runs)))
    said = capsys.readouterr().out
    assert "…" not in said
    means = said[: said.index("other against one")]
    assert all(key in means for key in keys)
    assert sum(line.split()[:1] == ["other"] for line in means.splitlines()) == 3  # each of the three tables says whose
    assert means.count("means and 95 % intervals") == 1


def test_writes_json_csv_markdown_and_latex(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = two_runs(tmp_path, FIRST, SECOND)
    files = [tmp_path / "out" / name for name in ("c.json", "c.csv", "c.md", "c.tex")]
    arguments = [f"--{kind}={file}" for kind, file in zip(("json", "csv", "markdown", "latex"), files, strict=True)]
    assert main([*map(str, runs), "--seed", "3", *arguments]) == 0
    assert capsys.readouterr().out.splitlines()[-4:] == [str(file) for file in files]
    assert read_record(files[0], Comparison).seed == 3
    assert files[1].read_text(encoding="utf-8").startswith("kind,metric,name")
    assert files[2].read_text(encoding="utf-8").startswith("**kodak, 24 images")


def test_the_set_can_be_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = two_runs(tmp_path, FIRST, SECOND)
    two_runs(tmp_path, FIRST, FIRST, set_name="twins")
    main([*map(str, runs), "--set", "twins"])
    assert "identical" in capsys.readouterr().out
    main([*map(str, runs), "--set", "kodak"])
    assert "identical" not in capsys.readouterr().out


def test_sweeps_are_compared_at_equal_fidelity(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [str(run) for run in run_folders(tmp_path)]
    out = tmp_path / "matched.json"
    assert main([*runs, "--matched", "psnr", "--json", str(out)]) == 0
    assert "l1 + perceptual against l1 + pdl" in capsys.readouterr().out
    level = read_record(out, MatchedComparison).level
    main([*runs, "--matched", "psnr", "--at", str(level + 0.1), "--json", str(out)])
    assert json.loads(out.read_text())["level"] == pytest.approx(level + 0.1)


def test_a_level_needs_the_metric_it_is_of(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"--at 28 needs the metric to match"):
        main([*map(str, two_runs(tmp_path, FIRST, SECOND)), "--at", "28"])


def test_a_seed_below_zero_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"--seed must be from 0 to .*got -1"):
        main([*map(str, two_runs(tmp_path, FIRST, SECOND)), "--seed", "-1"])


def test_runs_that_cannot_be_compared_are_refused(tmp_path: Path) -> None:
    first, _ = two_runs(tmp_path, FIRST, SECOND)
    with pytest.raises(RunError, match="different images"):
        main([str(first), str(write_run(tmp_path / "c", {"psnr": [1.0, 2.0, 3.0]}))])
    with pytest.raises(RunError, match="at least two"):
        main([str(first)])


def test_a_name_in_brackets_is_no_markup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [write_run(tmp_path / name, {"psnr": [1.0, 2.0, 3.0]}) for name in ("[red]a", "b")]
    main(list(map(str, runs)))
    assert "[red]a" in capsys.readouterr().out


def test_needs_no_torch() -> None:
    code = "import sys, pdloss.commands.compare, pdloss.comparison.tables; print({'torch'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
