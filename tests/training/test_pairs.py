"""Training on pairs that came as pairs: recorded, resumed bit for bit, validated, and evaluated as what they are."""

from pathlib import Path

import pytest
import torch

from pdloss.datasets import Photographs
from pdloss.degradations import degradation
from pdloss.errors import ImageError, RunError, SpecError
from pdloss.evaluation import evaluate
from pdloss.images import read_image, to_bytes, write_image
from pdloss.ops.streams import generator
from pdloss.records import Scores, read_log, read_record
from pdloss.restoration import restore_files
from pdloss.runs import RunFolder
from pdloss.training.configuration import TrainConfig
from pdloss.training.loop import train
from pdloss.training.recording import repeated
from pdloss.training.watching import Watcher
from tests.runs_for_tests import SMALL, assert_same_bits, final_weights, photographs_in
from tests.training.test_resume import StopAt


def real_set(folder: Path, part: str, factor: int = 1) -> Path:
    """Two scenes in the layout of GoPro: photographs, and beside them blurred ones of the same names."""
    for scene in range(2):
        place = folder / part / f"scene{scene}"
        photographs_in(place / "sharp", 2, height=40 + 4 * scene, width=48)
        for path in sorted((place / "sharp").iterdir()):
            small = torch.nn.functional.avg_pool2d(read_image(path), factor) if factor > 1 else read_image(path)
            write_image(place / "blur" / path.name, (small + small.roll(2, -1)) / 2)
    return folder / part


def options(train_part: Path, out: Path, **changes: object) -> TrainConfig:
    pairs = {"data": str(train_part / "*" / "sharp"), "degraded": str(train_part / "*" / "blur")}
    return TrainConfig(out=out, **{**SMALL, "loss": "l1", "steps": 6, "log_every": 2, **pairs, **changes})


def test_a_run_on_pairs_resumes_bit_for_bit_and_says_what_it_was_trained_on(tmp_path: Path) -> None:
    part = real_set(tmp_path / "set", "train")
    state = train(options(part, tmp_path / "whole"))
    assert state.step == 6
    assert train(options(part, tmp_path / "parts"), StopAt(3)).step == 3
    moved = part.rename(part.with_name("moved"))
    assert train(options(moved, tmp_path / "parts", workers=1)).step == 6
    part = moved.rename(part)
    assert_same_bits(final_weights(tmp_path / "whole"), final_weights(tmp_path / "parts"))
    record = RunFolder(tmp_path / "whole").record()
    assert (record.degraded, record.degradation) == (str(part / "*" / "blur"), "given(factor=1)")
    assert record.images == 4
    with pytest.raises(SpecError, match=r"whole was trained on the pairs of .*blur: give --degraded, or --degradation"):
        train(options(part, tmp_path / "whole", degraded=None))
    with pytest.raises(RunError, match=r"another configuration; .*degradation was 'given\(factor=1\)', is 'noise"):
        train(options(part, tmp_path / "whole", degraded=None, degradation="noise"))
    write_image(part / "scene0" / "blur" / "photo0.png", torch.rand(3, 40, 48))
    changed = r"1 changed \(degraded: scene0/blur/photo0.png\)"
    with pytest.raises(RunError, match=rf"cannot go on: the photographs in .* are not those .*: {changed}"):
        train(options(part, tmp_path / "whole", steps=6))
    again = repeated(record)
    assert (again.degraded, again.degradation, again.data) == (record.degraded, None, record.data)


def test_the_network_is_given_the_pictures_and_compared_with_their_targets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dim.py").write_text(
        "import torch\n"
        "class Net(torch.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.gain = torch.nn.Parameter(torch.tensor(1.0))\n"
        "    def forward(self, x):\n"
        "        return self.gain * x\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    part = real_set(tmp_path / "set", "train")
    for path in part.glob("*/sharp/*.png"):
        write_image(part / path.parent.parent.name / "blur" / path.name, read_image(path) / 2)
    train(options(part, tmp_path / "run", network="dim:Net", typed=True, lr=0.05, steps=60, log_every=1))
    assert final_weights(tmp_path / "run")["gain"].item() == pytest.approx(
        2, abs=0.05
    )  # the given ones are half as bright
    assert read_log(tmp_path / "run" / "log.jsonl")[-1].total < 0.02


