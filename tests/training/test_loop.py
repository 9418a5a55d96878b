"""Training: the loss falls, options do what they say, faults are named."""

import itertools
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from pdloss.devices.oversubscription import Oversubscription
from pdloss.errors import ImageError, RunError, SpecError, UserError
from pdloss.records import read_log
from pdloss.runs import RunFolder
from pdloss.training.loop import train
from pdloss.training.ranks import Ranks
from pdloss.training.setup import loader_workers
from pdloss.training.trainer import gradient_norms, learning_rate_share
from pdloss.training.watching import Watcher
from tests.runs_for_tests import assert_same_bits, config, final_weights, photographs_in


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """A folder of three small smooth pictures."""
    return photographs_in(tmp_path / "photographs", count=3)


def test_the_loss_falls(photographs: Path, tmp_path: Path) -> None:
    train(config(photographs, tmp_path / "run", steps=120, degradation="noise(sigma=0.1)", log_every=20, lr=3e-3))
    log = read_log(tmp_path / "run" / "log.jsonl")
    assert [line.step for line in log] == [20, 40, 60, 80, 100, 120]
    assert log[-1].total < 0.7 * log[0].total


def test_a_batch_in_parts_takes_the_same_step(photographs: Path, tmp_path: Path) -> None:
    whole, parts = (tmp_path / name for name in ("whole", "parts"))
    train(config(photographs, whole, batch=4, log_every=1))
    train(config(photographs, parts, batch=4, log_every=1, accumulate=2))
    for name, weights in final_weights(whole).items():
        torch.testing.assert_close(final_weights(parts)[name], weights, rtol=1e-3, atol=1e-5)
    for one, other in zip(*(read_log(run / "log.jsonl") for run in (whole, parts)), strict=True):
        assert other.total == pytest.approx(one.total, rel=1e-4)
        assert other.gradients["l1"] == pytest.approx(one.gradients["l1"], rel=1e-4)


