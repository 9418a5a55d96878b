"""Which runs are one loss along its weights."""

from pathlib import Path

import pytest

from pdloss.report.families import brief, families, run_inks
from pdloss.report.sources import Comparison, read_comparison
from tests.report.folders import write_run

VGG, OWN = "pdl(features='vgg19.relu4_3', p=1)", "pdl(features='distilled.relu4_3', p=1)"
LOSSES = ("l1", f"l1 + 0.02*{VGG}", f"l1 + 0.001*{VGG}", f"l1 + 0.01*{OWN}", "l1 + 0.5*perceptual(p=2)")


def of_losses(folder: Path, *losses: str, **settings: tuple[object, ...]) -> Comparison:
    runs = []
    for i, loss in enumerate(losses):
        own = {key: values[i] for key, values in settings.items()}
        runs.append(write_run(folder / f"run{i}", {"psnr": [30.0 + i, 31.0, 32.0]}, loss=loss, **own))
    return read_comparison(runs)


def test_runs_of_one_loss_are_joined_in_the_order_of_its_weight(tmp_path: Path) -> None:
    found = families(of_losses(tmp_path, *LOSSES))
    assert [(f.name, f.runs, f.weights, f.origin) for f in found] == [
        ("l1", (0,), ("",), None),
        ("l1 + pdl(vgg19.relu4_3)", (2, 1), ("0.001", "0.02"), 0),
        ("l1 + pdl(distilled.relu4_3)", (3,), ("0.01",), 0),
        ("l1 + perceptual", (4,), ("0.5",), 0),
    ]
    assert found[1].path == (0, 2, 1)
    assert found[0].path == (0,)


@pytest.mark.parametrize("setting", [{"crop": (96, 96, 192)}, {"lr": (1e-4, 1e-4, 1e-3)}])
def test_runs_trained_otherwise_are_another_curve(tmp_path: Path, setting: dict[str, tuple[object, ...]]) -> None:
    found = families(of_losses(tmp_path, "l1", f"l1 + 0.1*{VGG}", f"l1 + 0.2*{VGG}", **setting))
    (name,) = setting
    assert [f.name for f in found] == [
        "l1",
        f"l1 + pdl, {name} {setting[name][1]}",
        f"l1 + pdl, {name} {setting[name][2]}",
    ]
    assert [f.origin for f in found] == [None, 0, None]


def test_another_seed_is_no_other_loss(tmp_path: Path) -> None:
    (family,) = families(of_losses(tmp_path, "l1", "l1", seed=(0, 1)))
    assert family.runs == (0, 1)


def test_several_weights_that_vary_are_all_told(tmp_path: Path) -> None:
    (family,) = families(of_losses(tmp_path, f"l1 + 0.1*{VGG} + 2*lpips", f"l1 + 0.3*{VGG} + 1*lpips"))
    assert family.weights == ("0.1 / 2", "0.3 / 1")


def test_losses_differ_in_colour_and_weights_in_dashes(tmp_path: Path) -> None:
    inks = run_inks(families(of_losses(tmp_path, *LOSSES)))
    assert sorted(inks) == [0, 1, 2, 3, 4]
    assert [(inks[i].family, inks[i].member) for i in range(5)] == [(0, 0), (1, 1), (1, 0), (2, 0), (3, 0)]


def test_a_loss_is_told_with_what_distinguishes_it() -> None:
    assert [brief(loss, LOSSES) for loss in LOSSES] == [
        "l1",
        "l1 + 0.02·pdl(vgg19.relu4_3)",
        "l1 + 0.001·pdl(vgg19.relu4_3)",
        "l1 + 0.01·pdl(distilled.relu4_3)",
        "l1 + 0.5·perceptual",
    ]
    assert brief("l1 + 2*perceptual(p=2)", ["l1 + 2*perceptual(p=1)"]) == "l1 + 2·perceptual(p=2)"
