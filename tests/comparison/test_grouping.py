"""Which runs form a sweep."""

from pathlib import Path

import pytest

from pdloss.comparison import comparable
from pdloss.comparison.grouping import Group, grouped, read_trained, terms_of
from pdloss.errors import RunError
from tests.report.folders import write_run

PDL, PERCEPTUAL = "pdl(features='vgg19.relu4_3', p=1)", "perceptual(features='vgg19.relu4_3', p=1)"


def sweeps(folder: Path, **runs: tuple[str, float] | tuple[str, float, dict]) -> list[Group]:
    """Groups runs given as ``name=(loss, psnr[, settings])``."""
    paths = []
    for name, (loss, psnr, *settings) in runs.items():
        values = {"psnr": [psnr - 1, psnr, psnr + 1], "lpips": [0.1, 0.2, 0.3]}
        paths.append(write_run(folder / name, values, loss=loss, **(settings[0] if settings else {})))
    found = comparable(paths)
    return grouped([read_trained(run) for run in found.runs], "psnr", found.images)


def test_weights_are_taken_off_the_terms() -> None:
    assert terms_of(f"0.5*l1 + 1.03e-05*{PDL} + {PERCEPTUAL}") == {"l1": 0.5, PDL: 1.03e-05, PERCEPTUAL: 1.0}


def test_a_sum_within_a_quoted_word_is_no_sum_of_losses() -> None:
    term = "own.module:Loss(text='a + 2*b')"
    assert terms_of(f"l1 + 3*{term}") == {"l1": 1.0, term: 3.0}


def test_runs_that_differ_in_weights_alone_form_a_sweep_in_the_order_of_the_score(tmp_path: Path) -> None:
    one, other = sweeps(
        tmp_path,
        p1=(f"l1 + 0.1*{PDL}", 28.0),
        p2=(f"l1 + 0.01*{PDL}", 29.0),
        p3=(f"l1 + 1*{PDL}", 27.0),
        q1=(f"l1 + 0.1*{PERCEPTUAL}", 28.5),
    )
    assert (one.name, one.run_names) == ("l1 + pdl", ["p3", "p1", "p2"])
    assert one.weights == [[1.0, 1.0], [1.0, 0.1], [1.0, 0.01]]
    assert (other.name, other.run_names) == ("l1 + perceptual", ["q1"])


def test_the_plain_loss_is_the_end_of_every_sweep(tmp_path: Path) -> None:
    one, other = sweeps(tmp_path, base=("l1", 30.0), p=(f"l1 + 0.1*{PDL}", 28.0), q=(f"l1 + 0.1*{PERCEPTUAL}", 28.5))
    assert one.run_names == ["p", "base"]
    assert other.run_names == ["q", "base"]
    assert other.weights[1] == [1.0, 0.0]


def test_the_plain_loss_stands_alone_where_only_one_sweep_would_remain(tmp_path: Path) -> None:
    groups = sweeps(tmp_path, base=("l1", 30.0), p1=(f"l1 + 0.1*{PDL}", 28.0), p2=(f"l1 + 0.01*{PDL}", 30.5))
    assert [group.run_names for group in groups] == [["base"], ["p1", "p2"]]


def test_the_plain_loss_does_not_join_runs_of_other_settings(tmp_path: Path) -> None:
    groups = sweeps(
        tmp_path,
        base=("l1", 30.0),
        p=(f"l1 + 0.1*{PDL}", 28.0),
        q=(f"l1 + 0.1*{PERCEPTUAL}", 28.5, {"steps": 400}),
    )
    assert [group.run_names for group in groups] == [["p", "base"], ["q"]]
    assert [group.name for group in groups] == ["l1 + pdl, steps 100", "l1 + perceptual, steps 400"]


def test_other_settings_make_another_sweep_named_after_them(tmp_path: Path) -> None:
    groups = sweeps(
        tmp_path,
        **{f"c{crop}-{w}": (f"l1 + {w}*{PDL}", 28.0 - w, {"crop": crop}) for crop in (96, 192) for w in (0.1, 0.2)},
    )
    assert [group.name for group in groups] == ["l1 + pdl, crop 96", "l1 + pdl, crop 192"]
    assert all(len(group.runs) == 2 for group in groups)


def test_options_that_differ_are_in_the_name(tmp_path: Path) -> None:
    distilled = PDL.replace("vgg19", "distilled")
    groups = sweeps(tmp_path, a=(f"l1 + 0.1*{PDL}", 28.0), b=(f"l1 + 0.1*{distilled}", 28.0))
    assert [g.name for g in groups] == ["l1 + pdl(features='vgg19.relu4_3')", "l1 + pdl(features='distilled.relu4_3')"]


def test_a_score_that_does_not_follow_the_weight_is_noticed(tmp_path: Path) -> None:
    steady, turning = sweeps(
        tmp_path,
        **{f"p{w}": (f"l1 + {w}*{PDL}", psnr) for w, psnr in ((0.1, 29.0), (0.2, 28.0), (0.3, 27.0))},
        **{f"q{w}": (f"l1 + {w}*{PERCEPTUAL}", psnr) for w, psnr in ((0.1, 28.0), (0.2, 29.0), (0.3, 27.0))},
    )
    assert not steady.turns_back()
    assert turning.turns_back()


def test_refuses_runs_that_were_trained_alike(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="p and q were trained alike"):
        sweeps(tmp_path, p=(f"l1 + 0.1*{PDL}", 28.0), q=(f"0.1*{PDL} + l1", 28.5))


def test_refuses_a_single_sweep(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"one sweep, of l1 \+ pdl\(.*two losses"):
        sweeps(tmp_path, p=(f"l1 + 0.1*{PDL}", 28.0), q=(f"l1 + 0.2*{PDL}", 28.5))


def test_refuses_scores_without_a_configuration(tmp_path: Path) -> None:
    paths = [write_run(tmp_path / name, {"psnr": [1.0, 2.0, 3.0]}) for name in "ab"]
    (paths[1] / "config.json").unlink()
    with pytest.raises(RunError, match=r"kodak.json has no config.json beside it"):
        [read_trained(run) for run in comparable(paths).runs]
