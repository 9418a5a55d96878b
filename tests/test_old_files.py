"""Files that version 0.1.0 wrote, small ones, are read as it read them."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pdloss.cli import main
from pdloss.training.configuration import TrainConfig
from pdloss.training.loop import train

OLD = Path(__file__).parent / "data" / "version-0.1.0"


@pytest.fixture
def old(tmp_path):
    shutil.copytree(OLD, tmp_path / "old")
    return tmp_path / "old"


def test_a_stopped_run_goes_on_to_the_same_weights(old):
    config = TrainConfig(
        data="deadleaves(images=2,size=64)", out=old / "runs" / "stopped", task="denoise", steps=4, batch=2, crop=32,
        network="edsr(blocks=1,width=4,unshuffle=2)", log_every=1, save_every=2,
        loss="l1 + 0.01*pdl(features='steerable')", precision="float32", device="cpu",
    )  # fmt: skip
    assert train(config).step == 4
    ended, expected = (
        load_file(path)
        for path in (config.out / "weights" / "000000004.safetensors", old / "stopped-at-the-end.safetensors")
    )
    assert list(ended) == list(expected)
    for name, tensor in expected.items():  # another processor or torch may round elsewhere
        torch.testing.assert_close(ended[name], tensor, rtol=0, atol=1e-5)


def test_a_run_is_evaluated_on_the_old_frozen_set_to_the_old_scores(old):
    before = json.loads((OLD / "runs" / "pdl" / "scores" / "photos.json").read_text())
    arguments = ["--data", str(old / "photos"), "--degraded", str(old / "frozen"), "--metrics", "psnr,ssim,sharpness"]
    assert main(["evaluate", str(old / "runs" / "pdl"), *arguments]) == 0
    after = json.loads((old / "runs" / "pdl" / "scores" / "photos.json").read_text())
    assert [image["name"] for image in after["images"]] == [image["name"] for image in before["images"]]
    for was, now in zip(before["images"], after["images"], strict=True):
        assert now["degraded"] == pytest.approx(was["degraded"], abs=1e-6)
        assert now["restored"] == pytest.approx(was["restored"], abs=2e-3)


def test_old_scores_are_compared_and_reported(old, capsys):
    runs = [str(old / "runs" / name) for name in ("l1", "pdl")]
    assert main(["compare", *runs]) == 0
    assert "pdl" in capsys.readouterr().out
    assert main(["report", *runs, "--out", str(old / "report")]) == 0
    page = (old / "report" / "index.html").read_text()
    assert "PSNR" in page
    assert "leaf0" in page


def test_a_picture_is_restored_by_an_old_run(old):
    out = old / "restored"
    arguments = ["--model", str(old / "runs" / "l1"), "--out", str(out)]
    assert main(["restore", str(old / "photos" / "leaf0.png"), *arguments]) == 0
    assert list(out.iterdir())


def test_an_old_study_is_analysed_from_its_database_and_from_its_table(old, capsys):
    assert main(["study", "analyse", str(old / "study"), "--out", str(old / "from-database")]) == 0
    assert main(["study", "analyse", str(old / "study"), "--answers", str(old / "study-answers.csv")]) == 0
    assert "pdl" in capsys.readouterr().out
