"""Evaluation: what is written, what the numbers are, what is said when one cannot be had."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from skimage.metrics import peak_signal_noise_ratio

from pdloss.degradations import degradation
from pdloss.errors import ImageError, RunError, SpecError
from pdloss.evaluation import evaluate
from pdloss.images import read_image, to_bytes, write_image
from pdloss.ops.bayer import bayer_plane, demosaic_malvar
from pdloss.ops.resize import resize
from pdloss.ops.streams import generator
from pdloss.records import Scores, read_record
from pdloss.runs import RunFolder
from tests.runs_for_tests import photographs_in, trained_run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tiny run and its photographs."""
    folder = tmp_path_factory.mktemp("evaluation")
    data = photographs_in(folder / "photographs")
    return trained_run(folder / "run", data), data


def test_writes_scores_and_pictures_that_agree(made: tuple[Path, Path]) -> None:
    run, data = made
    evaluation = evaluate(run, data, metric_names=["psnr"])
    scores = read_record(run / "scores" / "photographs.json", Scores)
    assert scores == evaluation.scores
    assert [image.name for image in scores.images] == ["photo0.png", "photo1.png"]
    for image in scores.images:
        target = np.array(Image.open(data / image.name))
        for kind, value in (("restored", image.restored["psnr"]), ("degraded", image.degraded["psnr"])):
            stored = np.array(Image.open(run / kind / "photographs" / image.name))
            assert value == pytest.approx(peak_signal_noise_ratio(target, stored), abs=1e-4)
    assert scores.step == 40
    assert "8 bits" in scores.metrics["psnr"].protocol


def test_the_noise_depends_on_seed_and_file_name_only(made: tuple[Path, Path], tmp_path: Path) -> None:
    run, data = made
    evaluate(run, data, metric_names=["psnr"], name="seven", seed=7)
    clean = read_image(data / "photo1.png")
    noisy = degradation("noise(sigma=0.1)")(clean, generator(7, "photo1.png"))
    stored = torch.from_numpy(np.array(Image.open(run / "degraded" / "seven" / "photo1.png"))).permute(2, 0, 1)
    assert torch.equal(stored, to_bytes(noisy))
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "photo1.png").write_bytes((data / "photo1.png").read_bytes())
    alone = evaluate(run, tmp_path / "one", metric_names=["psnr"], seed=7).scores.images[0]
    assert alone == read_record(run / "scores" / "seven.json", Scores).images[1]


def test_super_resolution_is_scored_beside_bicubic(tmp_path: Path) -> None:
    data = photographs_in(tmp_path / "photographs", height=43)
    run = trained_run(
        tmp_path / "run", data, task="sr", network="edsr(scale=2, blocks=1, width=8)", degradation="downscale(factor=2)"
    )
    scores = evaluate(run, data, metric_names=["psnr"]).scores
    shapes = [
        np.array(Image.open(run / kind / "photographs" / "photo0.png")).shape for kind in ("degraded", "restored")
    ]
    assert shapes == [(21, 25, 3), (42, 50, 3)], "the row that the factor leaves over is gone"
    degraded = read_image(run / "degraded" / "photographs" / "photo0.png")
    bicubic = to_bytes(resize(degraded[None], (42, 50))[0]).permute(1, 2, 0).numpy()
    target = np.array(Image.open(data / "photo0.png"))[:42]
    assert scores.images[0].degraded["psnr"] == pytest.approx(peak_signal_noise_ratio(target, bicubic), abs=1e-3)


def test_demosaicing_is_scored_beside_malvars(tmp_path: Path) -> None:
    data = photographs_in(tmp_path / "photographs")
    run = trained_run(tmp_path / "run", data, task="demosaic", degradation="mosaic(noise=0.0)")
    scores = evaluate(run, data, metric_names=["psnr"]).scores
    assert scores.degradation.endswith("; the input is scored after demosaicing by Malvar, He and Cutler")
    mosaic = bayer_plane(read_image(data / "photo0.png"))
    simple = to_bytes(demosaic_malvar(mosaic)).permute(1, 2, 0).numpy()
    target = np.array(Image.open(data / "photo0.png"))
    assert scores.images[0].degraded["psnr"] == pytest.approx(peak_signal_noise_ratio(target, simple), abs=1e-3)


