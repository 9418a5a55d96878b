"""Distillation: a small network learns another's maps, and the file says truly how well."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from pdloss import datasets, features
from pdloss.errors import SpecError
from pdloss.features import DistilledFeatures
from pdloss.features.distilled import DistilledNetwork
from pdloss.images import write_image
from pdloss.training.configuration import DistillConfig
from pdloss.training.distillation import (
    degrade,
    distill,
    heads_of,
    training_error,
    with_batch_norm,
    without_batch_norm,
)

SMALL = {"widths": (12, 16), "blocks": (0, 1), "batch": 8, "crop": 16, "reuse": 2, "lr": 1e-2}


class Teacher(nn.Module):
    """A random network with one rectified and one signed map at half the side, and one rectified at a quarter."""

    def __init__(self) -> None:
        super().__init__()
        stream = torch.Generator().manual_seed(0)
        self.register_buffer("first", 30 * torch.randn(6, 3, 3, 3, generator=stream))
        self.register_buffer("second", torch.randn(8, 6, 3, 3, generator=stream))
        self.origin = {"random-weights": "sha256 …"}
        self.calls = 0

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        self.calls += 1
        signed = F.conv2d(F.avg_pool2d(images, 2) - 0.4, self.first, padding=1)
        deep = F.relu(F.conv2d(F.avg_pool2d(F.relu(signed), 2), self.second, padding=1))
        return {"relu2_1": F.relu(signed), "conv2_1": signed, "relu3_1": deep}


class Full(nn.Module):
    """One map of the image's own size, or of a third of it."""

    def __init__(self, divisor: int) -> None:
        super().__init__()
        self.divisor = divisor

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return {"layer": images[..., :: self.divisor, :: self.divisor]}


