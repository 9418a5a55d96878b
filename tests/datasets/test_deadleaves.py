"""Dead leaves: their law against closed forms, the painting against a slow painter."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from pdloss.datasets.deadleaves import DeadLeaves
from pdloss.datasets.sources import DRAWERS
from pdloss.errors import SpecError
from pdloss.ops import leaves as leaves_module
from pdloss.ops.leaves import Leaves, falling_leaves, partition

SHAPES = ["disc", "rectangle"]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def over(leaves, shape, rows, columns):
    """Which leaf, by its first index, lies over which sample: by the distance, or by the signs at the four sides."""
    down, right = rows - leaves.rows[:, None, None], columns - leaves.columns[:, None, None]
    if shape == "disc":
        return np.hypot(down, right) <= leaves.radii[:, None, None]
    turns = leaves.angles + np.stack([leaves.slants, math.pi - leaves.slants])  # to two neighbouring corners
    corners = leaves.radii * np.stack([np.sin(turns), np.cos(turns)])  # (down or right, corner, leaf)
    corners = np.concatenate([corners, -corners], 1)[..., None, None]
    crosses = [
        (b[0] - a[0]) * (right - a[1]) - (b[1] - a[1]) * (down - a[0])
        for a, b in ((corners[:, i], corners[:, (i + 1) % 4]) for i in range(4))
    ]
    return (np.stack(crosses) >= 0).all(0) | (np.stack(crosses) <= 0).all(0)


def overlap(shape, radius, distance):
    """Area of a leaf's overlap with itself moved by a distance, averaged over what its shape leaves to chance."""
    if shape == "disc":
        if distance >= 2 * radius:
            return 0.0
        half = distance / 2
        return 2 * radius**2 * math.acos(half / radius) - distance * math.sqrt(radius**2 - half**2)
    turns, slants = np.meshgrid(
        (np.arange(64) + 0.5) * math.pi / 128, (np.arange(16) + 0.5) * math.pi / 64 + math.pi / 8
    )
    sides = 2 * radius * np.cos(slants), 2 * radius * np.sin(slants)
    left = [
        np.maximum(side - distance * part, 0) for side, part in zip(sides, (np.cos(turns), np.sin(turns)), strict=True)
    ]
    return float((left[0] * left[1]).mean())


def covariogram(shape, distance, low, high, exponent):
    """Integral of r^-exponent times the overlap, by Simpson's rule over log r: discs of all radii, unnormalised."""
    logs = np.linspace(math.log(low), math.log(high), 301)
    values = [math.exp((1 - exponent) * log) * overlap(shape, math.exp(log), distance) for log in logs]
    return integrate.simpson(values, x=logs)


class TestTheChoice:
    @pytest.mark.parametrize(
        "text",
        [
            "deadleaves",
            "deadleaves(images=3, size=64, seed=-7, palette='uniform')",
            "deadleaves(exponent=2.5, smallest=2, largest=100, shape='rectangle', texture='waves', blur=0)",
        ],
    )
    def test_text_and_object_say_the_same(self, text):
        choice = DRAWERS.parse(text)
        assert str(choice) == text
        assert DRAWERS.parse(choice.in_full()) == choice

    def test_radii_reach_up_to_the_size_unless_told(self):
        assert DeadLeaves(size=64, smallest=2.0).radii == (2, 64)
        assert DeadLeaves(size=64, smallest=2.0, largest=9.0).radii == (2, 9)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("deadleaves(size=4)", "size=4"),
            ("deadleaves(size=5000)", "size=5000"),
            ("deadleaves(images=0)", "images=0"),
            ("deadleaves(exponent=-1)", "exponent=-1"),
            ("deadleaves(smallest=0)", "smallest=0"),
            ("deadleaves(smallest=3, largest=2)", "the largest radius, 2, must not be below the smallest"),
            ("deadleaves(size=64, smallest=100)", "the largest radius, 64, must not be below the smallest"),
            ("deadleaves(palette='natrual')", "natural, uniform or an image file"),
            ("deadleaves(texture='wavy')", "'none', 'gradient', 'waves', 'noise', 'mixed'"),
            ("deadleaves(shape='oak')", "'disc', 'rectangle'"),
            ("deadleaves(contrast=1.5)", "contrast=1.5"),
            ("deadleaves(blur=-1)", "blur=-1"),
            ("deadleaves(radius=3)", "has no option 'radius'"),
        ],
    )
    def test_refuses_what_cannot_be(self, text, message):
        with pytest.raises(SpecError) as refusal:
            DRAWERS.parse(text)
        assert message in str(refusal.value)