def test_a_network_of_another_scale_is_refused(made: tuple[Path, Path]) -> None:
    with pytest.raises(RunError, match=r"does not fit this network"):
        evaluate(*made, metric_names=["psnr"], degradation="downscale(factor=2)", name="smaller")


def test_goes_on_without_what_it_cannot_compute_and_says_so(
    made: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PDLOSS_ASSETS", raising=False)
    evaluation = evaluate(*made, metric_names=["psnr", "ms_ssim", "lpips"])
    assert list(evaluation.scores.metrics) == ["psnr"]
    notes = "\n".join(evaluation.notes)
    assert "ms_ssim left out: it needs 161 pixels a side, the smallest image has 40" in notes
    assert "lpips left out: " in notes


def test_scores_lpips_with_real_weights(made: tuple[Path, Path], assets_folder: Path) -> None:
    scores = evaluate(*made, metric_names=["lpips"]).scores
    assert all(0 < image.restored["lpips"] < image.degraded["lpips"] for image in scores.images)


def test_an_image_restored_exactly_has_a_finite_score(made: tuple[Path, Path]) -> None:
    scores = evaluate(*made, metric_names=["psnr"], degradation="noise(sigma=0)", name="exact").scores
    assert [image.degraded["psnr"] for image in scores.images] == [120.0, 120.0]
    assert "120" in scores.metrics["psnr"].protocol


def test_another_degradation_can_be_asked_for(made: tuple[Path, Path]) -> None:
    scores = evaluate(*made, metric_names=["psnr"], degradation="noise(sigma=0.3)", name="strong").scores
    assert scores.degradation == "noise(sigma=0.3, clip=True), seed 0"
    assert scores.images[0].degraded["psnr"] < 14


def test_two_images_of_one_stem_are_refused(made: tuple[Path, Path], tmp_path: Path) -> None:
    photographs_in(tmp_path / "double", 1)
    Image.open(tmp_path / "double" / "photo0.png").save(tmp_path / "double" / "photo0.jpg")
    with pytest.raises(ImageError, match=r"photo0.jpg and photo0.png .*rename one"):
        evaluate(made[0], tmp_path / "double")


def test_wrong_weights_and_wrong_folders_are_named(made: tuple[Path, Path], tmp_path: Path) -> None:
    run, data = made
    with pytest.raises(RunError, match="is not a run folder"):
        evaluate(data, data)
    with pytest.raises(ImageError, match="does not exist"):
        evaluate(run, tmp_path / "nowhere")
    with pytest.raises(SpecError, match="did you mean 'psnr'"):
        evaluate(run, data, metric_names=["pnsr"])
    other = trained_run(tmp_path / "other", data, steps=1)
    weights = RunFolder(other).latest_weights()[1]
    tensors = load_file(weights)
    save_file({name: tensor for name, tensor in tensors.items() if name != "head.weight"}, weights)
    with pytest.raises(RunError, match="belongs to another network"):
        evaluate(other, data)
    weights.write_bytes(b"not a safetensors file")
    with pytest.raises(RunError, match="is not a safetensors file"):
        evaluate(other, data)
    save_file({name: tensor * float("nan") for name, tensor in tensors.items()}, weights)
    with pytest.raises(RunError, match="not finite"):
        evaluate(other, data)
    weights.unlink()
    with pytest.raises(RunError, match="has no weights yet"):
        evaluate(other, data)


def test_a_damaged_image_is_named_or_skipped(made: tuple[Path, Path], tmp_path: Path) -> None:
    data = photographs_in(tmp_path / "some", 2)
    write_image(data / "third.png", torch.rand(3, 40, 40))
    (data / "photo0.png").write_bytes((data / "photo0.png").read_bytes()[:200])
    with pytest.raises(ImageError, match="photo0.png"):
        evaluate(made[0], data, metric_names=["psnr"])
    evaluation = evaluate(made[0], data, metric_names=["psnr"], skip_damaged=True)
    assert [image.name for image in evaluation.scores.images] == ["photo1.png", "third.png"]
    assert any("photo0.png left out" in note for note in evaluation.notes)
