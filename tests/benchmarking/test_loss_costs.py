"""What losses cost: on a clock that the loss moves itself, with a rounding known in advance; who is left out, why."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from pdloss import losses
from pdloss.benchmarking import loss_costs, measuring
from pdloss.benchmarking.loss_costs import LossCost, Subject, default_losses, of_table_i, smooth_images
from pdloss.benchmarking.options import LossBenchConfig
from pdloss.errors import SpecError
from pdloss.losses import L1, L2, LOSSES, LossChoice, objective
from pdloss.networks import NETWORKS
from pdloss.specs import Family

TINY = {"network": "edsr(blocks=1, width=8, unshuffle=2)", "crop": 16, "batch": 1, "repeats": 1, "device": "cpu"}

OWN = """
import torch
now = 0.0

class Net(torch.nn.Conv2d):  # takes a second
    def __init__(self):
        super().__init__(3, 3, 1)
    def forward(self, degraded):
        global now
        now += 1.0
        return super().forward(degraded)

class Slow:  # takes three seconds, and two more to learn
    def __call__(self, restored, target):
        global now
        now += 3.0
        return (restored - target).square().mean()
    optimiser = None
    def learn(self, restored, target, rate_share):
        global now
        now += 2.0
        return torch.zeros(())

def rounding(restored, target):  # 1 + 2^-9, which is 1 in bfloat16
    return restored.mean() * 0 + torch.mm(torch.ones(1, 1), torch.full((1, 1), 1 + 2.0**-9)).float().sum()

def drawing(restored, target):
    return restored.mean() * 0 + torch.rand(())

class Rounding:
    def __call__(self, restored, target):
        return rounding(restored, target)

class Drawing:
    def __call__(self, restored, target):
        return drawing(restored, target)