class TestPictures:
    def test_belong_to_the_seed_and_the_index_alone(self):
        few, many = DeadLeaves(images=2, size=32), DeadLeaves(images=9, size=32)
        one = few.image(1)
        many.image(7)
        assert torch.equal(one, many.image(1))
        others = [few.image(0), DeadLeaves(images=2, size=32, seed=1).image(1)]
        assert not any(torch.equal(one, other) for other in others)

    @pytest.mark.parametrize("options", [{}, {"shape": "rectangle", "blur": 0.0}])
    def test_are_the_same_whatever_the_number_of_threads(self, options):
        threads, pictures = torch.get_num_threads(), []
        try:
            for number in (1, 3):
                torch.set_num_threads(number)
                pictures.append(DeadLeaves(size=96, **options).image(0))
        finally:
            torch.set_num_threads(threads)
        assert torch.equal(*pictures)

    def test_leave_the_global_stream_alone(self):
        state = torch.random.get_rng_state()
        DeadLeaves(size=16).image(0)
        assert torch.equal(torch.random.get_rng_state(), state)

    @pytest.mark.parametrize("index", [-1, 3])
    def test_are_as_many_as_asked_for(self, index):
        source = DeadLeaves(images=3, size=16)
        assert source.image(2).shape == (3, 16, 16) and source.image(2).dtype == torch.uint8
        with pytest.raises(IndexError, match=f"3 pictures.* got {index}"):
            source.image(index)

    @pytest.mark.parametrize(
        ("options", "low", "high"), [({}, -2.25, -1.75), ({"texture": "none", "blur": 0.0}, -2.05, -1.55)]
    )
    def test_have_a_power_spectrum_of_nearly_one_over_the_squared_frequency(self, options, low, high):
        assert low < slope(DeadLeaves(**options), 12) < high

    def test_have_no_such_spectrum_without_leaves_of_all_sizes(self):
        # Below the one radius' frequency it is nearly flat, above it that of edges: the frequency to the power -3.
        sizes = {"smallest": 3.0, "largest": 4.0, "texture": "none", "blur": 0.0}
        assert abs(slope(DeadLeaves(**sizes), 6, 1 / 64, 1 / 30)) < 1
        assert slope(DeadLeaves(**sizes), 6, 1 / 10, 1 / 3) < -2.4


def slope(choice, count, low=1 / 64, high=1 / 4):
    """Slope of the logarithm of gray's power over that of the frequency, in equal steps of the latter."""
    window = np.hanning(choice.size)[:, None] * np.hanning(choice.size)
    grays = [choice.image(index).double().mean(0).numpy() for index in range(count)]
    power = sum(abs(np.fft.fft2((gray - np.average(gray, weights=window)) * window)) ** 2 for gray in grays)
    frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(choice.size)] * 2))
    edges = np.geomspace(low, high, 8)
    rings = [(frequency >= a) & (frequency < b) for a, b in itertools.pairwise(edges)]
    points = [(np.log(frequency[ring]).mean(), np.log(power[ring].mean())) for ring in rings]
    return np.polyfit(*np.transpose(points), 1)[0]


class TestFallingLeaves:
    @pytest.mark.parametrize("exponent", [3, 1, 2, 0, 2.7])
    def test_radii_follow_the_power_law(self, exponent):
        low, high, side = 2.0, 40.0, 50
        leaves = falling_leaves(40000, side, low, high, exponent, seeded())
        inside = (abs(leaves.rows + 0.5 - side / 2) < side / 2) & (abs(leaves.columns + 0.5 - side / 2) < side / 2)
        assert inside.sum() > 4000

        def law(radii):  # the distribution of r^-exponent between the limits
            power = 1 - exponent
            if power == 0:
                return np.log(radii / low) / math.log(high / low)
            return (radii**power - low**power) / (high**power - low**power)

        assert stats.kstest(leaves.radii[inside], law).pvalue > 1e-3
        # Those that reach the square from outside are more often large.
        assert stats.kstest(leaves.radii, law).pvalue < 1e-6

    @pytest.mark.parametrize("band", [(2, 3), (10, 40)])
    def test_centres_are_uniform_as_far_as_leaves_reach(self, band):
        leaves = falling_leaves(40000, 50, 2.0, 40.0, 3.0, seeded(1))
        chosen = (leaves.radii >= band[0]) & (leaves.radii < band[1])
        for centres in (leaves.rows, leaves.columns):
            shares = (centres + leaves.radii + 0.5)[chosen] / (50 + 2 * leaves.radii[chosen])
            assert stats.kstest(shares, "uniform").pvalue > 1e-3
        assert abs(stats.pearsonr(leaves.rows, leaves.columns)[0]) < 5 / math.sqrt(40000)

    def test_rectangles_take_all_directions_and_are_never_slivers(self):
        leaves = falling_leaves(20000, 50, 2.0, 40.0, 3.0, seeded(2))
        assert stats.kstest(leaves.angles / (2 * math.pi), "uniform").pvalue > 1e-3
        assert stats.kstest(leaves.slants, stats.uniform(math.pi / 8, math.pi / 4).cdf).pvalue > 1e-3

    def test_equal_limits_leave_one_radius(self):
        assert falling_leaves(9, 50, 7.0, 7.0, 3.0, seeded()).radii == pytest.approx(np.full(9, 7.0), rel=1e-12)


