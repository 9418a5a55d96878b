"""What parts cost: multiply-adds as one reckons them by hand, and times on a clock that the parts move themselves."""

from functools import partial
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from pdloss.benchmarking import measuring, part_costs
from pdloss.benchmarking.options import LossBenchConfig
from pdloss.benchmarking.part_costs import NetworkCost, TimeCost, TrainingCost, multiply_adds
from pdloss.degradations import DEGRADATIONS
from pdloss.errors import AssetError
from pdloss.features import BACKBONES
from pdloss.metrics import Entry
from pdloss.networks import NETWORKS
from pdloss.records import Metric


class Clock:
    """Time that passes when somebody says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def takes(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(measuring, "time", SimpleNamespace(perf_counter=lambda: made.now))
    return made


def test_multiply_adds_are_those_of_convolutions_and_matrices() -> None:
    image = torch.zeros(2, 4, 6, 10)
    assert multiply_adds(partial(nn.Conv2d(4, 8, 3, padding=1), image)) == 2 * 60 * 8 * 4 * 9
    assert multiply_adds(partial(nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=2), image)) == 2 * 15 * 8 * 2 * 9
    assert multiply_adds(partial(nn.Linear(10, 7), image)) == 2 * 4 * 6 * 10 * 7
    assert multiply_adds(partial(nn.ReLU(), image)) == 0


def test_networks_cost_what_their_papers_say() -> None:
    costs = part_costs.network_costs()
    assert costs.keys() == NETWORKS.table.keys()
    # Lim et al. 2017: 16 blocks of 64 channels; here times 1 head, 32 + 1 in the body, and a tail.
    assert costs["srresnet"] == NetworkCost(parameters=1549462, multiply_adds=costs["srresnet"].multiply_adds)
    head = 3 * 64 * 81 + 33 * 64 * 64 * 9 + 64 * 256 * 9 + 4 * 64 * 256 * 9 + 16 * 64 * 3 * 81
    assert costs["srresnet"].multiply_adds == head
    # Chen et al. 2022, table 6: 16.25 GMACs for 256x256 pixels, with what is no convolution.
    assert costs["nafnet"].parameters == 17111907
    assert 0.97 < costs["nafnet"].multiply_adds * 256**2 / 16.25e9 < 1


def test_feature_sets_cost_what_is_known_of_them() -> None:
    costs = part_costs.feature_costs({"distilled.relu4_3": 1.0, "steerable": 0.5})
    assert costs.keys() == BACKBONES.keys()
    vgg = costs["vgg16"].multiply_adds
    assert vgg["relu1_1"] == 3 * 64 * 9 and vgg["relu1_2"] == vgg["pool1"] == 3 * 64 * 9 + 64 * 64 * 9
    assert "conv1_1" not in vgg and list(vgg)[-1] == "pool5"
    assert vgg["pool5"] * 224**2 == pytest.approx(15.35e9, rel=2e-3), "of the 15.47 that all layers take"
    assert costs["vgg16-torchvision"].multiply_adds == vgg
    assert costs["distilled"].timed == "distilled.relu4_3" and costs["distilled"].time == 1
    assert costs["steerable"].multiply_adds == {} and costs["steerable"].time == 0.5
    assert costs["alexnet"].time is None
    for each in costs.values():
        assert list(each.multiply_adds.values()) == sorted(each.multiply_adds.values())


def test_times_are_beside_one_of_the_family(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def entry(seconds: float) -> Entry:
        return Entry(Metric(label="", better="lower", protocol=""), lambda: lambda *_: clock.takes(seconds))

    def missing() -> None:
        raise AssetError("no weights")

    class Measure:
        def update(self, *_: torch.Tensor) -> None:
            clock.takes(5.0)

    images = {"ssim": entry(2.0), "slow": entry(6.0)}
    monkeypatch.setattr("pdloss.metrics.METRICS", images)
    monkeypatch.setattr(part_costs, "METRICS", images)
    sets = {"set": SimpleNamespace(factory=Measure), "none": SimpleNamespace(factory=missing)}
    monkeypatch.setattr(part_costs, "SET_METRICS", sets)
    costs = part_costs.metric_costs(["ssim", "slow", "set", "none"], (1, 3, 100, 200), 3)
    assert costs == {
        "ssim": TimeCost(time=1.0, milliseconds=pytest.approx(100_000.0)),
        "slow": TimeCost(time=3.0, milliseconds=pytest.approx(300_000.0)),
        "set": TimeCost(time=2.5, milliseconds=pytest.approx(250_000.0)),
        "none": TimeCost(),
    }


def test_every_degradation_is_timed() -> None:
    costs = part_costs.degradation_costs((3, 48, 48), 1)
    assert costs.keys() == DEGRADATIONS.table.keys() and costs["noise"].time == 1
    assert all(cost.time and cost.milliseconds for cost in costs.values())


def test_a_loss_on_features_is_timed_beside_its_features_and_one_without_weights_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = ["l1 + 0.01*pdl(features='distilled.relu3_3')", "l1 + 0.01*phase(factor=2)", "l1 + 0.01*lpips"]
    monkeypatch.setattr(part_costs, "default_losses", lambda features: asked)
    monkeypatch.delenv("PDLOSS_ASSETS", raising=False)
    config = LossBenchConfig(
        network="edsr(blocks=1, width=8, unshuffle=2)", crop=16, batch=1, repeats=1, features="distilled.relu3_3"
    )
    costs = part_costs.training_costs(config)
    assert list(costs) == ["l1", "pdl", "phase", "lpips"]
    assert costs["l1"] == TrainingCost(step=1.0) and costs["lpips"] == TrainingCost()
    assert costs["pdl"].step and costs["pdl"].beside_features
    assert costs["phase"].step and costs["phase"].beside_features is None


def test_features_are_timed_beside_those_that_ship(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PDLOSS_ASSETS", raising=False)
    times = part_costs.feature_times(("distilled.relu4_3", "steerable", "vgg19.relu4_3"), (1, 3, 32, 32), 1)
    assert times["distilled.relu4_3"] == 1 and times["steerable"] > 0 and times.keys().isdisjoint({"vgg19.relu4_3"})
