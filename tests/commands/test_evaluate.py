"""``pdloss evaluate`` as a user types it."""

import json
import shutil
from pathlib import Path

import pytest

from pdloss.cli import main
from pdloss.datasets import Photographs
from pdloss.evaluation.frozen_sets import freeze
from pdloss.records import Scores, read_record
from tests.runs_for_tests import photographs_in, trained_run

Made = tuple[list[Path], list[Path]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Two tiny runs and two folders of photographs."""
    folder = tmp_path_factory.mktemp("evaluate")
    data = [photographs_in(folder / "large", 2), photographs_in(folder / "small", 3, height=24, width=28)]
    return [trained_run(folder / name, data[0], steps=steps) for name, steps in (("first", 2), ("second", 20))], data


def evaluate(runs: list[Path], data: list[Path], *options: str, metrics: str = "psnr") -> int:
    words = [*map(str, runs), "--data", *map(str, data), "--metrics", metrics, "--device", "cpu"]
    return main(["evaluate", *words, *options])


def test_scores_every_run_on_every_set(trained: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs, data = trained
    files = {kind: tmp_path / f"scores.{kind}" for kind in ("csv", "json", "markdown", "latex")}
    options = [word for kind, path in files.items() for word in (f"--{kind}", str(path))]
    assert evaluate(runs, data, *options, metrics="psnr, consistency") == 0
    said = capsys.readouterr().out
    for text in ("large, 2 images, means", "small, 3 images, means", "Noise corr.", "PSNR: RGB, whole image"):
        assert text in said
    stored = [read_record(run / "scores" / f"{folder.name}.json", Scores) for folder in data for run in runs]
    assert [record["run"] for record in json.loads(files["json"].read_text())] == ["first", "second"] * 2
    assert [len(scores.images) for scores in stored] == [2, 2, 3, 3]
    assert len(files["csv"].read_text().splitlines()) == 1 + 2 * (2 + 2 + 3 + 3)
    assert files["markdown"].read_text().count("| first |") == 2
    assert files["latex"].read_text().count(r"\begin{tabular}{lrr}") == 2
    mean = sum(image.restored["psnr"] for image in stored[1].images) / 2
    assert f"**{mean:.2f}**" in files["markdown"].read_text()


@pytest.mark.parametrize("name", ["../../outside", "a/b", "..", "/tmp/x", "a\\b", "n" * 300])
def test_a_set_s_name_is_a_name_and_no_path(
    name: str, trained: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (first, _), data = trained
    run = shutil.copytree(first, tmp_path / "runs" / "run")
    shutil.rmtree(run / "scores", ignore_errors=True)
    shutil.rmtree(run / "restored", ignore_errors=True)
    before = sorted(tmp_path.rglob("*"))
    assert evaluate([run], data[:1], "--set", name) == 1
    assert "--set" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("place", ["restored", "restored/large", "degraded/large", "scores", "scores/large.json"])
def test_a_link_in_a_run_folder_is_not_written_through(
    place: str, trained: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (first, _), data = trained
    run, foreign = tmp_path / "run", tmp_path / "foreign"
    shutil.copytree(first, run, ignore=shutil.ignore_patterns("scores", "restored", "degraded"))
    foreign.mkdir()
    (run / place).parent.mkdir(exist_ok=True)
    (run / place).symlink_to(foreign)
    assert evaluate([run], data[:1]) == 1
    assert "symbolic link" in capsys.readouterr().err
    assert list(foreign.iterdir()) == []


def test_runs_of_one_name_are_called_by_their_parents_too(
    trained: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (first, second), data = trained
    alike = [shutil.copytree(run, tmp_path / parent / "l1") for parent, run in (("sr", first), ("jpeg", second))]
    csv = tmp_path / "scores.csv"
    assert evaluate(alike, data[:1], "--csv", str(csv)) == 0
    assert {line.split(",")[1] for line in csv.read_text().splitlines()[1:]} == {"sr/l1", "jpeg/l1"}
    assert main(["evaluate", str(alike[0]), f"{alike[0]}/../l1", "--data", str(data[0])]) == 1
    assert "was given twice; name each run once" in capsys.readouterr().err


def test_a_second_time_says_in_one_line_that_nothing_is_to_do(
    trained: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    runs, data = trained
    assert evaluate(runs[:1], data[:1], "--set", "twice") == 0
    before = (runs[0] / "scores" / "twice.json").read_bytes()
    capsys.readouterr()
    line = "first on twice: scored already and unchanged; --again scores it anew\n"
    assert evaluate(runs[:1], data[:1], "--set", "twice") == 0
    assert line in capsys.readouterr().out
    assert (runs[0] / "scores" / "twice.json").read_bytes() == before
    assert evaluate(runs[:1], data[:1], "--set", "twice", "--again") == 0
    assert line not in capsys.readouterr().out


def test_the_table_shows_what_was_asked_for_and_the_file_keeps_the_rest(
    trained: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    runs, data = trained
    assert evaluate(runs[:1], data[:1], "--set", "more", metrics="psnr") == 0
    capsys.readouterr()
    assert evaluate(runs[:1], data[:1], "--set", "more", metrics="psnr_y") == 0
    said = capsys.readouterr().out
    assert "PSNR-Y" in said
    assert "PSNR:" not in said
    assert read_record(runs[0] / "scores" / "more.json", Scores).metrics.keys() == {"psnr", "psnr_y"}


def test_frozen_sets_belong_to_the_folders_one_by_one(trained: Made, tmp_path: Path) -> None:
    runs, data = trained
    frozen = [tmp_path / "a", tmp_path / "b"]
    for folder, out in zip(data, frozen, strict=True):
        freeze(Photographs(folder), "noise(sigma=0.2)", out)
    named = ["--set", "f1", "f2", "--degraded"]
    assert evaluate(runs[:1], data, *named, *map(str, frozen)) == 0
    for name in ("f1", "f2"):
        assert "frozen as" in read_record(runs[0] / "scores" / f"{name}.json", Scores).degradation
    assert evaluate(runs[:1], data, *named, *map(str, reversed(frozen))) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--metrics", "pnsr"], "did you mean 'psnr'"),
        (["--metrics", ""], "name at least one metric"),
        (["--metrics", "consistency,psnrr"], "unknown metric 'psnrr'"),
        (["--degraded", "x"], "--degraded needs one for each of the 2 of --data, got 1"),
        (["--set", "x"], "--set needs one for each of the 2 of --data, got 1"),
        (["--set", "x", "x"], "two sets would both be kept as 'x' in the run folders; name them apart with --set"),
        (["--csv", "."], "--csv . is a folder"),
        (["--csv", "one", "--latex", "one"], "--csv and --latex name the same file"),
        (["--device", "gpu7"], "--device 'gpu7' cannot be used"),
        (["--degradation", "noize"], "did you mean 'noise'"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(
    trained: Made, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    runs, data = trained
    before = sorted(runs[0].rglob("*"))
    assert main(["evaluate", str(runs[0]), "--data", *map(str, data), *options]) == 1
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert sorted(runs[0].rglob("*")) == before


def test_a_wrong_run_is_found_before_any_is_evaluated(
    trained: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs, data = trained
    assert evaluate([runs[0], tmp_path / "none"], data, "--set", "u1", "u2") == 1
    assert "none is not a run folder" in capsys.readouterr().err
    assert not (runs[0] / "scores" / "u1.json").exists()
    assert evaluate([], data) == 1
    assert "name at least one run folder, before --data" in capsys.readouterr().err


def test_bad_photographs_are_named(trained: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs, _ = trained
    (tmp_path / "empty").mkdir()
    assert evaluate(runs[:1], [tmp_path / "empty"]) == 1
    assert "empty holds no image" in capsys.readouterr().err
    data = photographs_in(tmp_path / "photographs")
    frozen = tmp_path / "frozen"
    freeze(Photographs(data), "noise", frozen)
    whole = (data / "photo1.png").read_bytes()
    (data / "photo1.png").write_bytes(whole[:-30])
    assert evaluate(runs[:1], [data]) == 1
    assert "photo1.png" in capsys.readouterr().err
    (data / "photo1.png").write_bytes(whole)
    photographs_in(data, 3)
    assert evaluate(runs[:1], [data], "--degraded", str(frozen)) == 1
    assert "only one of them has photo2.png" in capsys.readouterr().err


def test_metrics_whose_weights_are_missing_are_left_out_with_the_reason(
    trained: Made, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PDLOSS_ASSETS", raising=False)
    runs, data = trained
    assert evaluate(runs[:1], data[:1], "--set", "some", metrics="psnr,lpips,fid") == 0
    said = capsys.readouterr().out
    assert "lpips left out: " in said
    assert "fid left out: " in said
    assert "PSNR (dB)" in said
