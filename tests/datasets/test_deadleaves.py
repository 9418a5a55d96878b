"""Dead leaves: their law against closed forms, the painting against a slow painter, colours, textures and blur."""

import itertools
import math

import numpy as np
import PIL.Image
import pytest
import torch
from scipy import integrate, special, stats

from pdloss.datasets import deadleaves as module
from pdloss.datasets.deadleaves import DeadLeaves
from pdloss.datasets.palettes import palette_colours
from pdloss.datasets.sources import DRAWERS
from pdloss.errors import ImageError, SpecError
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


class TestColours:
    def test_of_nature_differ_less_within_a_picture_than_between_pictures(self):
        pictures = torch.stack([palette_colours("natural", 200, seeded(seed)) for seed in range(400)])
        assert pictures.min() >= 0 and pictures.max() <= 1
        within, between = pictures.var(1).mean(), pictures.mean(1).var(0).mean()
        # Twice the spread that means of 200 colours would have by chance is a hundredth of what it is.
        assert between > 20 * within / 200
        assert within > between

    def test_of_nature_are_those_of_photographs(self, images_folder):
        def histogram(colours):
            cells = (colours * 6).long().clamp(0, 5) @ torch.tensor([36, 6, 1])
            return torch.bincount(cells, minlength=216) / len(cells)

        paths = sorted((images_folder / "train").glob("*.jpg"))[::5]
        photographs = [np.asarray(PIL.Image.open(path).convert("RGB"))[::7, ::7].reshape(-1, 3) for path in paths]
        real = histogram(torch.from_numpy(np.concatenate(photographs)) / 255)
        ours = histogram(torch.cat([palette_colours("natural", 100, seeded(seed)) for seed in range(500)]))
        random = histogram(palette_colours("uniform", 50000, seeded()))
        # Total variation: 0 where the distributions are equal, 1 where they have nothing in common.
        assert (ours - real).abs().sum() / 2 < 0.15
        assert (random - real).abs().sum() / 2 > 0.6

    def test_of_a_uniform_palette_fill_the_cube(self):
        colours = palette_colours("uniform", 5000, seeded())
        for channel in colours.T:
            assert stats.kstest(channel.numpy(), "uniform").pvalue > 1e-3
        assert torch.corrcoef(colours.T).triu(1).abs().max() < 5 / math.sqrt(5000)

    def test_of_an_image_are_its_pixels_as_often_as_it_has_them(self, tmp_path):
        own = np.array([[10, 20, 30], [200, 0, 0], [0, 0, 255]], dtype=np.uint8)
        PIL.Image.fromarray(own[np.repeat([0, 1, 2], [50, 30, 20])].reshape(10, 10, 3)).save(tmp_path / "own.png")
        colours = (palette_colours(str(tmp_path / "own.png"), 3000, seeded()) * 255).round().to(torch.uint8)
        counts = [int((colours == torch.from_numpy(colour)).all(1).sum()) for colour in own]
        assert stats.chisquare(counts, [1500, 900, 600]).pvalue > 1e-3

    def test_of_an_image_that_is_none_are_refused_by_its_name(self, tmp_path):
        (tmp_path / "no.png").write_text("not an image")
        with pytest.raises(ImageError, match=r"no\.png: not an image"):
            DeadLeaves(size=16, palette=str(tmp_path / "no.png")).image(0)


@pytest.fixture
def ink(tmp_path):
    """The path of an image that is half black and half white."""
    PIL.Image.fromarray(np.array([[0, 255]], dtype=np.uint8).repeat(3).reshape(1, 2, 3)).save(tmp_path / "ink.png")
    return str(tmp_path / "ink.png")


