"""Evaluation: what is written, what the numbers are, what is said when one cannot be had, what is not done twice."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from skimage.metrics import peak_signal_noise_ratio

from pdloss.assets import sha256
from pdloss.datasets import Photographs
from pdloss.degradations import degradation, parse
from pdloss.errors import ImageError, RunError, SpecError
from pdloss.evaluation import evaluate, scoring
from pdloss.evaluation.consistency import consistency
from pdloss.evaluation.defaults import Demosaic
from pdloss.evaluation.frozen_sets import freeze
from pdloss.images import pixels_sha256, read_image, to_bytes, write_image
from pdloss.metrics.sets import SetEntry
from pdloss.ops.bayer import bayer_plane, demosaic_bilinear, demosaic_malvar
from pdloss.ops.resize import resize
from pdloss.ops.streams import generator
from pdloss.records import Metric, Scores, SetScore, read_record
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
        assert image.target_sha256 == pixels_sha256(to_bytes(read_image(data / image.name)))
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
    scores = evaluate(run, data, metric_names=["psnr", "consistency"]).scores
    shapes = [
        np.array(Image.open(run / kind / "photographs" / "photo0.png")).shape for kind in ("degraded", "restored")
    ]
    assert shapes == [(21, 25, 3), (42, 50, 3)], "the row that the factor leaves over is gone"
    degraded = read_image(run / "degraded" / "photographs" / "photo0.png")
    bicubic = to_bytes(resize(degraded[None], (42, 50))[0]).permute(1, 2, 0).numpy()
    target = np.array(Image.open(data / "photo0.png"))[:42]
    assert scores.images[0].degraded["psnr"] == pytest.approx(peak_signal_noise_ratio(target, bicubic), abs=1e-3)
    restored = read_image(run / "restored" / "photographs" / "photo0.png")
    small = to_bytes(degradation("downscale(factor=2)")(restored, torch.Generator()))
    wanted = peak_signal_noise_ratio(to_bytes(degraded).numpy(), small.numpy())
    assert scores.images[0].restored["lr_psnr"] == pytest.approx(wanted, abs=0.01)
    assert scores.images[0].degraded["lr_psnr"] > wanted, "what was only enlarged shrinks back to what it was"


@pytest.mark.parametrize(
    ("demosaic", "baseline", "said"),
    [
        ("malvar", demosaic_malvar, "demosaicing by Malvar, He and Cutler"),
        ("bilinear", demosaic_bilinear, "bilinear demosaicing"),
    ],
)
def test_demosaicing_is_scored_beside_that_without_a_network(
    tmp_path: Path, demosaic: Demosaic, baseline: Callable[[torch.Tensor], torch.Tensor], said: str
) -> None:
    data = photographs_in(tmp_path / "photographs")
    run = trained_run(tmp_path / "run", data, task="demosaic", degradation="mosaic(noise=0.0)")
    scores = evaluate(run, data, metric_names=["psnr"], demosaic=demosaic).scores
    assert scores.degradation.endswith(f"; the input is scored after {said}")
    mosaic = bayer_plane(read_image(data / "photo0.png"))
    simple = to_bytes(baseline(mosaic)).permute(1, 2, 0).numpy()
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
    with pytest.raises(ImageError, match="none of the metrics can be had: .*lpips left out"):
        evaluate(*made, metric_names=["lpips"], name="nothing")
    assert not (made[0] / "restored" / "nothing").exists()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("noise(sigma=0.05..0.1)", ["noise_correlation"]),
        ("blur(support=3..7) | noise(sigma=0..0.02)", ["reblur_psnr", "noise_correlation"]),
        ("jpeg(quality=10..30)", ["jpeg_cell_share"]),
        ("mosaic(noise=0)", ["remosaic_error"]),
    ],
)
def test_consistency_is_that_of_the_pictures_on_disk_with_what_each_drew(
    made: tuple[Path, Path], text: str, names: list[str]
) -> None:
    run, data = made
    scores = evaluate(run, data, metric_names=["consistency"], degradation=text, name="drawn", seed=3).scores
    assert list(scores.metrics) == names
    for image in scores.images:
        chain = parse(text).drawn(generator(3, image.name))
        restored, degraded = (read_image(run / kind / "drawn" / image.name)[None] for kind in ("restored", "degraded"))
        wanted = consistency(chain, restored, degraded)
        assert image.restored == {name: pytest.approx(value.item(), rel=1e-5) for name, value in wanted.items()}
        assert image.degraded.keys() == image.restored.keys()


def test_consistency_is_the_same_with_a_frozen_set(made: tuple[Path, Path], tmp_path: Path) -> None:
    run, data = made
    text = "blur(support=3..7) | noise(sigma=0..0.02)"
    freeze(Photographs(data), text, tmp_path / "frozen", seed=3)
    ours = evaluate(run, data, metric_names=["consistency"], degradation=text, name="fly", seed=3).scores
    theirs = evaluate(run, data, metric_names=["consistency"], degraded=tmp_path / "frozen", name="frozen").scores
    for one, other in zip(ours.images, theirs.images, strict=True):
        assert one.degraded == pytest.approx(other.degraded, rel=1e-5)
        assert one.restored == pytest.approx(other.restored, rel=0.02), "the network saw the input before rounding"


def test_an_input_from_which_nothing_was_removed_is_not_taken_for_white_noise(made: tuple[Path, Path]) -> None:
    scores = evaluate(*made, metric_names=["consistency"], name="white").scores
    for image in scores.images:
        assert image.degraded["noise_correlation"] == 1
        assert image.restored["noise_correlation"] < 0.5


@pytest.mark.parametrize(
    ("text", "side", "said"),
    [
        ("jpeg | noise", 40, "consistency left out: there is no such score for jpeg | noise"),
        ("jpeg", 12, "jpeg_cell_share left out: it needs 16 pixels a side, the smallest image has 12"),
    ],
)
def test_where_there_is_no_consistency_it_is_left_out_with_a_note(
    made: tuple[Path, Path], tmp_path: Path, text: str, side: int, said: str
) -> None:
    data = photographs_in(tmp_path / "some", 1, height=side)
    evaluation = evaluate(made[0], data, metric_names=["psnr", "consistency"], degradation=text)
    assert list(evaluation.scores.metrics) == ["psnr"]
    assert said in evaluation.notes


class Colour:
    """A measure of sets: the spread of the mean red of restored images, and how many there were."""

    def __init__(self):
        self.reds = []

    def update(self, restored, target):
        assert torch.equal(restored, (restored * 255).round() / 255), "rounded to 8 bits"
        self.reds.append(restored[:, 0].mean().item())

    def compute(self):
        return SetScore(value=max(self.reds) - min(self.reds), note=f"{len(self.reds)} images")


def test_scores_of_whole_sets_are_those_of_the_pictures(
    made: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, data = made
    record = Metric(label="Red", better="lower", protocol="red")
    monkeypatch.setitem(scoring.SET_METRICS, "red", SetEntry(record, Colour))
    scores = evaluate(run, data, metric_names=["psnr", "red"], name="sets").scores
    assert scores.set_metrics == {"red": record}
    for kind, found in (("restored", scores.sets), ("degraded", scores.degraded_sets)):
        reds = [np.array(Image.open(run / kind / "sets" / f"photo{i}.png"))[..., 0].mean() / 255 for i in range(2)]
        assert found["red"].value == pytest.approx(max(reds) - min(reds), abs=1e-5)
        assert found["red"].note == "2 images"
    assert read_record(run / "scores" / "sets.json", Scores) == scores


def test_scores_say_of_which_weights_targets_and_pictures_they_are(made: tuple[Path, Path]) -> None:
    run, data = made
    scores = evaluate(run, data, metric_names=["psnr"], name="hashes").scores
    assert scores.weights_sha256 == sha256(RunFolder(run).latest_weights()[1])
    assert [image.restored_sha256 for image in scores.images] == [
        sha256(run / "restored" / "hashes" / image.name) for image in scores.images
    ]
    assert len(scores.targets_sha256 or "") == 64


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


def test_pictures_that_differ_in_their_suffix_only_are_kept_apart(made: tuple[Path, Path], tmp_path: Path) -> None:
    photographs_in(tmp_path / "double", 1)
    Image.open(tmp_path / "double" / "photo0.png").save(tmp_path / "double" / "photo0.jpg", quality=20)
    scores = evaluate(made[0], tmp_path / "double", metric_names=["psnr"]).scores
    assert [image.name for image in scores.images] == ["photo0.jpg", "photo0.png"]
    kept = made[0] / "restored" / "double"
    assert sorted(path.name for path in kept.iterdir()) == ["photo0.jpg.png", "photo0.png"]
    assert scores.images[0].restored_sha256 == sha256(kept / "photo0.jpg.png")
    assert (kept / "photo0.jpg.png").read_bytes() != (kept / "photo0.png").read_bytes()
    shutil.copy(tmp_path / "double" / "photo0.png", tmp_path / "double" / "photo0.PNG")
    with pytest.raises(
        ImageError, match=r"photo0\.PNG and photo0\.png would both be written as photo0\.png; rename one"
    ):
        evaluate(made[0], tmp_path / "double", metric_names=["psnr"])


def test_equal_names_in_different_folders_are_mirrored(made: tuple[Path, Path], tmp_path: Path) -> None:
    for scene in ("one", "two"):
        photographs_in(tmp_path / "scenes" / scene, 1, height=40 if scene == "one" else 44)
    scores = evaluate(made[0], tmp_path / "scenes", metric_names=["psnr"]).scores
    assert [image.name for image in scores.images] == ["one/photo0.png", "two/photo0.png"]
    for name, height in (("one/photo0.png", 40), ("two/photo0.png", 44)):
        for kind in ("restored", "degraded"):
            assert read_image(made[0] / kind / "scenes" / name).shape == (3, height, 50)
    again = evaluate(made[0], tmp_path / "scenes", metric_names=["psnr"])
    assert any("scored already and unchanged" in note for note in again.notes)


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


def test_photographs_that_were_trained_on_are_warned_of(tmp_path: Path) -> None:
    data = photographs_in(tmp_path / "photographs")
    run = trained_run(tmp_path / "run", data, steps=1)
    (warning,) = [note for note in evaluate(run, data, metric_names=["psnr"]).notes if "trained on" in note]
    assert warning.startswith(f"warning: 2 of the photographs in {data} seem to be trained on too")
    other = tmp_path / "other"
    write_image(other / "new.png", torch.rand(3, 24, 24, generator=torch.Generator().manual_seed(5)))
    assert not [note for note in evaluate(run, other, metric_names=["psnr"]).notes if "trained on" in note]
