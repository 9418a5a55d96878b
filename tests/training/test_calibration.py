"""Weights by gradient norms: closed forms, weights measured again, features ten times as large, and what is refused."""

import math
from pathlib import Path
from statistics import median

import pytest
import torch

from pdloss.errors import RunError, SpecError
from pdloss.images import read_image, write_image
from pdloss.losses import objective
from pdloss.runs import RunFolder
from pdloss.training.calibration import calibrate, calibrated_weights, measured_norms, wanted_shares
from pdloss.training.configuration import CalibrateConfig
from tests.runs_for_tests import photographs_in, trained_run

PDL = "pdl(features='distilled.relu3_3')"
BATCHES, BATCH, CROP = 3, 2, 16

OWN = """
import torch
import torch.nn.functional as F
from pdloss.losses import PerceptualLoss

class Features(torch.nn.Module):
    def __init__(self, scale):
        super().__init__()
        kernel = torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(1))
        self.register_buffer("kernel", kernel * scale)
    def forward(self, images):
        return F.conv2d(images, self.kernel)

class Own(PerceptualLoss):
    def __init__(self, scale=1.0):
        super().__init__(Features(scale))

class Dead:  # behind a ReLU that is off everywhere
    def __call__(self, restored, target):
        return F.relu(restored - 1000).mean()

class Deaf:
    def __call__(self, restored, target):
        return target.mean()

class Endless:
    def __call__(self, restored, target):
        return (restored - restored.detach()).abs().sqrt().mean()

class Sometimes:
    calls = 0
    def __call__(self, restored, target):
        Sometimes.calls += 1
        return restored.mean() * (Sometimes.calls % 3 == 0)
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two small pictures."""
    return photographs_in(tmp_path_factory.mktemp("data") / "photographs")


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on pixels alone, with a network, crop and degradation that are not the task's."""
    return trained_run(tmp_path_factory.mktemp("runs") / "l1", data, steps=5)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of a user's own, in the working folder."""
    (tmp_path / "own_terms.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "own_terms"


def config(data: Path, loss: str, *share: float, **changes: object) -> CalibrateConfig:
    small = {"network": "edsr(blocks=1, width=8, unshuffle=2)", "batches": BATCHES, "batch": BATCH, "crop": CROP}
    return CalibrateConfig(
        data=str(data), loss=loss, share=share, **{**small, "device": "cpu", "typed": True, **changes}
    )


def weights_of(*args: object, **changes: object) -> list[float]:
    return [weight for weight, _ in calibrate(config(*args, **changes)).objective.terms]


@pytest.mark.parametrize(
    ("loss", "share"),
    [
        (f"l1 + {PDL}", (0.7,)),
        (f"l1 + {PDL}", (0.995, 0.005)),
        (f"2*l1 + {PDL} + perceptual(features='distilled.relu4_3') + l2", (0.1, 0.2, 0.3, 0.4)),
    ],
)
def test_with_the_weights_printed_each_term_has_its_share(data: Path, loss: str, share: tuple[float, ...]) -> None:
    found = calibrate(config(data, loss, *share))
    again, _ = measured_norms(config(data, "l1 + l2", 0.5), objective(str(found.objective)))
    pulls = [median(values) for values in again.values()]
    expected = [1 - share[0], share[0]] if len(share) == 1 else share
    # Three significant digits are half a percent off at most.
    assert [pull / sum(pulls) for pull in pulls] == pytest.approx(expected, rel=0.006)
    assert [term.share for term in found.terms] == pytest.approx(expected, rel=0.006)


def test_the_norms_are_those_of_the_closed_form(data: Path) -> None:
    l1, l2 = calibrate(config(data, "l1 + 7*l2", 0.5)).terms
    values = BATCH * 3 * CROP**2
    # A mean over N absolute differences has N slopes of 1/N: the norm is 1/√N.
    assert l1.norm == l1.low == l1.high == pytest.approx(1 / math.sqrt(values), rel=1e-5)
    # A mean over N squares d² has slopes 2d/N: the norm is 2·√(mean d²)/√N.
    assert l2.norm < 2 / math.sqrt(values)
    squares, _ = measured_norms(config(data, "l1 + l2", 0.5), objective("l2"))
    assert l2.norm == median(squares["l2"])
    assert l2.low < l2.norm < l2.high


def test_features_ten_times_as_large_get_a_tenth_of_the_weight(data: Path, own: str) -> None:
    once, tenfold = (weights_of(data, f"l1 + {own}:Own(scale={scale})", 0.6)[1] for scale in (1.0, 10.0))
    assert tenfold == pytest.approx(once / 10, rel=0.006)
    assert once > 0


def test_the_first_weight_is_kept_and_the_others_in_the_text_play_no_part(data: Path) -> None:
    plain = weights_of(data, f"l1 + {PDL}", 0.7)
    assert plain[0] == 1.0
    assert weights_of(data, f"l1 + 5*{PDL}", 0.7) == plain
    double = weights_of(data, f"2*l1 + 0*{PDL}", 0.7)
    assert double[0] == 2.0
    assert double[1] == pytest.approx(2 * plain[1], rel=0.01)


def test_the_text_is_ready_for_training(data: Path) -> None:
    text = str(calibrate(config(data, f"l1 + {PDL}", 0.7)).objective)
    weight = text.removeprefix("l1 + ").removesuffix(f"*{PDL}")
    assert f"{float(weight):.3g}" == weight
    assert str(objective(text)) == text


def test_the_seed_alone_decides(data: Path) -> None:
    first = calibrate(config(data, f"l1 + {PDL}", 0.7, seed=3))
    torch.rand(5)
    assert calibrate(config(data, f"l1 + {PDL}", 0.7, seed=3)) == first
    assert calibrate(config(data, f"l1 + {PDL}", 0.7, seed=4)).terms[1].norm != first.terms[1].norm


def test_one_batch_has_no_spread(data: Path) -> None:
    term = calibrate(config(data, f"l1 + {PDL}", 0.7, batches=1)).terms[1]
    assert term.low == term.norm == term.high > 0


def test_a_run_brings_its_network_degradation_and_crop(data: Path, run: Path) -> None:
    bare = {"network": None, "crop": None, "init": run}
    by_run = calibrate(config(data, f"l1 + {PDL}", 0.7, **bare))
    said = {"network": "edsr(blocks=1, width=8, unshuffle=2)", "crop": 16, "degradation": "noise(sigma=0.1)"}
    file = RunFolder(run).latest_weights()[1]
    asked = calibrate(config(data, f"l1 + {PDL}", 0.7, init=file, **said))
    assert asked.terms == by_run.terms
    assert by_run.notes == [f"degraded by noise(sigma=0.1, clip=True), as {run} was trained"]
    fresh = calibrate(config(data, f"l1 + {PDL}", 0.7, **said))
    assert fresh.terms[1].norm != by_run.terms[1].norm


def test_nothing_is_trained(data: Path, run: Path) -> None:
    file = RunFolder(run).latest_weights()[1]
    before = (file.read_bytes(), sorted(run.rglob("*")))
    calibrate(config(data, f"l1 + {PDL}", 0.7, init=run, network=None))
    assert (file.read_bytes(), sorted(run.rglob("*"))) == before


def test_damaged_files_can_be_left_out_with_a_note(data: Path, tmp_path: Path) -> None:
    folder = photographs_in(tmp_path / "some")
    write_image(folder / "small.png", torch.rand(3, 8, 8))
    found = calibrate(config(folder, f"l1 + {PDL}", 0.7, skip_damaged=True))
    assert found.notes[1].startswith("small.png left out: ")
    assert "8x8" in found.notes[1]


@pytest.mark.parametrize(
    ("given", "names", "message"),
    [
        ((0.5,), ["pdl"], "pdl alone has nothing to be weighed against"),
        ((0.0,), ["l1", "pdl"], "--share 0: each share must lie between 0 and 1"),
        ((1.0,), ["l1", "pdl"], "--share 1: each"),
        ((math.nan,), ["l1", "pdl"], "--share nan: each"),
        ((-0.2, 1.2), ["l1", "pdl"], "--share -0.2 1.2: each"),
        ((0.3, 0.3), ["l1", "pdl"], "--share 0.3 0.3: the shares must add up to 1, not 0.6"),
        ((0.5,), ["l1", "pdl", "l2"], "expected one share for each of l1, pdl, l2, got 1"),
        ((), ["l1", "pdl"], "got 0"),
    ],
)
def test_shares_that_make_no_sense_are_refused(given: tuple[float, ...], names: list[str], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        wanted_shares(given, names)


def test_shares_may_be_rounded_as_floating_point_does() -> None:
    assert wanted_shares([0.1] * 10, [str(i) for i in range(10)]) == [0.1] * 10


def test_weights_are_rounded_to_three_digits() -> None:
    assert calibrated_weights([1.0, 3.0, 7e5], [0.25, 0.5, 0.25], 1.23456) == [1.23456, 0.823, 1.76e-6]


@pytest.mark.parametrize(
    ("term", "message"),
    [
        ("Dead", "'Dead' is zero at the restored images on 3 of 3 batches.*ReLU"),
        ("Deaf", "'Deaf' is zero at the restored images on 3 of 3 batches"),
        ("Sometimes", "'Sometimes' is zero at the restored images on 2 of 3 batches"),
        ("Endless", "'Endless' is not finite"),
    ],
)
def test_a_term_that_no_weight_can_balance_is_named(data: Path, own: str, term: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        calibrate(config(data, f"l1 + {own}:{term}", 0.5))


@pytest.mark.parametrize(
    ("loss", "changes", "error", "message"),
    [
        ("pdl", {}, SpecError, "alone"),
        ("0*l1 + l2", {}, SpecError, "first term of '0\\*l1 \\+ l2' keeps its weight, which must not be 0"),
        ("l1 + l2", {"batches": 0}, SpecError, "--batches must be at least 1, got 0"),
        ("l1 + l2", {"batch": -2}, SpecError, "--batch must be at least 1, got -2"),
        ("l1 + l2", {"crop": 0}, SpecError, "--crop must be at least 1, got 0"),
        ("l1 + l2", {"task": "denoize"}, SpecError, "did you mean 'denoise'"),
        ("l1 + l2", {"degradation": "nose"}, SpecError, "did you mean 'noise'"),
        (
            "l1 + pdl(features='distilled.relu4_3')",
            {"crop": 4},
            SpecError,
            "crops of 4 pixels, .*too small",
        ),
        ("l1 + l2", {"init": Path("nowhere.safetensors")}, RunError, "nowhere.safetensors does not exist"),
    ],
)
def test_a_mistake_is_named(data: Path, loss: str, changes: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        calibrate(config(data, loss, 0.5, **changes))


def test_a_loss_that_needs_larger_crops_is_refused_before_a_photograph_is_read(data: Path) -> None:
    def said(label: str, done: int, total: int) -> None:
        pytest.fail(f"{label} {done}")

    with pytest.raises(SpecError, match="cannot be computed on crops of 16 pixels, which --crop sets"):
        calibrate(config(data, "l1 + ms_ssim", 0.7), said)


def test_pairs_are_measured_as_they_are_given(data: Path, run: Path, tmp_path: Path) -> None:
    for path in data.iterdir():
        write_image(tmp_path / "same" / path.name, read_image(path))
        write_image(tmp_path / "black" / path.name, torch.zeros(3, 40, 50))
    norms = {}
    for name in ("same", "black"):
        config = CalibrateConfig(
            data=str(data), degraded=str(tmp_path / name), loss="l2 + l1", share=(0.5,), init=run, batches=1, batch=2
        )
        norms[name] = calibrate(config).terms[0].norm
    assert norms["black"] > 1.5 * norms["same"]


def test_a_run_on_pairs_needs_to_be_told_what_to_degrade(data: Path, tmp_path: Path) -> None:
    run = trained_run(tmp_path / "run", data, degradation=None, degraded=str(data), steps=1)
    config = CalibrateConfig(data=str(data), loss="l1 + l2", share=(0.5,), init=run, batches=1, batch=2)
    with pytest.raises(SpecError, match=r"was trained on the pairs of .*: give --degraded, or --degradation"):
        calibrate(config)