def second_shares(texture, seed=0, radius=60.0, side=64):
    """What one leaf that is seen everywhere takes of its second colour."""
    leaf = Leaves(*(np.array([value]) for value in (side // 2, side // 2, radius, 0.0, 0.0)))
    choice = DeadLeaves(texture=texture, contrast=1.0)
    return module._second_shares(choice, np.zeros((side, side), dtype=np.int64), leaf, seeded(seed)).double().numpy()


def second_shares_at_centres(choice):
    """What 4096 leaves, each seen at its own centre only, take of their second colours there."""
    labels = np.arange(4096).reshape(64, 64)
    rows, columns = np.indices((64, 64)).reshape(2, -1).astype(float)
    leaves = Leaves(rows, columns, np.full(4096, 30.0), rows * 0, rows * 0)
    return module._second_shares(choice, labels, leaves, seeded(5)).flatten().numpy()


class TestTextures:
    def test_none_leaves_each_leaf_one_colour_and_edges_are_averaged_over_four_samples(self, ink):
        plain = DeadLeaves(size=64, palette=ink, texture="none", blur=0.0).image(0)
        levels, counts = plain.unique(return_counts=True)
        assert levels.tolist() == [0, 64, 128, 191, 255]
        assert counts[[0, -1]].sum() > counts[1:-1].sum()

    def test_no_contrast_is_no_texture(self):
        flat = DeadLeaves(size=48, contrast=0.0)
        assert torch.equal(flat.image(0), DeadLeaves(size=48, texture="none").image(0))
        assert not torch.equal(flat.image(0), DeadLeaves(size=48).image(0))

    def test_blend_the_leaf_s_two_colours_by_their_share(self, monkeypatch, ink):
        monkeypatch.setattr(module, "_second_shares", lambda _, labels, *__: torch.full(labels.shape, 0.2))
        choice = DeadLeaves(size=64, smallest=30.0, largest=30.0, palette=ink, blur=0.0)
        levels, counts = torch.stack([choice.image(0), choice.image(3)]).unique(return_counts=True)
        inside = {int(level) for level, count in zip(levels, counts, strict=True) if count > 300}
        assert inside == {0, 51, 204, 255}  # a fifth of the way between black and white

    def test_strengths_are_uniform_up_to_the_contrast(self):
        # A gradient is half way at the leaf's centre.
        strengths = 2 * second_shares_at_centres(DeadLeaves(texture="gradient", contrast=0.3))
        assert stats.kstest(strengths, stats.uniform(0, 0.3).cdf).pvalue > 1e-3

    def test_mixed_are_of_all_kinds_as_often(self):
        shares = second_shares_at_centres(DeadLeaves(texture="mixed", contrast=0.3))
        assert stats.binomtest(int((shares == 0).sum()), 4096, 1 / 4).pvalue > 1e-3
        # Of one draw of the generator, the leaves with gradients are those where gradients alone give the same.
        gradients = second_shares_at_centres(DeadLeaves(texture="gradient", contrast=0.3))
        assert stats.binomtest(int((shares == gradients).sum()), 4096, 1 / 4).pvalue > 1e-3
        waves = second_shares_at_centres(DeadLeaves(texture="waves", contrast=0.3))
        assert stats.binomtest(int((shares == waves).sum()), 4096, 1 / 4).pvalue > 1e-3

    @pytest.mark.parametrize("seed", range(4))
    def test_gradients_are_planes_that_reach_the_second_colour_at_the_rim(self, seed):
        shares = second_shares("gradient", seed)
        middle = shares[32, 32]
        down, right = shares[33, 32] - middle, shares[32, 33] - middle
        rows, columns = np.indices(shares.shape) - 32
        np.testing.assert_allclose(shares, middle + down * rows + right * columns, atol=1e-5)
        assert math.hypot(down, right) * 60 == pytest.approx(middle, rel=1e-3)

    @pytest.mark.parametrize("seed", range(6))
    def test_waves_have_one_frequency_no_shorter_than_four_pixels(self, seed):
        shares = second_shares("waves", seed, side=128)
        window = np.hanning(128)[:, None] * np.hanning(128)
        power = abs(np.fft.fft2((shares - np.average(shares, weights=window)) * window, s=(512, 512))) ** 2
        frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(512)] * 2))
        peak = frequency.flat[power.argmax()]
        assert power[abs(frequency - peak) < 2.5 / 128].sum() > 0.99 * power.sum()
        assert 1 / 60 - 1 / 128 < peak < 1 / 8 + 1 / 512  # from the radius down to eight samples

    @pytest.mark.parametrize("seed", range(6))
    def test_noise_is_coloured_between_the_two_colours(self, seed):
        shares = second_shares("noise", seed, side=128)
        assert shares.min() >= 0
        # Mean 1/2 and deviation 1/4 of its strength, which the clipping at two deviations makes a little less.
        assert 0.43 < shares.std() / shares.mean() < 0.52
        power = abs(np.fft.fft2(shares - shares.mean())) ** 2
        frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(128)] * 2))
        rings = [(frequency >= low) & (frequency < 1.5 * low) for low in (0.03, 0.06, 0.12, 0.24)]
        points = [(np.log(frequency[ring]).mean(), np.log(power[ring].mean())) for ring in rings]
        assert -3.2 < np.polyfit(*np.transpose(points), 1)[0] < -0.8  # its amplitude falls with a power of 0.5 to 1.5

    def test_noise_is_not_the_same_on_two_leaves(self):
        labels = np.repeat([[0, 1]], 32, axis=0).repeat(16, axis=1)
        leaves = Leaves(*(np.full(2, value) for value in (16.0, 16.0, 30.0, 0.0, 0.0)))
        shares = module._second_shares(DeadLeaves(texture="noise"), labels, leaves, seeded(6)).numpy()
        assert abs(np.corrcoef(shares[:, :16].ravel(), shares[:, 16:].ravel())[0, 1]) < 0.5


class TestBlur:
    @pytest.mark.parametrize("blur", [0.5, 1.5])
    def test_of_an_edge_is_the_normal_distribution(self, monkeypatch, ink, blur):
        def edge(side, *_):
            labels = np.zeros((side, side), dtype=np.int64)
            labels[:, side // 2 :] = 1
            return labels, Leaves(*(np.ones(2) for _ in range(5)))

        monkeypatch.setattr(module, "partition", edge)
        options = {"size": 32, "palette": ink, "texture": "none", "images": 20}
        pictures = [DeadLeaves(blur=blur, **options).image(index) for index in range(20)]
        picture = next(picture for picture in pictures if picture.min() == 0 and picture.max() == 255) / 255.0
        assert torch.equal(picture, picture[:1, :1].expand_as(picture))  # to the border: nothing is invented there
        profile = picture[0, 0] if picture[0, 0, 0] == 0 else 1 - picture[0, 0]
        # Samples of a Gaussian, one per pixel, cut at three deviations: near its integral, not equal to it.
        expected = special.ndtr((np.arange(32) - 15.5) / blur)
        np.testing.assert_allclose(profile, expected, atol=0.02 if blur > 1 else 0.06)