def test_coarser_scales_are_compared_by_the_pixel_terms(photographs: Path, tmp_path: Path) -> None:
    options = {"network": "srn(width=4)", "crop": 32, "steps": 3, "log_every": 1}
    loss = "l1 + 0.001*pdl(features='distilled.relu3_3')"
    finest, every = (tmp_path / name for name in ("finest", "every"))
    train(config(photographs, finest, loss=loss, **options))
    train(config(photographs, every, loss=loss, scales="all", **options))
    one, other = (read_log(run / "log.jsonl") for run in (finest, every))
    assert one[0].terms == other[0].terms, "the log holds the finest scale"
    assert one[-1].terms != other[-1].terms


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "--scales all needs a network that restores from coarse to fine"),
        ({"network": "srn(width=4)", "loss": "pdl(features='distilled')"}, "has none; add l1"),
        ({"compile": True}, "--compile and --scales all exclude each other"),
    ],
)
def test_scales_that_cannot_be_compared_are_refused(
    photographs: Path, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        train(config(photographs, tmp_path / "run", scales="all", **changes))


def test_the_moving_average_becomes_the_weights(photographs: Path, tmp_path: Path) -> None:
    plain, averaged = tmp_path / "plain", tmp_path / "averaged"
    train(config(photographs, plain, save_every=1, steps=3))
    train(config(photographs, averaged, save_every=1, steps=3, ema=0.75))
    each = [load_file(RunFolder(plain).weights_file(step)) for step in (1, 2, 3)]
    for name, weights in final_weights(averaged).items():
        expected = each[0][name]
        for later in each[1:]:
            expected = 0.75 * expected + 0.25 * later[name]
        torch.testing.assert_close(weights, expected, rtol=1e-4, atol=1e-6)
    state = load_file(averaged / "state.safetensors")
    assert_same_bits({n.removeprefix("network."): t for n, t in state.items() if n.startswith("network.")}, each[-1])


def test_the_network_is_compiled_when_asked(photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []

    def as_it_is(network: torch.nn.Module) -> Callable[[Tensor], Tensor]:
        return lambda degraded: [steps.append(1), network(degraded)][1]

    monkeypatch.setattr(torch, "compile", as_it_is)
    train(config(photographs, tmp_path / "plain"))
    assert not steps
    train(config(photographs, tmp_path / "compiled", compile=True))
    assert len(steps) == 6
    assert_same_bits(final_weights(tmp_path / "plain"), final_weights(tmp_path / "compiled"))


def test_starts_from_the_weights_of_another_run(photographs: Path, tmp_path: Path) -> None:
    train(config(photographs, tmp_path / "first"))
    train(config(photographs, tmp_path / "second", init=tmp_path / "first", steps=1, lr=1e-12))
    first, second = final_weights(tmp_path / "first"), final_weights(tmp_path / "second")
    assert all(torch.allclose(first[name], second[name], atol=1e-9) for name in first)
    with pytest.raises(RunError, match="belongs to another network"):
        train(config(photographs, tmp_path / "third", init=tmp_path / "first", network="edsr(blocks=1, width=4)"))


class Poison:
    """A user's own loss that turns NaN after some steps."""

    def __init__(self, after: int, where: str = "value") -> None:
        self.calls, self.after, self.where = 0, after, where

    def __call__(self, restored: Tensor, target: Tensor) -> Tensor:
        self.calls += 1
        bad = self.calls > self.after
        if self.where == "gradient":  # the root has an infinite slope at zero: finite value, NaN gradient
            return ((restored - restored.detach() + (0.0 if bad else 1.0)).square().sum()).sqrt()
        return restored.mean() * (float("nan") if bad else 1.0)


@pytest.mark.parametrize(("where", "message"), [("value", "'Poison' is nan"), ("gradient", "not the gradient")])
def test_a_loss_that_is_not_finite_is_named(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, message: str
) -> None:
    sys.modules["poisoned"] = type(sys)("poisoned")
    monkeypatch.setattr(sys.modules["poisoned"], "Poison", Poison, raising=False)
    run = tmp_path / "run"
    with pytest.raises(RunError, match=f"step 4: .*{message}.*photo") as error:
        train(config(photographs, run, loss=f"l1 + 0.1*poisoned:Poison(after=3, where='{where}')", save_every=1))
    kept = sorted((run / "nonfinite-000000004").glob("*.png"))
    assert len(kept) == 6, "degraded, target and restored of two crops"
    assert str(run / "nonfinite-000000004") in str(error.value)
    assert RunFolder(run).latest_weights()[0] == 3
    assert all(tensor.isfinite().all() for tensor in final_weights(run).values())


def test_the_log_holds_the_gradient_norm_of_each_term(photographs: Path, tmp_path: Path) -> None:
    train(config(photographs, tmp_path / "run", loss="l1 + 0.5*l2", steps=2, log_every=1))
    line = read_log(tmp_path / "run" / "log.jsonl")[0]
    assert line.total == pytest.approx(line.terms["l1"] + 0.5 * line.terms["l2"], rel=1e-5)
    # The gradient of a mean of n absolute values is ±1/n everywhere: its norm is 1/sqrt(n).
    assert line.gradients["l1"] == pytest.approx((2 * 3 * 16 * 16) ** -0.5, rel=1e-3)
    assert line.gradients["l2"] == pytest.approx(0.5 * 2 * (line.terms["l2"] / (2 * 3 * 16 * 16)) ** 0.5, rel=1e-3)


SR = {"task": "sr", "network": "edsr(scale=2, blocks=1, width=8)", "degradation": "downscale(factor=2)"}


def test_super_resolution_trains_and_a_critic_goes_on_from_it(photographs: Path, tmp_path: Path) -> None:
    train(config(photographs, tmp_path / "pixels", **SR, steps=160, log_every=20, lr=3e-3))
    log = read_log(tmp_path / "pixels" / "log.jsonl")
    assert log[-1].total < 0.8 * log[0].total
    critic = "l1 + 0.001*adversarial(critic='srgan(size=16, width=2)')"
    going_on = SR | {"network": None, "init": tmp_path / "pixels"}
    train(config(photographs, tmp_path / "critic", **going_on, loss=critic, log_every=1))
    record = RunFolder(tmp_path / "critic").record()
    assert record.network.startswith("edsr(scale=2, blocks=1, width=8"), "that of the run it goes on from"
    first = read_log(tmp_path / "critic" / "log.jsonl")[0]
    assert first.terms["l1"] < 0.8 * log[0].terms["l1"], "it starts where the other ended"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"network": "edsr(scale=3, blocks=1, width=8)"},
            r"does not fit downscale\(factor=2.*3x8x8, 3x24x24, 3x16x16",
        ),
        ({"degradation": "downscale(factor=3)"}, "crop of 16 pixels cannot be degraded 3 times smaller"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(
    photographs: Path, tmp_path: Path, changes: dict[str, str], message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        train(config(photographs, tmp_path / "run", **(SR | changes)))


def test_the_log_says_how_the_critic_does(photographs: Path, tmp_path: Path) -> None:
    train(config(photographs, tmp_path / "run", loss="l1 + 0.01*adversarial(critic='unet(width=2)')"))
    for line in read_log(tmp_path / "run" / "log.jsonl"):
        assert line.learners["adversarial"] == pytest.approx(2 * math.log(2), abs=0.5), "a critic that knows little"
        assert line.gradients["adversarial"] > 0


class Drift(torch.nn.Module):
    """A loss whose own training goes wrong at its third step."""

    def __init__(self) -> None:
        super().__init__()
        self.optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 1.0)
        self.steps = 0

    def forward(self, restored: Tensor, target: Tensor) -> Tensor:
        return (restored - target).abs().mean()

    def learn(self, restored: Tensor, target: Tensor, rate_share: float) -> Tensor:
        self.steps += 1
        return torch.tensor(float("nan") if self.steps == 3 else 1.0)


def test_a_critic_that_is_lost_is_named(photographs: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"step 3: what trains along in the loss term 'Drift' has come to nan"):
        train(config(photographs, tmp_path / "run", loss=f"l1 + {__name__}:Drift"))


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"loss": "l1 + 0.1*perceptul"}, SpecError, "did you mean 'perceptual'"),
        ({"loss": "pdl(p=0.5, features='distilled')"}, SpecError, ">= 1"),
        ({"network": "edsr(block=3)"}, SpecError, "did you mean 'blocks'"),
        ({"degradation": "noise(sigma=-1)"}, SpecError, ">= 0"),
        ({"degradation": ""}, SpecError, "cannot read the degradation ''"),
        ({"network": ""}, SpecError, "cannot read the network ''"),
        ({"task": "denoize"}, SpecError, "did you mean 'denoise'"),
        ({"device": "tpu"}, SpecError, "--device 'tpu'"),
        ({"crop": 64}, ImageError, r"photo0.png is 50x40 pixels, smaller than the crop of 64x64"),
    ],
)
def test_a_wrong_choice_is_refused_before_anything_is_written(
    photographs: Path, tmp_path: Path, changes: dict[str, object], kind: type[UserError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        train(config(photographs, tmp_path / "run", **changes))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("option", ["steps", "batch", "lr", "save_every", "log_every", "crop"])
def test_numbers_that_make_no_sense_are_refused(tmp_path: Path, option: str) -> None:
    with pytest.raises(SpecError, match=option.replace("_", "-")):
        train(config(tmp_path, tmp_path / "run", **{option: 0}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"workers": -1}, "--workers must be from 0 to 64, 16 a core, got -1"),
        ({"workers": 100_000}, "--workers must be from 0 to 64, 16 a core, got 100000"),
        ({"seed": 2**64}, "--seed must be from 0 to .*, got 18446744073709551616"),
        ({"seed": -1}, "--seed must be from 0 to .*, got -1"),
    ],
)
def test_absurd_numbers_are_refused_with_their_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, int], said: str
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    with pytest.raises(SpecError, match=said):
        train(config(tmp_path, tmp_path / "run", **changes))


