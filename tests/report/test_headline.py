"""The sentences at the top: what they claim, and what they do not."""

from pathlib import Path

import numpy as np
import pytest

from pdloss.records import Metric
from pdloss.report.headline import contest, fidelity, headline, perception
from pdloss.report.scores import gap, score_table
from pdloss.report.sources import Comparison, read_comparison
from tests.report.folders import METRICS, write_run

INPUT = {"psnr": [20.0, 21.0, 22.0] * 4, "lpips": [0.5, 0.6, 0.7] * 4}
SHARP = {"psnr": [28.0, 29.5, 30.0] * 4, "lpips": [0.10, 0.12, 0.11] * 4}
SMOOTH = {"psnr": [29.0, 30.0, 32.0] * 4, "lpips": [0.30, 0.28, 0.35] * 4}
NAMES = tuple(f"{i}.png" for i in range(24))


def said(comparison: Comparison) -> str:
    return " ".join(headline(comparison)).replace("\N{NO-BREAK SPACE}", " ")


def runs_of(folder: Path, loss: str = "l1", **scores: dict[str, list[float]]) -> Comparison:
    images = NAMES[: len(next(iter(next(iter(scores.values())).values())))]
    return read_comparison([write_run(folder / n, s, images=images, loss=loss) for n, s in scores.items()])


BUDGET = (
    "This is of edsr(blocks=1), trained for 100 steps of 2 crops of 16 pixels from fresh weights, on kodak: another "
    "network, length or start may rank the losses otherwise."
)


def test_states_the_trade_off_with_its_uncertainty(tmp_path: Path) -> None:
    comparison = runs_of(tmp_path, smooth=SMOOTH, sharp=SHARP)
    less, paid = gap(comparison, "lpips", 1, 0), gap(comparison, "psnr", 1, 0)
    assert less.low is not None
    assert less.high is not None
    assert paid.low is not None
    assert paid.high is not None
    assert said(comparison) == (
        f"sharp (l1) has the lowest LPIPS (0.1100): 0.2000 [{-less.high:.4f}, {-less.low:.4f}] below smooth (l1), the "
        f"run with the highest PSNR (30.33 dB). It pays 1.17 dB [{-paid.high:.2f}, {-paid.low:.2f}] of PSNR for that. "
        + BUDGET
    )


def test_too_few_images_make_no_claim_in_any_sentence(tmp_path: Path) -> None:
    """What the note calls too few to call, no sentence, star or filled mark may claim."""
    few = {name: {key: values[:5] for key, values in run.items()} for name, run in {"a": SMOOTH, "b": SHARP}.items()}
    comparison = runs_of(tmp_path, **few)
    assert any("too few to call" in note for note in comparison.notes)
    assert said(comparison).count("that 5 images do not tell from chance") == 1
    assert "which 5 images do not tell from chance" in said(comparison)
    assert {d.verdict for d in comparison.tested.differences} == {"unclear"}
    assert not gap(comparison, "lpips", 1, 0).clear
    assert [[cell.tied for cell in row.cells if cell] for row in score_table(comparison)[1:]] == [
        [False, True],
        [True, False],
    ]


@pytest.mark.parametrize("n", [6, 9, 12])
def test_headline_star_and_verdict_agree_in_every_pair(tmp_path: Path, n: int) -> None:
    stream = np.random.default_rng(n)
    base = stream.normal(30, 1, n)
    comparison = runs_of(
        tmp_path, **{f"r{i}": {"psnr": (base + 0.12 * i + stream.normal(0, 0.12, n)).tolist()} for i in range(4)}
    )
    for one in comparison.tested.differences:
        place = next(i for i, run in enumerate(comparison.runs) if run.name == one.name)
        assert gap(comparison, one.metric, place, 0) == one
    best = int(np.argmax(comparison.means("psnr")))
    told = {i for i in range(4) if i != best and not gap(comparison, "psnr", i, best).clear}
    tied = {row.run for row in score_table(comparison) if row.cells[0] and row.cells[0].tied}
    assert told == tied
    assert ("do not tell it apart" in said(comparison)) == bool(tied)


def test_a_mean_that_equal_images_lift_is_not_said_without_the_one_they_do_not(tmp_path: Path) -> None:
    equal = {"psnr": [120.0, *([29.0] * 11)], "lpips": [0.0] + [0.2] * 11}
    plain = {"psnr": [28.0 + 0.1 * i for i in range(12)], "lpips": [0.3] * 12}
    comparison = runs_of(tmp_path, plain=plain, equal=equal)
    assert "(36.58 dB, 29.00 without 1 equal)" in said(comparison)
    cell = score_table(comparison)[2].cells[0]
    assert cell is not None
    assert cell.under.endswith("; 29.00 without 1 equal")
    assert (cell.equal, cell.without_equal) == (1, 29.0)


def test_says_for_which_training_it_holds(tmp_path: Path) -> None:
    two = [
        write_run(tmp_path / "a", SMOOTH, images=NAMES[:12], steps=100),
        write_run(tmp_path / "b", SHARP, images=NAMES[:12], steps=2000, init="runs/l1"),
    ]
    told = said(read_comparison(two))
    assert "for 100 steps of 2 crops of 16 pixels or 2,000 steps of 2 crops of 16 pixels" in told
    assert "from fresh weights or runs/l1" in told


