"""Best rows and best columns found block by block, against the whole table and against arithmetic by hand."""

import inspect
import math
import re

import pytest
import torch
from torch import Tensor

from pdloss.ops import matching


def scores(weights: Tensor):
    """Scores that are not linear in the rows, and know the rows' places."""

    def score(rows: Tensor, places: Tensor) -> Tensor:
        return (rows @ weights).sin() + 0.1 * places[:, None]

    return score


@pytest.mark.parametrize("block", [1, 5, 12, 1000])
def test_the_highest_and_their_gradient_are_those_of_the_whole_table(block: int, generator: torch.Generator) -> None:
    rows = torch.randn(7, 3, generator=generator, dtype=torch.float64)
    weights = torch.randn(3, 5, generator=generator, dtype=torch.float64)
    counts = torch.arange(1.0, 6, dtype=torch.float64)
    by_blocks, whole = rows.clone().requires_grad_(), rows.clone().requires_grad_()
    best = matching.highest(by_blocks, 5, scores(weights), block)
    expected = scores(weights)(whole, torch.arange(7)).max(dim=0).values
    torch.testing.assert_close(best, expected)
    (best @ counts).backward()
    (expected @ counts).backward()
    torch.testing.assert_close(by_blocks.grad, whole.grad)
    assert 1 < whole.grad.any(dim=1).sum() < 7  # more than one row wins, and not every one


def test_only_rows_that_are_best_somewhere_are_scored_again() -> None:
    rows = torch.tensor([[1.0, 1.0], [9.0, 2.0], [3.0, 3.0], [4.0, 8.0]], requires_grad=True)
    seen: list[list[int]] = []

    def score(some: Tensor, places: Tensor) -> Tensor:
        seen.append(places.tolist())
        return some * 1.0

    best = matching.highest(rows, 2, score, block=4)
    assert seen == [[0, 1], [2, 3]]
    best.sum().backward()
    assert seen[2:] == [[1, 3]]


@pytest.mark.parametrize("block", [1, 5, 1000])
def test_the_lowest_are_those_of_the_whole_table(block: int, generator: torch.Generator) -> None:
    rows = torch.randn(7, 3, generator=generator, requires_grad=True)
    weights = torch.randn(3, 5, generator=generator)
    found = matching.lowest(rows, 5, scores(weights), block)
    assert found.equal(scores(weights)(rows, torch.arange(7)).argmin(dim=1))


@pytest.mark.parametrize("place", [0, 3, 6])
def test_a_row_of_nan_is_never_beaten(place: int, generator: torch.Generator) -> None:
    rows = torch.randn(7, 3, generator=generator)
    rows[place] = math.nan
    assert matching.highest(rows, 5, scores(torch.ones(3, 5)), block=10).isnan().all()


def test_similarities_are_worked_out_by_hand() -> None:
    table = torch.tensor([[0.5, 1.0, 0.0], [2.0, 2.0, 4.0]])
    # Relative distances with epsilon 1/2: (1, 2, 0) and (0.8, 0.8, 1.6), times 2 at bandwidth 1/2.
    weights = torch.tensor([[-2.0, -4.0, 0.0], [-1.6, -1.6, -3.2]]).exp()
    expected = weights / weights.sum(1, keepdim=True)
    torch.testing.assert_close(matching.similarities(table, bandwidth=0.5, epsilon=0.5), expected)


def test_distances_are_worked_out_by_hand() -> None:
    x, y = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    assert matching.distances(x, y, "dot").tolist() == [[0.0, 0.5, 1.0]]
    assert matching.distances(3 * x, y, "l2").tolist() == [[4.0, 10.0, 16.0]]


@pytest.mark.parametrize("distance", ["dot", "l2"])
def test_distances_are_never_negative(distance: matching.Distance, generator: torch.Generator) -> None:
    x = torch.randn(50, 7, generator=generator)
    x = x / x.norm(dim=1, keepdim=True)
    gram = x @ x.T
    assert (gram.diagonal() > 1).any()  # rounding does make cosines larger than one
    assert matching.distances(x, x, distance).min() == 0


