"""The conformance suite: right losses pass, wrong ones fail for the right reason, and the page in docs says so."""

import inspect
import math
import shlex
from pathlib import Path

import numpy as np
import ot
import pytest
import torch
from torch import Tensor, nn

from pdloss.commands.conformance import main
from pdloss.conformance import CHECKS, assert_conforms, conformance
from pdloss.losses import perceptual_loss, projected_distribution_loss
from pdloss.ops.sliced import sliced_wasserstein
from tests.conformance.losses import Loss, along_random_directions, failed, marginals, said
from tests.oracles import wrong_distribution_losses as wrong

ROOT = Path(__file__).parents[2]


def rooted(u: Tensor, v: Tensor) -> Tensor:
    """W2 with its root, and an epsilon that keeps its gradient finite at equality."""
    return ((u.flatten(2).sort(-1).values - v.flatten(2).sort(-1).values).square().mean(-1) + 1e-12).sqrt().mean(-1)


def with_pot(u: Tensor, v: Tensor) -> Tensor:
    """POT's 1-D cost, which is right for one image as for many."""
    costs = [ot.wasserstein_1d(a.flatten(1).T, b.flatten(1).T, p=1).mean() for a, b in zip(u, v, strict=True)]
    return torch.stack(costs)


@pytest.mark.parametrize("seed", range(4))
def test_ours_conform_whatever_the_seed(seed: int) -> None:
    assert_conforms(projected_distribution_loss, seed=seed)
    assert_conforms(perceptual_loss, "perceptual", seed=seed)


@pytest.mark.parametrize(
    ("loss", "form"),
    [
        (marginals, "W1"),
        (lambda u, v: marginals(u, v).mean(), "W1"),
        (with_pot, "W1"),
        (along_random_directions, "W1"),
        (rooted, "W2, rooted"),
        (lambda u, v: projected_distribution_loss(u, v, p=2.0), "W2^2, without the root"),
        (lambda u, v: projected_distribution_loss(u, v, p=3.0), "W3^3, without the root"),
        (lambda u, v: marginals(u.float(), v.float()), "W1"),
    ],
    ids=["sorted", "scalar", "POT", "sliced", "rooted", "squared", "cubed", "computed in float32"],
)
def test_right_ones_of_every_form_conform_and_the_form_is_named(loss: Loss, form: str) -> None:
    verdicts = conformance(loss)
    assert failed(verdicts) == set()
    assert said(verdicts, "equals the 1-D cost") == f"it is {form}"


def test_the_librarys_sliced_cost_conforms_along_random_directions() -> None:
    def loss(u: Tensor, v: Tensor) -> Tensor:
        stream = torch.Generator().manual_seed(5)
        return sliced_wasserstein(u, v, torch.randn(32, u.shape[1], generator=stream), p=1.0)

    assert_conforms(loss)


@pytest.mark.parametrize(
    ("loss", "zero"),
    [
        (projected_distribution_loss, {"shuffled", "rolled"}),
        (wrong.projects_positions, {"channels"}),
        (wrong.reshapes_without_transposing, set()),
        (wrong.sums_along_the_raster, {"contrast"}),
    ],
)
def test_the_wrong_losses_are_zero_where_they_must_not_be(
    loss: Loss, zero: set[str], generator: torch.Generator
) -> None:
    maps = torch.rand(1, 5, 6, 8, generator=generator) * torch.arange(1.0, 6).view(5, 1, 1)
    changed = {
        "shuffled": maps.flatten(2)[:, :, torch.randperm(48, generator=generator)].view_as(maps),
        "rolled": maps.roll(3, -1),
        "channels": maps.flip(1),
        "contrast": 2 * maps,
        "blur": torch.nn.functional.avg_pool2d(maps, 3, 1, 1),
    }
    assert loss(maps, maps).item() == 0
    values = {case: loss(other, maps).item() for case, other in changed.items()}
    assert {case for case, value in values.items() if value < 1e-5} == zero
    assert min(value for case, value in values.items() if case not in zero) > 0.02


def test_projecting_positions_and_sorting_channels_is_found_out() -> None:
    verdicts = conformance(wrong.projects_positions)
    assert failed(verdicts) == {
        "ignores shuffled positions",
        "ignores rolled positions",
        "sees shuffled channels",
        "equals the 1-D cost",
        "gradient follows ranks",
    }
    assert "sorts another axis than positions" in said(verdicts, "ignores shuffled positions")
    assert "sorted against each other" in said(verdicts, "sees shuffled channels")
    assert "torch.manual_seed, which is needed" in said(verdicts, "same under one seed")


def test_reshaping_without_transposing_is_found_out() -> None:
    # With a single channel there is nothing to transpose: there it is right, and no check on a line can find it.
    verdicts = conformance(wrong.reshapes_without_transposing)
    assert failed(verdicts) == {"ignores shuffled positions", "ignores rolled positions"}