class TestPartition:
    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize(("low", "high", "exponent"), [(1, 40, 3), (4, 4, 3), (30, 500, 1)])
    def test_shows_at_every_sample_the_first_leaf_over_it(self, monkeypatch, shape, low, high, exponent):
        fallen = []
        monkeypatch.setattr(
            leaves_module, "falling_leaves", lambda *args: fallen.append(falling_leaves(*args)) or fallen[-1]
        )
        labels, seen = partition(37, low, high, exponent, shape, seeded(3))
        leaves = Leaves(*(np.concatenate(values) for values in zip(*fallen, strict=True)))
        hidden = over(leaves, shape, *np.indices((37, 37)))
        assert hidden.any(0).all()  # no hole is left
        np.testing.assert_array_equal(seen.radii[labels], leaves.radii[hidden.argmax(0)])
        np.testing.assert_array_equal(seen.rows[labels], leaves.rows[hidden.argmax(0)])
        assert np.unique(labels).tolist() == list(range(len(seen.radii)))  # and no leaf is kept that nobody sees

    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize(("side", "low", "high", "exponent"), [(64, 1, 64, 3), (64, 1, 1, 10), (16, 2e5, 2e5, 0)])
    def test_is_done_after_few_layers_of_leaves(self, monkeypatch, shape, side, low, high, exponent):
        # A batch of discs covers a sample once on average, of rectangles 0.57 times; after 40 batches a sample of the
        # 4096 would be open still with a chance of 4096 exp(-0.57 * 40) < 1e-6.
        batches = []
        monkeypatch.setattr(
            leaves_module, "falling_leaves", lambda *args: batches.append(args[0]) or falling_leaves(*args)
        )
        for seed in range(5):
            batches.clear()
            labels, seen = partition(side, low, high, exponent, shape, seeded(seed))
            assert len(batches) <= 40
            assert len(seen.radii) <= min(sum(batches), labels.size)

    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("exponent", [3.0, 1.5])
    def test_two_samples_share_a_leaf_as_often_as_the_closed_form_says_wherever_they_lie(self, shape, exponent):
        # The first leaf over either of two points at distance d lies over both with probability g(d) / (2 g(0) - g(d)),
        # where g is the covariogram ("The dead leaves model: a general tessellation modeling occlusion", Bordenave et
        # al., 2006).
        side, low, high, count = 24, 1.5, 60.0, 300
        maps = [partition(side, low, high, exponent, shape, seeded(seed))[0] for seed in range(count)]
        labels = np.stack(maps)  # (count, side, side)
        whole = covariogram(shape, 0, low, high, exponent)
        for step in (1, 3, 8):
            common = covariogram(shape, step, low, high, exponent)
            expected = common / (2 * whole - common)
            pairs = {
                "top": labels[:, 0, step:] == labels[:, 0, :-step],
                "middle": labels[:, side // 2, step:] == labels[:, side // 2, :-step],
                "left": labels[:, step:, 0] == labels[:, :-step, 0],
                "corner": (labels[:, -1, -1] == labels[:, -1, -1 - step])[:, None],
            }
            for place, same in pairs.items():
                shares = same.mean(1)  # of independent partitions
                error = shares.std() / math.sqrt(count)
                assert abs(shares.mean() - expected) < 5 * error, (step, place, shares.mean(), expected)