def test_a_lead_that_may_be_chance_is_called_so_and_the_cheapest_equal_is_named(tmp_path: Path) -> None:
    stream = np.random.default_rng(0)
    noise = stream.normal(0, 0.02, 24)
    noise -= noise.mean()
    base = stream.uniform(0.1, 0.3, 24)
    comparison = runs_of(
        tmp_path,
        plain={"psnr": [30.0 + 0.01 * i for i in range(24)], "lpips": (base + 0.2).tolist()},
        best={"psnr": [27.0 + 0.01 * i for i in range(24)], "lpips": base.tolist()},
        near={"psnr": [29.0 + 0.01 * i for i in range(24)], "lpips": (base + 0.001 + noise).tolist()},
    )
    assert "In LPIPS these 24 images do not tell it apart from near; of these, near (l1) has the highest PSNR" in said(
        comparison
    )


def test_pixels_alone_are_not_crowned_when_looks_were_not_measured(tmp_path: Path) -> None:
    sentence = said(runs_of(tmp_path, a={"psnr": SMOOTH["psnr"]}, b={"psnr": [20.0, 21.0, 21.5] * 4}))
    assert sentence.startswith("a (l1) has the highest PSNR (30.33 dB), 9.50 dB [")
    assert "How the pictures look was not measured" in sentence
    assert "`pdloss assets get lpips-alex alexnet-torchvision`" in sentence
    assert "pdloss assets get" not in said(runs_of(tmp_path / "scored", a=SMOOTH, b=SHARP))


def test_names_a_run_that_is_best_in_both(tmp_path: Path) -> None:
    worse = {"psnr": [20.0, 20.5, 20.0] * 4, "lpips": [0.9, 0.8, 0.9] * 4}
    sentence = said(runs_of(tmp_path, worse=worse, better=SHARP))
    assert sentence.startswith("better (l1) has the lowest LPIPS (0.1100), 0.75")
    assert "It also has the highest PSNR (29.17 dB), 9.00 dB [" in sentence


def test_equal_runs_are_not_told_apart(tmp_path: Path) -> None:
    sentence = said(runs_of(tmp_path, a=SHARP, b=SHARP))
    assert "a (l1) has the lowest LPIPS (0.1100), but these images do not tell it apart from b in LPIPS." in sentence


def test_of_one_run_says_what_it_gains(tmp_path: Path) -> None:
    comparison = read_comparison([write_run(tmp_path / "a", SHARP, INPUT, images=NAMES[:12])])
    assert said(comparison) == (
        "a takes PSNR from 21.00 to 29.17 dB and LPIPS from 0.6000 to 0.1100 on average over the 12 images."
    )


def test_does_without_psnr(tmp_path: Path) -> None:
    metrics = {"niqe": Metric(label="NIQE", better="lower", protocol="official")}
    values = {"a": [4.0, 4.1, 4.2] * 4, "b": [3.0, 3.1, 3.2] * 4}
    runs = [write_run(tmp_path / name, {"niqe": v}, metrics=metrics, images=NAMES[:12]) for name, v in values.items()]
    sentence = said(read_comparison(runs))
    assert sentence.startswith("b (l1) has the lowest NIQE (3.100), 1.000 [")
    assert "below the next, a (l1)." in sentence


def test_the_loss_is_said_where_the_name_does_not_tell_it(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path / "l1", SMOOTH, loss="l1", images=NAMES[:12]),
        write_run(tmp_path / "x7", SHARP, loss="l1 + 0.01*pdl(p=1)", images=NAMES[:12]),
    ]
    assert said(read_comparison(runs)).startswith("x7 (l1 + 0.01·pdl) has the lowest LPIPS (0.1100): 0.2000")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("psnr", "lpips"), ("psnr", "lpips")),
        (("psnr_y", "lpips_vgg"), ("psnr_y", "lpips_vgg")),
        (("psnr_y", "psnr", "lpips_vgg", "lpips"), ("psnr", "lpips")),
        (("psnr", "lpips(net='vgg')"), ("psnr", "lpips(net='vgg')")),
        (("ssim", "niqe", "dists"), (None, "dists")),
        (("ssim",), (None, None)),
    ],
)
def test_finds_fidelity_and_perception_by_name(
    tmp_path: Path, names: tuple[str, ...], expected: tuple[str | None, str | None]
) -> None:
    metrics = dict.fromkeys(names, METRICS["psnr"])
    run = write_run(tmp_path / "a", {key: [1.0, 2.0, 3.0] for key in names}, metrics=metrics)
    comparison = read_comparison([run])
    assert (fidelity(comparison), perception(comparison)) == expected


def test_the_contest_is_between_the_best_look_and_the_best_psnr(tmp_path: Path) -> None:
    middle = {"psnr": [28.0, 29.0, 30.0] * 4, "lpips": [0.2] * 12}
    assert contest(runs_of(tmp_path, middle=middle, smooth=SMOOTH, sharp=SHARP)) == ("lpips", 2, 1)
    assert contest(runs_of(tmp_path / "two", a={"psnr": [1.0, 2.0, 3.0]}, b={"psnr": [2.0, 3.0, 4.0]})) == (
        "psnr",
        1,
        0,
    )
    assert contest(runs_of(tmp_path / "one", a=SHARP)) is None