def test_points_lie_around_the_mean_of_each_target_or_of_all() -> None:
    target = torch.tensor([[0.0, 2.0], [10.0, 16.0]]).view(2, 1, 1, 2)
    restored = target + 0.5
    x, y = matching.points(restored, target, "l2")
    assert y.flatten(1).tolist() == [[-1.0, 1.0], [-3.0, 3.0]]
    assert x.flatten(1).tolist() == [[-0.5, 1.5], [-2.5, 3.5]]
    _, of_image = matching.points(restored, target, "dot", "image")
    _, of_batch = matching.points(restored, target, "dot", "batch")
    assert of_image.flatten(1).tolist() == [[-1.0, 1.0], [-1.0, 1.0]]
    assert of_batch.flatten(1).tolist() == [[-1.0, -1.0], [1.0, 1.0]]  # around 7


def test_subtracting_the_mean_saves_digits_of_squared_distances(generator: torch.Generator) -> None:
    restored, target = 1000 + torch.randn(2, 1, 64, 8, 8, generator=generator)
    exact = torch.cdist(*(maps.double().flatten(2).transpose(1, 2) for maps in (restored, target))).square()
    (x,), (y,) = matching.points(restored, target, "l2")
    around_mean = (matching.distances(x, y, "l2") / exact - 1).abs().max()
    as_they_are = (matching.distances(*(m[0].flatten(1).T for m in (restored, target)), "l2") / exact - 1).abs().max()
    assert around_mean < 1e-5
    assert as_they_are > 1e-2


@pytest.mark.parametrize("value", [0.0, 0.1, 1000.3, 1e-20, 6e4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_points_of_a_constant_map_have_no_direction(value: float, dtype: torch.dtype) -> None:
    maps = torch.full((1, 5, 23, 31), value, dtype=dtype, requires_grad=True)
    x, y = matching.points(maps, maps, "dot")
    assert not x.any()
    assert not y.any()
    x.sum().backward()
    assert maps.grad is not None
    assert not maps.grad.any()


def test_points_come_in_float32_at_least(generator: torch.Generator) -> None:
    maps = torch.rand(1, 3, 2, 2, generator=generator)
    for one, other, expected in [
        (torch.float16, torch.bfloat16, torch.float32),
        (torch.float16, torch.float64, torch.float64),
        (torch.float32, torch.float32, torch.float32),
    ]:
        points = matching.points(maps.to(one), maps.to(other), "l2")
        assert [p.dtype for p in points] == [expected, expected]


def test_positions_go_row_by_row_and_their_gaps_are_exact() -> None:
    positions = matching.grid(torch.zeros(1, 1, 2, 4), torch.float64)
    assert positions[[0, 1, 4, 7]].tolist() == [[0, 0], [0, 0.25], [0.5, 0], [0.5, 0.75]]
    gaps = matching.gaps(positions[:1], positions[[0, 3, 4, 7]])
    assert gaps[0].tolist() == pytest.approx([0, 0.75, 0.5, math.hypot(0.5, 0.75)])
    many = matching.grid(torch.zeros(1, 1, 9, 9), torch.float32)
    assert not matching.gaps(many, many).diagonal().any()  # a matrix product would leave 1e-4


@pytest.mark.parametrize(
    ("restored", "target", "words"),
    [
        ((1, 2, 3, 3), (1, 3, 3, 3), "got (1, 2, 3, 3) and (1, 3, 3, 3)"),
        ((2, 2, 3, 3), (1, 2, 3, 3), "got (2, 2, 3, 3) and (1, 2, 3, 3)"),
        ((1, 2, 3, 3), (1, 2, 0, 3), "have positions, got (1, 2, 3, 3) and (1, 2, 0, 3)"),
    ],
)
def test_refuses_maps_that_cannot_be_compared(restored: tuple[int, ...], target: tuple[int, ...], words: str) -> None:
    unwatched = inspect.unwrap(matching.points)  # by jaxtyping, which under pytest would speak first
    with pytest.raises(ValueError, match=re.escape(words)):
        unwatched(torch.zeros(restored), torch.zeros(target), "dot")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"distance": "cosine"}, "distance must be one of dot, l2, got 'cosine'"),
        ({"center": "none"}, "center must be one of image, batch, got 'none'"),
    ],
)
def test_refuses_unknown_options(options: dict[str, str], words: str) -> None:
    maps = torch.zeros(1, 2, 3, 3)
    with pytest.raises(ValueError, match=words):
        inspect.unwrap(matching.points)(maps, maps, **{"distance": "dot", **options})
