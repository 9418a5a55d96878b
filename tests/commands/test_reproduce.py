"""``pdloss reproduce``, as typed."""

import json

import pytest
from PIL import Image

from pdloss.cli import main
from pdloss.commands.reproduce import folder_of
from pdloss.errors import UserError
from pdloss.sweeps import reproduction

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