def test_summing_along_the_raster_is_found_out() -> None:
    verdicts = conformance(wrong.sums_along_the_raster)
    assert failed(verdicts) == {
        "ignores shuffled positions",
        "ignores rolled positions",
        "sees doubled contrast",
        "grows as a power",
        "equals the 1-D cost",
        "gradient follows ranks",
    }
    assert "divided by their sum" in said(verdicts, "sees doubled contrast")


def test_each_kind_fails_as_the_other() -> None:
    place_by_place = failed(conformance(perceptual_loss))
    assert {"ignores shuffled positions", "ignores rolled positions", "equals the 1-D cost"} <= place_by_place
    as_perceptual = conformance(projected_distribution_loss, "perceptual")
    assert failed(as_perceptual) == {"sees shuffled positions", "sees rolled positions"}
    assert "distribution loss" in said(as_perceptual, "sees rolled positions")


def test_the_scale_and_the_number_of_channels_can_be_declared() -> None:
    assert_conforms(lambda u, v: 3 * marginals(u, v), scale=3)
    assert failed(conformance(marginals, scale=3)) == {"equals the 1-D cost"}
    turn = torch.tensor([[0.6, 0.8], [-0.8, 0.6]]).view(2, 2, 1, 1)

    def of_two_channels(u: Tensor, v: Tensor) -> Tensor:
        return marginals(*(torch.conv2d(maps, turn.to(maps.dtype)) for maps in (u, v)))

    assert len(failed(conformance(of_two_channels))) > 10
    assert_conforms(of_two_channels, channels=2)
    alone = {verdict.name: verdict.passed for verdict in conformance(marginals, channels=1)}
    assert alone.pop("sees shuffled channels") is None
    assert alone.pop("symmetric") is None
    assert all(alone.values())


def test_a_module_is_checked_in_eval_mode_and_left_as_it_was() -> None:
    class Redrawing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.part, self.stream = nn.Dropout(0.5), torch.Generator()
            self.part.eval()

        def forward(self, u: Tensor, v: Tensor) -> Tensor:
            if self.training:
                return torch.rand((), generator=self.stream) * marginals(u, v)
            return marginals(u, v)

    loss = Redrawing()
    assert_conforms(loss)
    assert loss.training
    assert not loss.part.training


def test_torchs_own_generator_stands_where_it_stood() -> None:
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    with torch.no_grad():
        conformance(along_random_directions)
    assert torch.equal(torch.rand(3), expected)


def test_a_seed_gives_the_same_words_again_and_another_seed_others() -> None:
    assert conformance(marginals, seed=1) == conformance(marginals, seed=1)
    assert conformance(marginals, seed=1) != conformance(marginals, seed=2)


def test_the_failure_of_an_assertion_names_the_loss_and_every_reason() -> None:
    with pytest.raises(AssertionError) as failure:
        assert_conforms(wrong.reshapes_without_transposing)
    first, *reasons = str(failure.value).splitlines()
    assert first == "reshapes_without_transposing fails 2 of 16 checks of a distribution loss:"
    assert [reason.partition(":")[0] for reason in reasons] == [
        "- ignores shuffled positions",
        "- ignores rolled positions",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": 0.0}, "positive and finite, got 0"),
        ({"scale": math.inf}, "positive and finite, got inf"),
        ({"channels": 0}, "at least one channel, got 0"),
    ],
)
def test_refuses_options_without_meaning(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        conformance(marginals, **options)


def test_refuses_an_unknown_kind() -> None:
    with pytest.raises(ValueError, match="unknown kind of loss 'sliced'; known: distribution, perceptual"):
        inspect.unwrap(conformance)(marginals, "sliced")  # tests verify types before the function sees them


def matrix(page: str) -> list[str]:
    """The table of verdicts: the page's first."""
    lines = page.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("| check |"))
    return lines[start : start + 2 + len(CHECKS["distribution"])]


def test_the_page_in_docs_is_what_its_command_says_today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    committed = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
    command = next(line for line in committed.splitlines() if line.startswith("    pdloss conformance "))
    arguments = shlex.split(command)[2:]
    assert arguments[-2:] == ["--markdown", "docs/conformance.md"]
    monkeypatch.chdir(ROOT)
    assert main([*arguments[:-1], str(tmp_path / "page.md")]) == 1
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert matrix(page) == matrix(committed)
    assert matrix(page)[0].count("|") == 6
    verdicts = np.array([[cell.strip() for cell in line.split("|")[2:-1]] for line in matrix(page)[2:]])
    assert "FAIL" not in verdicts[:, 0]
    assert ["FAIL" in column for column in verdicts.T] == [False, True, True, True]