@pytest.mark.parametrize("factor", [1, 2])
def test_pairs_are_validated_and_evaluated_as_they_are(factor: int, tmp_path: Path) -> None:
    part, test = (real_set(tmp_path / "set", name, factor) for name in ("train", "test"))
    network = f"edsr(blocks=1, width=8, scale={factor})"
    given = {"valid": test / "*" / "sharp", "valid_degraded": test / "*" / "blur", "network": network}
    run = tmp_path / "run"
    train(options(part, run, task="sr" if factor > 1 else "denoise", **given))
    last = read_log(run / "log.jsonl")[-1].valid["psnr"]
    with pytest.raises(
        RunError, match=r"was trained on the pairs of .*\*/blur: name the degraded photographs .*--degraded"
    ):
        evaluate(run, test / "*" / "sharp", metric_names=["psnr"])
    evaluation = evaluate(run, test / "*" / "sharp", degraded=test / "*" / "blur", metric_names=["psnr", "consistency"])
    scores = read_record(run / "scores" / "test.json", Scores)
    assert scores.images == evaluation.scores.images
    names = [f"scene{scene}/sharp/photo{number}.png" for scene in range(2) for number in range(2)]
    assert [image.name for image in scores.images] == names
    mean = sum(image.restored["psnr"] for image in scores.images) / 4
    assert mean == pytest.approx(last, abs=1e-3)
    assert scores.degradation.startswith("as given in blur, contents ")
    assert ("bicubic enlargement" in scores.degradation) == (factor > 1)
    for name in names:
        assert read_image(run / "restored" / "test" / name).shape == read_image(test / name).shape
        wanted = to_bytes(read_image(test / name.replace("sharp", "blur")))
        assert torch.equal(to_bytes(read_image(run / "degraded" / "test" / name)), wanted)
    again = evaluate(run, test / "*" / "sharp", degraded=test / "*" / "blur", metric_names=["psnr"])
    assert any("scored already and unchanged" in note for note in again.notes)
    write_image(test / "scene0" / "blur" / "photo0.png", torch.rand(3, 40 // factor, 48 // factor))
    changed = evaluate(run, test / "*" / "sharp", degraded=test / "*" / "blur", metric_names=["psnr"])
    assert changed.scores.degradation != scores.degradation


def test_options_that_exclude_or_need_each_other_are_named(tmp_path: Path) -> None:
    part = real_set(tmp_path / "set", "train")
    for message, changes in {
        r"--degradation 'noise' has no effect on the pairs of --degraded": {"degradation": "noise"},
        r"--valid .* needs its degraded photographs too: name them with --valid-degraded": {"valid": part},
        r"--valid-degraded .* needs its targets: name them with --valid": {"valid_degraded": part},
    }.items():
        with pytest.raises(SpecError, match=message):
            train(options(part, tmp_path / "run", **changes))
    run = tmp_path / "done"
    train(options(part, run, steps=1))
    with pytest.raises(SpecError, match=r"--degradation 'noise' has no effect on the pairs of .*; leave one out"):
        evaluate(run, part / "*" / "sharp", degraded=part / "*" / "blur", degradation="noise")


def test_a_run_on_pairs_is_evaluated_on_a_degradation_that_is_named(tmp_path: Path) -> None:
    part = real_set(tmp_path / "set", "train")
    train(options(part, tmp_path / "run", steps=1))
    scores = evaluate(
        tmp_path / "run", part / "*" / "sharp", degradation="noise(sigma=0.1)", metric_names=["psnr"]
    ).scores
    assert scores.degradation.startswith("noise(sigma=0.1")
    photographs = Photographs(part / "*" / "sharp")
    clean = photographs[0].float() / 255
    noisy = degradation("noise(sigma=0.1)")(clean, generator(0, photographs.names[0]))
    kept = read_image(tmp_path / "run" / "degraded" / "train" / photographs.names[0])
    assert torch.equal(to_bytes(kept), to_bytes(noisy))


def test_the_layout_of_pairs_is_refused_where_all_would_be_taken_for_clean(tmp_path: Path) -> None:
    part = real_set(tmp_path / "set", "train")
    for data in (part, part.parent):
        with pytest.raises(ImageError, match=r"holds pairs, \*/blur beside \*/sharp"):
            train(TrainConfig(data=str(data), out=tmp_path / "run", **SMALL))


class Told(Watcher):
    """What is said before the first step, and whether photographs were read."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.read = 0

    def loading(self, done: int, total: int) -> None:
        self.read = done

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "l1 + ms_ssim"}, "loss cannot be computed on crops of 16 pixels"),
        ({"network": "edsr(blocks=1, width=8)"}, r"does not fit given\(factor=2\): input, output and target"),
        ({"crop": 15}, "a crop of 15 pixels cannot be degraded 2 times smaller"),
    ],
)
def test_what_does_not_fit_pairs_is_refused_before_they_are_read(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    part, told = real_set(tmp_path / "set", "train", factor=2), Told()
    with pytest.raises(SpecError, match=message):
        train(options(part, tmp_path / "run", **{"network": "edsr(blocks=1, width=8, scale=2)", **changes}), told)
    assert told.read == 0
    assert not (tmp_path / "run").exists()


def test_pairs_whose_first_is_left_out_have_the_scale_of_the_others(tmp_path: Path) -> None:
    part = real_set(tmp_path / "set", "train", factor=2)
    for half in ("sharp", "blur"):  # too small for the crop, and of another scale
        write_image(part / "scene0" / half / "photo0.png", torch.rand(3, 12, 12))
    with pytest.raises(SpecError, match=r"does not fit given\(factor=2\)"):
        train(options(part, tmp_path / "run", skip_damaged=True))
    assert not (tmp_path / "run").exists()


def test_a_run_on_pairs_goes_on_without_a_word_and_the_next_needs_to_be_told_what_degrades(tmp_path: Path) -> None:
    part, told = real_set(tmp_path / "set", "train"), Told()
    train(options(part, tmp_path / "run"), StopAt(3))
    train(options(part, tmp_path / "run"), told)
    assert told.notes == []
    weights = RunFolder(tmp_path / "run").latest_weights()[1]
    for init, said in ((tmp_path / "run", "the pairs of .*blur"), (weights, "pairs")):
        with pytest.raises(SpecError, match=rf"was trained on {said}: give --degraded, or --degradation"):
            train(TrainConfig(data=str(part / "*" / "sharp"), out=tmp_path / "next", init=init, **SMALL))
    assert train(options(part, tmp_path / "next", init=weights, steps=1)).step == 1


def test_the_two_halves_of_pairs_in_one_folder_stay_in_the_cache_beside_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PDLOSS_CACHE", str(tmp_path / "cache"))
    part = real_set(tmp_path / "set", "train")
    train(options(part, tmp_path / "run", steps=1))
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache" / "decoded").glob("*.rgb")}
    assert len(kept) == 2
    train(options(part, tmp_path / "other", steps=1))
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache" / "decoded").glob("*.rgb")} == kept


def test_a_model_trained_on_pairs_restores_pictures(tmp_path: Path) -> None:
    part = real_set(tmp_path / "set", "train")
    train(options(part, tmp_path / "run", steps=1))
    picture = part / "scene0" / "blur" / "photo0.png"
    for model in (tmp_path / "run", RunFolder(tmp_path / "run").latest_weights()[1]):
        (done,) = restore_files(picture, model, tmp_path / "out")
        assert read_image(done.written).shape == read_image(picture).shape
    with pytest.raises(SpecError, match=r"takes no mosaics; it was trained for given\(factor=1\)"):
        next(restore_files(picture, tmp_path / "run", tmp_path / "out", mosaic=True))
