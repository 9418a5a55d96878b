"""What is refused before anything is read, decoded or written, and that nothing changes by trying."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from pdloss.degradations import parse
from pdloss.errors import ImageError, RunError, SpecError, UserError
from pdloss.files.tensors import write_tensors
from pdloss.losses import objective
from pdloss.networks import NETWORKS, network
from pdloss.runs import RunFolder
from pdloss.runs.purposes import Purpose
from pdloss.training.configuration import TrainConfig
from pdloss.training.loop import train
from pdloss.training.preparation import Parts, prepared
from pdloss.training.ranks import Ranks
from pdloss.training.resolving import resolved
from pdloss.training.trial import coarse_criterion, try_out
from pdloss.training.watching import Watcher
from tests.runs_for_tests import config, photographs_in


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """A folder of three small smooth pictures."""
    return photographs_in(tmp_path / "photographs", count=3)


def parts_of(asked: TrainConfig) -> Parts:
    run, alone = RunFolder(asked.out), Ranks()
    return prepared(resolved(asked, run, alone), run, alone)


class NoLoading(Watcher):
    """Fails as soon as a photograph is read."""

    def loading(self, done: int, total: int) -> None:
        pytest.fail("a photograph was read")


SR = {"network": "edsr(scale=2, blocks=1, width=8)", "degradation": "downscale(factor=2)"}


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        (
            {"loss": "ms_ssim"},
            SpecError,
            "cannot be computed on crops of 16 pixels, which --crop sets: .*16x16",
        ),
        ({"network": "edsr(scale=2, blocks=1, width=8)"}, SpecError, "does not fit noise.*: input, output and target"),
        (SR | {"network": "edsr(scale=3, blocks=1, width=8)"}, SpecError, "3x8x8, 3x24x24, 3x16x16"),
        (SR | {"crop": 15}, SpecError, "crop of 15 pixels cannot be degraded 2 times smaller"),
        ({"batch": 3, "accumulate": 2}, SpecError, "--batch 3 cannot be computed in 2 equal parts"),
        ({"batch": 1, "loss": "l1 + adversarial(critic='srgan(size=16, width=2)')"}, SpecError, "more than 1 value"),
        ({"init": Path("nowhere.safetensors")}, RunError, "nowhere.safetensors does not exist"),
        ({"valid": Path("nowhere")}, ImageError, "nowhere does not exist"),
        ({"loss": "pdl(features='vgg19.relu9_9')"}, UserError, "relu9_9"),
        ({"scales": "all"}, SpecError, "--scales all needs a network that restores from coarse to fine"),
    ],
)
def test_what_can_be_known_is_refused_before_a_photograph_is_read_or_a_folder_made(
    photographs: Path, tmp_path: Path, changes: dict[str, object], kind: type[UserError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        train(config(photographs, tmp_path / "run", **changes), NoLoading())
    assert not (tmp_path / "run").exists()


def test_a_folder_of_another_run_is_refused_before_a_photograph_is_read(photographs: Path, tmp_path: Path) -> None:
    train(config(photographs, tmp_path / "run", steps=1))
    with pytest.raises(RunError, match="loss was 'l1', is 'l2'"):
        train(config(photographs, tmp_path / "run", steps=1, loss="l2"), NoLoading())


class Late(torch.nn.Module):
    """A loss that fails in its first step only, where gradients are wanted, which trying it cannot show."""

    def forward(self, restored: Tensor, target: Tensor) -> Tensor:
        if restored.requires_grad:
            raise RuntimeError("late")
        return (restored - target).abs().mean()


def test_a_first_step_that_fails_leaves_no_folder_behind(photographs: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="late"):
        train(config(photographs, tmp_path / "run", loss=f"{__name__}:Late"))
    assert not (tmp_path / "run").exists()
    (tmp_path / "run").mkdir()
    with pytest.raises(RuntimeError, match="late"):
        train(config(photographs, tmp_path / "run", loss=f"{__name__}:Late"))
    assert (tmp_path / "run").exists(), "a folder that was there before is not ours to remove"


class Drawing(torch.nn.Module):
    """A loss that draws from every stream and counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, restored: Tensor, target: Tensor) -> Tensor:
        self.calls += 1
        return restored.mean() * (torch.rand(()) + random.random() + np.random.rand())