def make_folder(folder: Path, seed: int) -> Path:
    stream = torch.Generator().manual_seed(seed)
    for index in range(2):
        coarse = torch.rand(1, 3, 9, 9, generator=stream)
        smooth = F.interpolate(coarse, (40, 44), mode="bicubic").clamp(0, 1)
        write_image(folder / f"{index}.png", smooth[0])
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three folders of two small smooth pictures each."""
    base = tmp_path_factory.mktemp("photographs")
    return {name: make_folder(base / name, seed) for seed, name in enumerate(("one", "other", "check"))}


@pytest.fixture(scope="module")
def teacher() -> Iterator[Teacher]:
    """A small teacher that every text names."""
    made = Teacher()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(features, "extractor", lambda *_: made)
        yield made


def configuration(folders: dict[str, Path], out: Path, **changes: object) -> DistillConfig:
    images = (folders["one"], folders["other"])
    return DistillConfig(images=images, check=folders["check"], out=out, **{**SMALL, "steps": 150, **changes})


@pytest.fixture(scope="module")
def learnt(folders: dict[str, Path], teacher: Teacher, tmp_path_factory: pytest.TempPathFactory):
    """One whole distillation: its configuration, errors in the end, errors while training, calls of the teacher."""
    config = configuration(folders, tmp_path_factory.mktemp("learnt") / "small.safetensors")
    steps, before = [], teacher.calls
    errors = distill(config, lambda step, said: steps.append((step, dict(said))))
    return config, errors, steps, teacher.calls - before


def test_the_error_falls_far_below_that_of_saying_nothing(learnt) -> None:
    _, errors, steps, _ = learnt
    assert [step for step, _ in steps] == list(range(1, 151))
    assert set(errors) == {"relu2_1", "conv2_1", "relu3_1"}
    for layer, error in errors.items():  # an imitation that is zero everywhere has an error of 1
        assert 0 < error < 0.2, layer
        assert error < 0.3 * steps[0][1][layer], layer


def test_the_error_returned_is_that_of_the_file_on_the_held_out_photographs(learnt, teacher: Teacher) -> None:
    config, errors, _, _ = learnt
    photographs = datasets.Photographs(config.check)
    crops = datasets.Crops(photographs, degrade, size=config.crop, seed=config.seed, batch=config.batch)
    images = torch.stack([crops[item].degraded for item in range(512)])
    maps, imitated = teacher(images), DistilledFeatures(weights=config.out)(images)
    for layer, error in errors.items():
        measured = (imitated[layer] - maps[layer]).square().sum() / maps[layer].square().sum()
        assert measured.item() == pytest.approx(error, rel=1e-4), layer


def test_the_file_is_in_half_precision_and_says_what_it_is(learnt) -> None:
    config, errors, _, _ = learnt
    with safe_open(str(config.out), "pt") as file:
        header = file.metadata()
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118
        assert not any("running" in name for name in file.keys())  # noqa: SIM118
    assert json.loads(header["network"]) == {
        "heads": {"relu2_1": [6, 2], "conv2_1": [6, 2], "relu3_1": [8, 4]},
        "widths": [12, 16],
        "blocks": [0, 1],
        "start": 2,
    }
    assert header["input_convention"] == "RGB in 0..1"
    assert header["source"] == "imitates vgg19.relu3_4+relu4_3 (random-weights)"
    assert header["license"] == "Apache-2.0"
    assert header["training"] == "150 steps of 8 crops of 16, seed 0"
    assert json.loads(header["relative_squared_error"]) == {k: round(v, 4) for k, v in errors.items()}
    assert sorted(path.name for path in config.out.parent.iterdir()) == [".pdloss.jsonl", "small.safetensors"]


def test_the_maps_have_the_teacher_s_size_on_any_image(learnt, teacher: Teacher) -> None:
    student = DistilledFeatures(weights=learnt[0].out)
    for height, width in [(4, 4), (5, 11), (17, 6), (31, 33)]:
        image = torch.rand(1, 3, height, width)
        sizes = {layer: x.shape for layer, x in student(image).items()}
        assert sizes == {layer: x.shape for layer, x in teacher(image).items()}


def test_the_teacher_is_asked_once_for_several_steps(learnt) -> None:
    # Once for the sizes, every second step in training, and for each batch of the 512 crops of the check.
    assert learnt[3] == 1 + 150 // 2 + 512 // 8


def test_the_same_choices_give_the_same_file(folders: dict[str, Path], teacher: Teacher, tmp_path: Path) -> None:
    made = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        config = configuration(folders, tmp_path / name / "x.safetensors", steps=3, batch=32, seed=seed)
        torch.rand(7)
        distill(config)
        made.append(load_file(config.out))
    first, again, other = made
    assert all(torch.equal(tensor, again[name]) for name, tensor in first.items())
    assert not all(torch.equal(tensor, other[name]) for name, tensor in first.items())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"widths": (4, 4, 4)}, r"needs 2 widths and blocks, got \(4, 4, 4\) and \(0, 1\)"),
        ({"blocks": (1,)}, r"needs 2 widths and blocks, got \(12, 16\) and \(1,\)"),
        ({"crop": 18}, "relu3_1 gives 4 positions on a side of 18"),
    ],
)
def test_a_student_that_cannot_fit_is_refused(
    changes: dict[str, object], said: str, folders: dict[str, Path], teacher: Teacher, tmp_path: Path
) -> None:
    with pytest.raises(SpecError, match=said):
        distill(configuration(folders, tmp_path / "x.safetensors", **changes))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "changes",
    [
        *({"steps": 0}, {"batch": 0}, {"crop": 9}, {"reuse": 0}, {"lr": 0.0}, {"lr": float("nan")}),
        *({"save_every": 0}, {"differences": -0.1}, {"differences": float("nan")}),
    ],
)
def test_numbers_out_of_range_are_refused_by_their_option(
    changes: dict[str, object], folders: dict[str, Path], tmp_path: Path
) -> None:
    ((name, value),) = changes.items()
    with pytest.raises(SpecError, match=f"--{name.replace('_', '-')} must .*, got {value}"):
        distill(configuration(folders, tmp_path / "x.safetensors", **changes))


@pytest.mark.parametrize("divisor", [1, 3])
def test_layers_at_other_sides_than_halves_of_halves_are_refused(divisor: int) -> None:
    with pytest.raises(SpecError, match=f"layer gives {48 // divisor} positions on a side of 48: only layers at 1/2"):
        heads_of(Full(divisor), 48)


def test_layers_of_the_whole_side_are_imitated_by_a_student_that_starts_there(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert heads_of(Full(1), 48, start=1) == {"layer": (3, 1)}
    with pytest.raises(SpecError, match="--start 1 begins at the whole side"):
        heads_of(Full(1), 48)
    monkeypatch.setattr(features, "extractor", lambda *_: Full(1))
    config = configuration(folders, tmp_path / "full.safetensors", start=1, widths=(8,), blocks=(0,), steps=60)
    assert distill(config)["layer"] < 0.2
    assert DistilledFeatures(weights=config.out)(torch.rand(1, 3, 17, 21))["layer"].shape == (1, 3, 17, 21)


def test_heads_are_the_channels_and_divisors_of_the_teacher_s_layers() -> None:
    assert heads_of(Teacher(), 16) == {"relu2_1": (6, 2), "conv2_1": (6, 2), "relu3_1": (8, 4)}
    assert heads_of(Full(8), 48) == {"layer": (3, 8)}


def test_folding_the_batch_norms_keeps_the_function() -> None:
    torch.manual_seed(0)
    student = with_batch_norm(DistilledNetwork({"relu2_1": (3, 2), "relu3_1": (4, 4)}, (6, 8), (1, 2)))
    norms = [module for module in student.modules() if isinstance(module, nn.BatchNorm2d)]
    assert len(norms) == 5
    for norm in norms:  # as after a training
        nn.init.uniform_(norm.weight, 0.5, 2)
        nn.init.normal_(norm.bias)
    student.train()
    for _ in range(20):
        student(torch.rand(4, 3, 12, 12), ["relu3_1"])
    student.eval()
    images = torch.rand(2, 3, 13, 9)
    before = student(images, ["relu2_1", "relu3_1"])
    without_batch_norm(student)
    after = student(images, ["relu2_1", "relu3_1"])
    assert not any(isinstance(module, nn.BatchNorm2d) for module in student.modules())
    for layer, maps in before.items():
        assert (after[layer] - maps).abs().max() < 1e-5 * maps.abs().max(), layer


def test_the_training_error_is_the_relative_error_of_the_rectified_map_where_the_student_is_active() -> None:
    stream = torch.Generator().manual_seed(0)
    maps = F.relu(torch.randn(2, 3, 4, 4, generator=stream))
    active = torch.rand(2, 3, 4, 4, generator=stream)
    expected = (active - maps).square().sum() / maps.square().sum()
    torch.testing.assert_close(training_error(active, maps), expected)
    silent = torch.where(maps > 0, maps, -active)
    assert training_error(silent, maps) == 0


def test_the_training_error_pulls_where_a_relu_would_not() -> None:
    student = torch.tensor([-1.0, -1.0, 2.0], requires_grad=True)
    teacher = torch.tensor([3.0, 0.0, 0.0])
    training_error(student, teacher).backward()
    # d/ds of ((s - t)^2 or max(s, 0)^2) / 3, over the teacher's mean square of 3.
    torch.testing.assert_close(student.grad, torch.tensor([2 * -4.0, 0.0, 2 * 2.0]) / 3 / 3)


def test_images_are_left_clean_or_blurred_or_noisy_or_both() -> None:
    stripes = torch.tensor([0.3, 0.7]).repeat(10).expand(3, 20, 20).clone()
    draws, noisy, contrast = 1600, [], []
    for seed in range(draws):
        degraded = degrade(stripes, torch.Generator().manual_seed(seed))
        assert 0 <= degraded.min() <= degraded.max() <= 1
        noisy.append(bool(degraded.std(1).max() > 1e-5))  # pixels of one column differ
        contrast.append(float(degraded.mean(1).std() / stripes.mean(1).std()))  # blur makes the stripes fade
    clean = sum(not n and c > 0.999 for n, c in zip(noisy, contrast, strict=True))
    for count, share in ((clean, 0.25), (sum(noisy), 0.45)):
        assert abs(count / draws - share) < 5 * (share * (1 - share) / draws) ** 0.5
    # Noise disturbs the contrast; of the noisy, 5 in 9 are sharp: a third at least must look so, and some not at all.
    among = [c for n, c in zip(noisy, contrast, strict=True) if n]
    assert len(among) / 3 < sum(c > 0.9 for c in among) < 2 * len(among) / 3
    assert sum(c < 0.3 for c in among) > len(among) / 10


def test_degrading_is_a_function_of_the_generator() -> None:
    clean = torch.rand(3, 16, 16)
    before = clean.clone()
    for seed in range(8):
        one, same = (degrade(clean, torch.Generator().manual_seed(seed)) for _ in range(2))
        assert torch.equal(one, same)
    assert torch.equal(clean, before)
