"""``pdloss reproduce``, as typed."""

import json

import pytest
from PIL import Image

from pdloss.cli import main
from pdloss.commands import reproduce
from pdloss.commands.reproduce import folder_of
from pdloss.errors import UserError
from pdloss.probing import histogram_page
from pdloss.sweeps import reproduction
from tests.runs_for_tests import photographs_in

TINY = {"task": "denoise", "network": "edsr(blocks=1, width=4, unshuffle=2)", "steps": 2, "batch": 1, "crop": 32}
SHIPPED = {
    "table": "II",
    "cpu": {"train": TINY | {"log_every": 1}, "start": {"steps": 2}},
    "losses": [
        {"name": "no-perceptual", "loss": "l1"},
        {"name": "PDL", "loss": "l1 + {weight}*pdl(features='steerable')", "weight": [0.01]},
    ],
}


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.setattr(reproduction, "_shipped", lambda table: SHIPPED)
    monkeypatch.setattr(reproduction, "METRICS", ("psnr", "sharpness"))
    monkeypatch.setattr(reproduction, "JUDGES", ("grid",))
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        for name, angle in (("a", 0), ("b", 90)):
            image = Image.linear_gradient("L").resize((64, 64)).rotate(angle).convert("RGB")
            image.save(tmp_path / folder / f"{name}.png")
    return tmp_path


@pytest.mark.slow
def test_trains_scores_and_compares_with_the_paper_and_takes_up_a_finished_start(photos, capsys):
    start = photos / "runs" / "denoise" / "start"
    train = [f"--{name.replace('_', '-')}={value}" for name, value in (TINY | {"log_every": 1}).items()]
    data = "deadleaves(images=1, size=32)"
    assert main(["train", *train, "--data", data, "--loss", "l1", "--out", str(start)]) == 0
    before = (start / "log.jsonl").stat().st_mtime_ns
    words = ["reproduce", "table2", "--budget", "cpu", "--data", data, "--out", str(photos / "runs")]
    words += ["--test", str(photos / "one"), str(photos / "two")]
    assert main(words) == 0
    assert (start / "log.jsonl").stat().st_mtime_ns == before
    config = json.loads((photos / "runs" / "denoise" / "PDL-w0.01" / "config.json").read_text())
    assert config["init"] == str(start)
    printed = capsys.readouterr().out
    assert "Recommended" not in printed  # nothing perceptual was measured
    for name in ("one", "two"):
        page = photos / "runs" / "table2" / name / "index.html"
        assert str(page) in printed
        assert "Table II, denoising" in page.read_text(encoding="utf-8")
        text = page.with_name("result.md").read_text(encoding="utf-8")
        assert "**Table II, denoising**" in text
        assert "| ours | l1 + pdl | 0.01 | 2 steps |" in text
        assert "going on from start, 2 steps of l1" in text
    assert "Table VIII" not in text
    account = (photos / "runs" / "table2" / "runs.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[:4] for line in account[1:]] == [
        ["start", "start", "", "done"],
        ["no-perceptual", "run", "no-perceptual", "done"],
        ["PDL-w0.01", "run", "PDL", "done"],
    ]
    assert (photos / "runs" / "table2" / "one" / "figures" / "paper-1.csv").is_file()


def test_preferences_are_analysed_and_written_without_any_run(tmp_path, capsys):
    assert main(["reproduce", "table3", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "0.77" in printed
    assert "no study is designed: no-perceptual, L1-w0.005" in printed
    assert "| PDL | 0.77 | 0.74 | 0.61 | 0.57 |" in (tmp_path / "table3" / "preferences.md").read_text()


def test_figure_2_looks_at_as_many_photographs_as_the_budget_says(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(reproduce, "FEATURES", "steerable.scale1")
    monkeypatch.setattr(reproduce, "PHOTOGRAPHS", {"cpu": 2, "halfhour": 9})
    photographs_in(tmp_path / "photos", count=3, height=32, width=48)
    shown = []
    monkeypatch.setattr(histogram_page, "write_result", lambda *values: shown.append(values) or [values[0] / "a.png"])
    words = ["reproduce", "figure2", "--out", str(tmp_path / "out"), "--test", str(tmp_path / "photos")]
    assert main(words) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'out' / 'figure2' / 'a.png'}\n"
    assert main([*words, "--budget", "halfhour"]) == 0
    names = [f"photos/photo{i}" for i in range(3)]
    assert [[each.name for each in values[1]] for values in shown] == [names[:2], names]
    assert shown[0][2:] == ("steerable.scale1", 4, "pdloss reproduce figure2 --budget cpu --out OUT --test photos")
    assert main([*words, "--budget", "week"]) == 1
    assert "unknown budget 'week'" in capsys.readouterr().err


def test_slips_are_one_sentence(tmp_path, capsys):
    assert main(["reproduce", "table9", "--out", str(tmp_path)]) == 1
    assert "unknown table 'table9'; did you mean 'table" in capsys.readouterr().err
    assert main(["reproduce", "table2", "--out", str(tmp_path)]) == 1
    assert "table2 is trained: name a folder of photographs with --data" in capsys.readouterr().err


def test_a_set_is_a_folder_or_has_a_name_that_is_known(tmp_path, monkeypatch):
    monkeypatch.setenv("PDLOSS_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("PDLOSS_IMAGES", raising=False)
    assert folder_of(str(tmp_path)) == tmp_path
    with pytest.raises(UserError, match="--test nowhere is no folder, and no public set: .*kodak24"):
        folder_of("nowhere")
    with pytest.raises(UserError, match="kodak24 is not here; pdloss data get kodak24 fetches it"):
        folder_of("kodak24")
    (tmp_path / "images" / "valid" / "kodak24").mkdir(parents=True)
    monkeypatch.setenv("PDLOSS_IMAGES", str(tmp_path / "images"))
    assert folder_of("kodak24") == tmp_path / "images" / "valid" / "kodak24"
    (tmp_path / "data" / "kodak24").mkdir(parents=True)
    assert folder_of("kodak24") == tmp_path / "data" / "kodak24"