class Broken(torch.nn.Conv2d):
    def __init__(self):
        super().__init__(5, 3, 1)
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of a user's own, in the working folder."""
    (tmp_path / "own_costs.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "own_costs"


def costs_of(*texts: str, **changes: object) -> dict[str, LossCost]:
    benchmark = loss_costs.loss_costs(LossBenchConfig(**{**TINY, "losses": texts, "typed": True, **changes}))
    return {cost.loss: cost for cost in benchmark.losses}


def test_times_are_those_of_the_loss_and_the_step(own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import own_costs

    monkeypatch.setattr(measuring, "time", SimpleNamespace(perf_counter=lambda: own_costs.now))
    costs = costs_of(f"l1 + {own}:Slow", network=f"{own}:Net", repeats=3)
    plain, slow = costs["l1"], costs[f"l1 + {own}:Slow"]
    assert (plain.speed, plain.loss_ms, plain.step_ms) == (1.0, 0.0, 1000.0)
    # One second for the network, three for the loss, two for what it learns.
    assert slow.step_ms == 6000.0
    assert slow.speed == pytest.approx(1 / 6)
    assert slow.loss_ms == 3000.0


def test_the_gap_is_what_bfloat16_rounds_away(own: str) -> None:
    costs = costs_of(f"l1 + 0.001*{own}:Rounding", f"l1 + {own}:Drawing")
    assert costs[f"l1 + 0.001*{own}:Rounding"].bf16_gap == pytest.approx(2.0**-9 / (1 + 2.0**-9))
    assert costs["l1"].bf16_gap == 0.0
    assert costs[f"l1 + {own}:Drawing"].bf16_gap == 0.0  # both draw the same number


def test_a_loss_on_features_takes_more_memory_than_pixels() -> None:
    feature = "l1 + 0.01*pdl(features='distilled.relu4_3')"
    costs = costs_of(feature, crop=128)
    if costs["l1"].loss_mib is None:
        pytest.skip("this system does not say how much memory a process held at most")
    # The first stage alone keeps a map at half resolution: 128 channels or fewer of 64x64 values, 32 at least.
    assert costs[feature].loss_mib > costs["l1"].loss_mib + 32 * 64**2 * 4 / 2**20
    assert costs[feature].step_mib > costs["l1"].step_mib


def test_a_loss_that_cannot_be_had_or_computed_is_listed_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PDLOSS_ASSETS", raising=False)
    missing, small = "l1 + pdl", "l1 + pdl(features='distilled.relu4_3')"
    costs = costs_of(missing, small, crop=4)
    assert list(costs) == ["l1", missing, small]
    assert "vgg16" in costs[missing].problem
    assert "4x4 are too small" in costs[small].problem
    assert costs["l1"].problem is None
    assert costs["l1"].speed == 1.0
    for cost in (costs[missing], costs[small]):
        assert (cost.speed, cost.loss_ms, cost.step_ms, cost.loss_mib, cost.bf16_gap) == (None,) * 5


def test_a_new_loss_appears_by_itself_even_if_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fresh(LossChoice, name="fresh"):
        def build(self) -> None:
            raise RuntimeError("out of ideas\nand more")

    for module in (losses, loss_costs):
        monkeypatch.setattr(module, "LOSSES", Family("loss", (L1, L2, Fresh)))
    costs = costs_of()
    assert list(costs) == ["l1", "l1 + 0.01*l2", "l1 + 0.01*fresh"]
    assert costs["l1 + 0.01*fresh"].problem == "out of ideas"
    assert costs["l1 + 0.01*l2"].speed > 0


def test_the_default_list_holds_every_kind_on_the_features_asked_for() -> None:
    texts = default_losses("distilled.relu3_3")
    assert len(set(texts)) == len(texts)
    terms = [objective(text).terms for text in texts]
    assert {pair[1][1].name for pair in terms} == set(LOSSES.table) - {"l1"}
    assert {getattr(pair[1][1], "features", "distilled.relu3_3") for pair in terms} == {"distilled.relu3_3"}
    assert [of_table_i(text) for text in texts[:2]] == [{"L1": 0.57}, {"L2": 0.54}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("l1", {"no-perceptual": 1.0}),
        ("l1 + 0.3*perceptual(features='distilled')", {"L1": 0.57}),
        ("l1 + perceptual(p=2)", {"L2": 0.54}),
        ("l1 + pdl(features='vgg19.relu4_3')", {"PDL": 0.57}),
        ("l1 + pdl(p=2)", None),
        ("l2 + pdl", None),
        ("l1 + pdl + l2", None),
        ("pdl", None),
    ],
)
def test_the_papers_speed_stands_beside_the_loss_it_was_measured_for(text: str, expected: dict | None) -> None:
    assert of_table_i(text) == expected


def test_a_network_that_enlarges_is_measured_on_larger_targets() -> None:
    costs = costs_of("l1 + 0.1*l2", network="edsr(scale=2, blocks=1, width=8)", crop=8)
    assert costs["l1 + 0.1*l2"].speed > 0


def test_every_loss_sees_the_same_network_and_images() -> None:
    config = LossBenchConfig(**TINY)
    one, other = (Subject(text, NETWORKS.parse(config.network), config, torch.device("cpu")) for text in ("l1", "l2"))
    assert torch.equal(one.target, other.target)
    assert torch.equal(one.degraded, other.degraded)
    assert torch.equal(one.restored, other.restored)
    assert not torch.equal(one.restored, one.target)
    for a, b in zip(one.network.parameters(), other.network.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_images_are_smooth_with_some_grain(generator: torch.Generator) -> None:
    images = smooth_images((2, 3, 64, 64), generator)
    assert images.min() >= 0
    assert images.max() <= 1
    left, right = images[..., :-1].flatten(), images[..., 1:].flatten()
    correlation = torch.corrcoef(torch.stack([left, right]))[0, 1].item()
    assert 0.7 < correlation < 0.999  # white noise has 0, a flat picture 1
    assert images.std() > 0.1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"crop": 0}, "--crop must be at least 1, got 0"),
        ({"batch": -1}, "--batch must be at least 1, got -1"),
        ({"repeats": 0}, "--repeats must be at least 1, got 0"),
        ({"features": "vgg91.relu4_3"}, "vgg91"),
        ({"network": "erds"}, "did you mean 'edsr'"),
        ({"losses": ("l1 + pld",)}, "did you mean 'pdl'"),
        ({"device": "abacus"}, "abacus"),
    ],
)
def test_a_slip_of_the_pen_is_refused_at_the_door(changes: dict, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        costs_of(**changes)


def test_a_network_that_cannot_be_trained_leaves_nothing_to_measure(own: str) -> None:
    with pytest.raises(SpecError, match=f"--network '{own}:Broken' cannot be trained here: .*channels"):
        costs_of(network=f"{own}:Broken")