@pytest.mark.parametrize("seed", [2**64 - 1, 0])
def test_every_seed_within_the_bounds_trains(photographs: Path, tmp_path: Path, seed: int) -> None:
    assert train(config(photographs, tmp_path / "run", seed=seed, steps=1)).step == 1


def test_a_training_whose_cores_are_taken_is_warned_once(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Told(Watcher):
        said: ClassVar[list[str]] = []

        def warn(self, text: str) -> None:
            self.said.append(text)

    passed, computed = itertools.count(0, 10), itertools.count(0, 2)
    monkeypatch.setattr(
        "pdloss.training.loop.Oversubscription",
        lambda threads: Oversubscription(threads, lambda: next(passed), lambda: next(computed)),
    )
    train(config(photographs, tmp_path / "run"), Told())
    (text,) = Told.said
    assert "take the cores that this training computes on" in text
    assert "80% of its time" in text


def test_a_damaged_photograph_is_named_or_skipped(photographs: Path, tmp_path: Path) -> None:
    whole = (photographs / "photo1.png").read_bytes()
    (photographs / "photo1.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ImageError, match=r"photo1.png.*--skip-damaged"):
        train(config(photographs, tmp_path / "run"))
    train(config(photographs, tmp_path / "run", skip_damaged=True))
    assert json.loads((tmp_path / "run" / "config.json").read_text())["images"] == 2


def test_the_learning_rate_falls_to_zero_along_half_a_cosine() -> None:
    shares = [learning_rate_share(step, 100, "cosine") for step in (0, 50, 100)]
    assert shares == pytest.approx([1, 0.5, 0])
    assert learning_rate_share(70, 100, "constant") == 1


class Clock:
    """What time it is: as late as what is done in these tests makes it."""

    now = 0.0

    def monotonic(self) -> float:
        return Clock.now


class Slow:
    """A degradation that takes three seconds a crop."""

    def __call__(self, clean: Tensor, generator: torch.Generator) -> Tensor:
        Clock.now += 3
        return clean


class Thoughtful:
    """A loss that takes two seconds."""

    def __call__(self, restored: Tensor, target: Tensor) -> Tensor:
        Clock.now += 2
        return (restored - target).abs().mean()


def test_the_log_says_which_share_of_the_time_went_into_waiting_for_data(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("pdloss.training.loop", "pdloss.training.supply"):
        monkeypatch.setattr(f"{module}.time", Clock())
    slow = {"degradation": f"{__name__}:Slow", "loss": f"{__name__}:Thoughtful"}
    train(config(photographs, tmp_path / "run", **slow))
    log = read_log(tmp_path / "run" / "log.jsonl")
    assert [line.waiting for line in log] == pytest.approx([6 / 8] * 3), "a batch has two crops"
    assert [line.seconds for line in log] == pytest.approx([16, 32, 48])


def test_the_processes_of_a_machine_share_its_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 24)
    plain, gpu = config(tmp_path, tmp_path), torch.device("cuda")
    assert loader_workers(plain, Ranks(device=gpu)) == 8
    assert loader_workers(plain, Ranks(world_size=8, local_world_size=4, device=gpu)) == 3
    assert loader_workers(plain, Ranks()) == 0
    assert loader_workers(config(tmp_path, tmp_path, workers=5), Ranks(local_world_size=4, device=gpu)) == 5


def test_a_term_without_gradient_has_norm_zero() -> None:
    from pdloss.losses import LossTerms

    restored = torch.rand(1, 3, 4, 4, requires_grad=True)
    terms = LossTerms(restored.mean(), {"a": restored.mean(), "b": torch.tensor(1.0)}, {"a": 2.0, "b": 1.0})
    assert gradient_norms(terms, restored) == pytest.approx({"a": 2 * 48**-0.5, "b": 0.0})