def test_trying_changes_neither_the_parts_nor_the_random_streams() -> None:
    choice = "srresnet(scale=2, blocks=1)"
    net, loss = network(choice), Drawing()
    aim = Purpose("sr", NETWORKS.parse(choice), parse("downscale(factor=2)"), 16, "")
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    draws = []
    for trying in (False, True):
        for seed in (torch.manual_seed, random.seed, np.random.seed):
            seed(3)
        if trying:
            try_out(net, loss, aim, None, 2)
        draws.append((torch.rand(()).item(), random.random(), np.random.rand()))
    assert draws[0] == draws[1]
    assert loss.calls == 0
    assert net.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items()), "batch norm's means too"


def test_a_part_that_cannot_be_copied_is_not_tried() -> None:
    class Stubborn(torch.nn.Module):
        def __deepcopy__(self, memo: dict[int, object]) -> object:
            raise TypeError

        def forward(self, restored: Tensor, target: Tensor) -> Tensor:
            pytest.fail("it was tried")

    aim = Purpose("denoise", NETWORKS.parse("edsr(blocks=1, width=4)"), parse("noise"), 16, "")
    try_out(network("edsr(blocks=1, width=4)"), Stubborn(), aim, None, 1)


def test_weights_that_carry_no_digest_are_said_to_be_unverified(photographs: Path, tmp_path: Path) -> None:
    train(config(photographs, tmp_path / "first", steps=1))
    weights = RunFolder(tmp_path / "first").latest_weights()[1]
    asked = config(photographs, tmp_path / "run", init=tmp_path / "first")
    assert parts_of(asked).notes == []
    save_file(network(asked.network or "").state_dict(), weights)
    (note,) = parts_of(asked).notes
    assert note == f"{weights} carries no digest, as files of version 0.1.0 do not, so it could not be verified"


class Masked(torch.nn.Module):
    """A network with a buffer that holds infinities, as masks of attention do."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Conv2d(3, 3, 1)
        self.register_buffer("mask", torch.tensor([0.0, -torch.inf]))

    def forward(self, degraded: Tensor) -> Tensor:
        return self.layer(degraded)


def test_infinities_in_a_buffer_are_no_damage(photographs: Path, tmp_path: Path) -> None:
    own = {"network": f"{__name__}:Masked", "steps": 2}
    train(config(photographs, tmp_path / "first", **own))
    assert train(config(photographs, tmp_path / "first", **own)).step == 2
    assert train(config(photographs, tmp_path / "second", init=tmp_path / "first", **own)).step == 2


def test_first_weights_that_are_damaged_or_no_numbers_are_refused(photographs: Path, tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    asked: TrainConfig = config(photographs, tmp_path / "run", init=file)
    tensors = network(asked.network or "").state_dict()
    name = next(iter(tensors))
    for value, message in (
        (torch.full_like(tensors[name], torch.nan), f"w.safetensors cannot be used: {name} holds values that are not"),
        (tensors[name].int(), f"{name} holds int32, where the network has float32"),
        (tensors[name].double(), f"{name} holds float64, where the network has float32"),
    ):
        write_tensors(file, tensors | {name: value})
        with pytest.raises(RunError, match=message):
            train(asked, NoLoading())
    write_tensors(file, {key: tensor.half() for key, tensor in tensors.items()})
    assert parts_of(asked).network.training, "half precision loses nothing on the way back"


def test_the_coarser_scales_part_is_the_sum_of_their_weighted_pixel_terms(generator: torch.Generator) -> None:
    restorer, (degraded, target) = network("srn(width=4)"), torch.rand(2, 1, 3, 32, 32, generator=generator)
    finest, coarse = coarse_criterion(objective("2*l1 + pdl(features='distilled')"), restorer)(degraded, target)
    scales = list(zip(restorer.forward_scales(degraded), restorer.target_scales(target), strict=True))
    torch.testing.assert_close(finest, scales[-1][0])
    assert [restored.shape[-1] for restored, _ in scales] == [8, 16, 32]
    torch.testing.assert_close(coarse, sum(2 * (restored - aim).abs().mean() for restored, aim in scales[:-1]))


@pytest.mark.parametrize(
    ("network", "problem"),
    [
        ("torch.nn:Identity", "has no weights to train"),
        ("collections:Counter", "is the class Counter, and not a network"),
        ("edsr(blocks=100000000000)", "expected `int` <= 1000"),
    ],
)
def test_what_cannot_be_trained_is_refused(photographs: Path, tmp_path: Path, network: str, problem: str) -> None:
    with pytest.raises(SpecError, match=problem):
        train(config(photographs, tmp_path / "run", network=network))
    assert not (tmp_path / "run").exists()
