"""What parts cost, in words, and what was measured of them."""

from pathlib import Path

import pytest

from documentation.costs import FILE, NOT_MEASURED, Costs, times
from pdloss.benchmarking.part_costs import FeatureCost, NetworkCost, PartCosts, TimeCost, TrainingCost, network_costs
from pdloss.degradations import DEGRADATIONS
from pdloss.features import BACKBONES
from pdloss.losses import LOSSES
from pdloss.metrics import METRICS, SET_METRICS
from pdloss.networks import NETWORKS
from pdloss.records import read_record, write_record


@pytest.fixture
def costs(tmp_path: Path) -> Costs:
    """Costs that nobody has measured."""
    found = PartCosts(
        date="2026-01-02", device="an abacus", threads=1, versions={"torch": "2.7.0"}, commit=None, protocol="by hand",
        beside={"losses": "l1", "features": "distilled.relu4_3", "metrics": "ssim", "degradations": "noise"},
        networks={"edsr": NetworkCost(parameters=1234, multiply_adds=56789)},
        features={
            "vgg16": FeatureCost(multiply_adds={"relu1_1": 1728}, timed="vgg16.relu4_3", time=6.96),
            "distilled": FeatureCost(multiply_adds={"relu4_3": 45}, timed="distilled.relu4_3", time=1.0),
            "steerable": FeatureCost(multiply_adds={}, timed="steerable", time=0.5),
        },
        losses={"l1": TrainingCost(step=1.0), "pdl": TrainingCost(step=2.96, beside_features=1.04),
                "lpips": TrainingCost()},
        metrics={"lpips": TimeCost(time=174.83, milliseconds=1629.7), "fid": TimeCost()},
        degradations={"noise": TimeCost(time=1.0, milliseconds=45.2), "blur": TimeCost(time=13.9, milliseconds=177.6)},
    )  # fmt: skip
    write_record(tmp_path / "costs.json", found)
    return Costs(tmp_path / "costs.json")


def test_numbers_are_told_in_words(costs: Costs) -> None:
    assert costs.of_network("edsr") == "1,234 parameters; 56,789 multiply-adds for each pixel of the input."
    assert costs.of_features("vgg16").startswith("`vgg16.relu4_3` takes 7 times the time of `distilled.relu4_3`. Mult")
    assert costs.of_features("vgg16").endswith("| layer | multiply-adds |\n|---|---:|\n| `relu1_1` | 1,728 |")
    assert costs.of_features("distilled").startswith("Multiply-adds for each pixel of the image, up to each layer:")
    assert costs.of_features("steerable").startswith("`steerable` takes 0.5 times the time of `distilled.relu4_3`. Its")
    assert costs.of_loss("pdl") == (
        "A training step with it beside `l1` takes 3 times the time of one without. The loss alone takes 1 times the "
        "time of its features."
    )
    assert costs.of_degradation("blur") == "178 ms for a million pixels; 14 times the time of `noise`."
    assert costs.of_degradation("noise") == "45 ms for a million pixels."
    assert costs.of_metric("lpips") == "175 | 1,630"
    assert "an abacus, one thread, torch 2.7.0, 2026-01-02" in costs.how()


def test_what_was_not_measured_says_so(costs: Costs) -> None:
    assert costs.of_loss("lpips") == costs.of_loss("none") == costs.of_network("none") == NOT_MEASURED
    assert costs.of_features("none") == costs.of_degradation("none") == NOT_MEASURED
    assert costs.of_metric("fid") == costs.of_metric("none") and not any(map(str.isdigit, costs.of_metric("fid")))


def test_what_is_kept_is_of_this_library() -> None:
    found = read_record(FILE, PartCosts)
    for kept, there in (
        (found.networks, NETWORKS.table),
        (found.losses, LOSSES.table),
        (found.degradations, DEGRADATIONS.table),
        (found.features, BACKBONES),
        (found.metrics, METRICS | SET_METRICS),
    ):
        assert kept.keys() <= set(there), "measured, and there no more: run benchmarks/part_costs.py again"
    counted = network_costs()
    assert {name: counted[name] for name in found.networks} == found.networks
    steps = [cost.step for cost in found.losses.values() if cost.step is not None]
    assert len(steps) > 10 and min(steps) > 0.5
    assert found.features["vgg16"].multiply_adds["relu1_1"] == 3 * 64 * 9


def test_ratios_have_two_digits() -> None:
    said = [times(value) for value in (0.123, 1.0, 9.94, 9.96, 123.4)]
    assert said == ["0.12 times", "1 times", "9.9 times", "10 times", "123 times"]
